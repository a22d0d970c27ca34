import type { PeerMessage } from '@mcp-connect/testing';
import { expect } from 'chai';
import { joinToLegacy, joinToModern, type Handle, type Joined } from './joined.test.js';

const TASKS = 'io.modelcontextprotocol/tasks';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const RELATED = 'io.modelcontextprotocol/related-task';
const DONE = { content: [{ type: 'text', text: 'done' }] };
/** As a legacy server says it, which names the task with all that belongs to it. */
const NAMED = { ...DONE, _meta: { [RELATED]: { taskId: 't1' }, 'com.example/k': 1 } };
const QUESTION = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } };

describe('a tool of a legacy server that is called as a task', () => {
  const capabilities = { tools: {}, tasks: { requests: { tools: { call: {} } } } };
  const tools = [
    { name: 'slow', execution: { taskSupport: 'required' } },
    { name: 'quick', execution: { taskSupport: 'optional' } },
  ];
  let line: Joined;

  afterEach(() => line.close());

  /** Looks at the task go through these states, one at each poll. */
  const serving = (states: string[], { error }: { error?: object } = {}): Handle => {
    const task = (status: string): object => ({ taskId: 't1', status, ttl: null, pollInterval: 1 });
    return ({ method, params }) => {
      switch (method) {
        case 'tools/list':
          return { result: { tools } };
        case 'tools/call':
          return { result: params?.['task'] === undefined ? DONE : { task: task('working') } };
        case 'tasks/get':
          return { result: task(states.shift()!) };
        case 'tasks/result':
          return error === undefined
            ? { result: { ...DONE, _meta: { [RELATED]: { taskId: 't1' } } } }
            : { error };
        default:
          return undefined;
      }
    };
  };

  const listed = async (handle: Handle): Promise<void> => {
    line = await joinToLegacy(handle, capabilities);
    const { result } = await line.ask('l', 'tools/list');
    expect(result?.['tools']).to.deep.equal([{ name: 'slow' }, { name: 'quick' }]);
  };

  it('is waited for within the call', async () => {
    await listed(serving(['working', 'completed']));
    const { result } = await line.ask(1, 'tools/call', { name: 'slow' });
    expect(result).to.deep.include({ ...DONE, resultType: 'complete' });
    expect(result?.['_meta']).not.to.have.property(RELATED);
    expect(line.server.count('tasks/get')).to.equal(2);
  });

  it('is called plainly where it need not be a task', async () => {
    await listed(serving([]));
    expect((await line.ask(1, 'tools/call', { name: 'quick' })).result).to.deep.include(DONE);
    expect(line.server.count('tasks/get')).to.equal(0);
  });

  it('is called plainly, and once, where the server does not list its tools', async () => {
    const plain = serving([]);
    line = await joinToLegacy(
      (message, say) =>
        message.method === 'tools/list' || message.method === 'tools/call'
          ? { error: { code: -32_601, message: 'only as a task' } }
          : plain(message, say),
      capabilities,
    );
    expect((await line.ask(1, 'tools/call', { name: 'slow' })).error).to.include({ code: -32_601 });
    expect(line.server.count('tools/call')).to.equal(1);
  });

  it('is called as one by a client that has not listed it: that is done here, once', async () => {
    const pages = serving(['completed', 'completed']);
    line = await joinToLegacy(
      (message, say) =>
        message.method === 'tools/list' && message.params?.['cursor'] === undefined
          ? { result: { tools: [], nextCursor: 'more' } }
          : pages(message, say),
      capabilities,
    );
    for (const id of [1, 2])
      expect((await line.ask(id, 'tools/call', { name: 'slow' })).result).to.deep.include(DONE);
    const methods = line.server.messages
      .map(({ method }) => method)
      .filter((method) => method!.startsWith('tools/'));
    expect(methods).to.deep.equal(['tools/list', 'tools/list', 'tools/call', 'tools/call']);
  });

  it('is called plainly where only the client asks for a task, in the words of an older revision', async () => {
    await listed(serving([]));
    const { result } = await line.ask(1, 'tools/call', { name: 'quick', task: { ttl: 5 } });
    expect(result).to.deep.include({ ...DONE, resultType: 'complete' });
  });

  it('ends in the error that the task ended in', async () => {
    await listed(serving(['failed'], { error: { code: -32_000, message: 'no luck' } }));
    const { error } = await line.ask(1, 'tools/call', { name: 'slow' });
    expect(error).to.deep.include({ code: -32_000, message: 'no luck' });
  });

  it('asks the client within the call, while its result is waited for', async () => {
    const plain = serving(['input_required']);
    await listed((message, say) => {
      if (message.method !== 'tasks/result') return plain(message, say);
      say({ id: 'p', ...QUESTION, params: { ...QUESTION.params, _meta: { [RELATED]: { taskId: 't1' } } } });
      return false;
    });
    const asked = await line.ask(1, 'tools/call', { name: 'slow' });
    const inputResponses = { q0: { action: 'accept', content: {} } };
    const { requestState } = asked.result!;
    const answer = line.ask(2, 'tools/call', { name: 'slow', inputResponses, requestState });
    expect((await line.server.next(({ id }) => id === 'p')).result).to.deep.equal(inputResponses.q0);
    const { id } = await line.server.next(({ method }) => method === 'tasks/result');
    line.say({ id, result: DONE });
    expect((await answer).result).to.deep.include(DONE);
  });

  it('is cancelled as a task', async () => {
    const endless = serving(Array.from({ length: 10_000 }, () => 'working'));
    await listed(endless);
    void line.ask(1, 'tools/call', { name: 'slow' });
    await line.server.next(({ method }) => method === 'tasks/get');
    line.write({ method: 'notifications/cancelled', params: { requestId: 1 } });
    const { params } = await line.server.next(({ method }) => method === 'tasks/cancel');
    expect(params).to.deep.equal({ taskId: 't1' });
  });
});

describe('a task of a legacy server in the hands of a modern client that takes tasks', () => {
  const capabilities = { tools: {}, tasks: { cancel: {}, requests: { tools: { call: {} } } } };
  const declared = (more: object = {}): object => ({
    [CAPABILITIES]: { elicitation: {}, extensions: { [TASKS]: {} }, ...more },
  });
  const RUNNING = { taskId: 't1', createdAt: 'then', lastUpdatedAt: 'now', ttl: 5, pollInterval: 7 };
  const SHOWN = { taskId: 't1', createdAt: 'then', lastUpdatedAt: 'now', ttlMs: 5, pollIntervalMs: 7 };
  const NONE = { error: { code: -32_602, message: 'no such task' } };
  /** What the task is when it is looked at, and what it comes to. */
  let status: string;
  let outcome: object | false;
  let line: Joined;

  beforeEach(async () => {
    [status, outcome] = ['working', { result: DONE }];
    line = await joinToLegacy(({ method, params }) => {
      switch (method) {
        case 'tools/list':
          return { result: { tools: [{ name: 'slow', execution: { taskSupport: 'required' } }] } };
        case 'tools/call':
          return { result: params?.['task'] === undefined ? DONE : { task: { ...RUNNING, status } } };
        case 'tasks/get':
          return params?.['taskId'] === 't1' ? { result: { ...RUNNING, status } } : NONE;
        case 'tasks/result':
          return outcome;
        case 'tasks/cancel':
          return params?.['taskId'] === 't1' && status === 'working'
            ? { result: { ...RUNNING, status: 'cancelled' } }
            : NONE;
        default:
          return undefined;
      }
    }, capabilities);
    await line.ask('l', 'tools/list');
    const { result } = await line.ask('c', 'tools/call', { name: 'slow' }, declared());
    expect(result).to.deep.equal({ resultType: 'task', status: 'working', ...SHOWN });
  });
  afterEach(() => line.close());

  let asked = 0;
  const ask = (method: string, params: object = {}, more: object = {}): Promise<PeerMessage> =>
    line.ask(++asked, method, { taskId: 't1', ...params }, declared(more));

  it('is offered to every client, by the name of the extension', async () => {
    const { result } = await line.ask('d', 'server/discover');
    expect(result?.['capabilities']).to.deep.equal({ tools: {}, extensions: { [TASKS]: {} } });
  });

  it('has a result that does not name it once more', async () => {
    [status, outcome] = ['completed', { result: NAMED }];
    const { result } = await ask('tasks/get');
    const { _meta } = result!['result'] as { _meta: object };
    expect(_meta).to.include({ 'com.example/k': 1 }).and.not.to.have.property(RELATED);
  });

  it('is looked at until it has its result', async () => {
    expect((await ask('tasks/get')).result).to.deep.include({ ...SHOWN, status: 'working' });
    expect(line.server.count('tasks/result')).to.equal(0);
    status = 'completed';
    outcome = { result: { ...DONE, _meta: { [RELATED]: { taskId: 't1' }, a: 1 } } };
    const { result } = await ask('tasks/get');
    expect(result).to.deep.include({ ...SHOWN, resultType: 'complete', status: 'completed' });
    expect(result?.['result']).to.deep.include(DONE);
    expect(result).to.have.nested.property('result._meta').that.includes({ a: 1 }).and.not.property(RELATED);
  });

  it('has failed only where there is no result', async () => {
    [status, outcome] = ['failed', { result: { ...DONE, isError: true } }];
    expect((await ask('tasks/get')).result).to.deep.include({ status: 'completed' });
    outcome = { error: { code: -32_050, message: 'no luck' } };
    const { result } = await ask('tasks/get');
    expect(result).to.deep.include({ status: 'failed' }).and.not.to.have.property('result');
    expect(result?.['error']).to.deep.include({ code: -32_603, message: 'no luck' });
  });

  it('asks within itself, each question once, and goes on with the answers', async () => {
    [status, outcome] = ['input_required', false];
    expect((await ask('tasks/get')).result).to.deep.include({ status: 'working' });
    await line.server.next(({ method }) => method === 'tasks/result');
    const params = { ...QUESTION.params, _meta: { [RELATED]: { taskId: 't1' } } };
    line.say({ id: 'p0', method: QUESTION.method, params });
    // Some servers forget to name the task.
    line.say({ id: 'p1', ...QUESTION });
    const { result } = await ask('tasks/get');
    expect(result).to.deep.include({
      status: 'input_required',
      inputRequests: { q0: QUESTION, q1: QUESTION },
    });
    const inputResponses = { q0: { action: 'accept', content: {} }, q9: {} };
    const updated = await ask('tasks/update', { inputResponses });
    expect(updated.result).to.deep.include({ resultType: 'complete' }).and.not.to.have.property('status');
    expect((await line.server.next(({ id }) => id === 'p0')).result).to.deep.equal(inputResponses.q0);
    expect((await ask('tasks/get')).result?.['inputRequests']).to.deep.equal({ q1: QUESTION });
    expect(line.server.count('tasks/result')).to.equal(1);
    await ask('tasks/get', {}, { elicitation: { url: {} } });
    expect((await line.server.next(({ id }) => id === 'p1')).result).to.deep.equal({ action: 'cancel' });
  });

  it('is cancelled, and what has its end already may be too', async () => {
    expect((await ask('tasks/cancel')).result).to.deep.include({ resultType: 'complete' });
    status = 'cancelled';
    expect((await ask('tasks/get')).result).to.deep.include({ status: 'cancelled' });
    expect((await ask('tasks/cancel')).result).to.deep.include({ resultType: 'complete' });
  });

  it('is unknown under another name, and to clients that do not take tasks', async () => {
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      expect((await ask(method, { taskId: 't2' })).error?.code, method).to.equal(-32_602);
      const { error } = await line.ask(method, method, { taskId: 't1' });
      expect(error?.code, method).to.equal(-32_021);
      expect(error?.data).to.deep.equal({ requiredCapabilities: { extensions: { [TASKS]: {} } } });
    }
    for (const method of ['tasks/result', 'tasks/list'])
      expect((await ask(method)).error?.code, method).to.equal(-32_601);
  });
});

describe('a task that a modern server makes of the call of a legacy client', () => {
  const INITIALIZE = {
    protocolVersion: '2025-11-25',
    capabilities: { elicitation: {} },
    clientInfo: { name: 'legacy', version: '1' },
  };
  let line: Joined;

  afterEach(() => line.close());

  const begin = async (states: object[]): Promise<void> => {
    const task = { taskId: 't1', ttlMs: null, pollIntervalMs: 1 };
    line = await joinToModern(
      ({ method }) => {
        if (method === 'tools/call') return { result: { resultType: 'task', status: 'working', ...task } };
        if (method === 'tasks/get') return { result: { resultType: 'complete', ...task, ...states.shift() } };
        return { result: { resultType: 'complete' } };
      },
      { capabilities: { tools: {}, extensions: { [TASKS]: {}, 'com.example/x': {} } } },
    );
    const { result } = await line.request('i', 'initialize', INITIALIZE);
    // The extension is none of the client's revision: its tasks are another thing.
    expect(result?.['capabilities']).to.deep.equal({ tools: {}, extensions: { 'com.example/x': {} } });
  };

  it('is waited for within the call', async () => {
    await begin([{ status: 'working' }, { status: 'completed', result: DONE }]);
    expect((await line.request(1, 'tools/call', { name: 'slow' })).result).to.deep.equal(DONE);
    const { params } = await line.server.next(({ method }) => method === 'tools/call');
    const meta = params!['_meta'] as Record<string, { extensions?: object }>;
    expect(meta['io.modelcontextprotocol/clientCapabilities']?.extensions).to.have.property(TASKS);
  });

  it('ends in the error that the task ended in, or says how it ended', async () => {
    await begin([
      { status: 'failed', error: { code: -32_000, message: 'no luck' } },
      { status: 'cancelled' },
    ]);
    expect((await line.request(1, 'tools/call', { name: 'slow' })).error?.code).to.equal(-32_000);
    expect((await line.request(2, 'tools/call', { name: 'slow' })).error?.code).to.equal(-32_603);
  });

  it('asks the client once for what it needs', async () => {
    const waiting = { status: 'input_required', inputRequests: { who: QUESTION } };
    await begin([waiting, waiting, { status: 'completed', result: DONE }]);
    const answer = line.request(1, 'tools/call', { name: 'slow' });
    const asked = await line.client.next(({ method }) => method === 'elicitation/create');
    line.write({ id: asked.id, result: { action: 'decline' } });
    expect((await answer).result).to.deep.equal(DONE);
    expect(line.client.count('elicitation/create')).to.equal(1);
    const { params } = await line.server.next(({ method }) => method === 'tasks/update');
    expect(params).to.deep.include({ taskId: 't1', inputResponses: { who: { action: 'decline' } } });
  });

  it('is cancelled with the call', async () => {
    await begin(Array.from({ length: 10_000 }, () => ({ status: 'working' })));
    void line.request(1, 'tools/call', { name: 'slow' });
    await line.server.next(({ method }) => method === 'tasks/get');
    line.write({ method: 'notifications/cancelled', params: { requestId: 1 } });
    const { params } = await line.server.next(({ method }) => method === 'tasks/cancel');
    expect(params).to.deep.include({ taskId: 't1' });
  });
});
