import type { PeerMessage } from '@mcp-connect/testing';
import { expect } from 'chai';
import { ABLE, joined, joinToLegacy, type Handle, type Joined } from './joined.test.js';

const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

/** A server whose tool `ask` asks this before it answers with what it was told. */
function asking(question: { method: string; params?: object }): Handle {
  const calls = new Map<unknown, unknown>();
  return ({ id, method, params }, say) => {
    if (method !== 'tools/call' || params?.['name'] !== 'ask') return undefined;
    calls.set(`push-${id}`, id);
    say({ id: `push-${id}`, ...question });
    return false;
  };
}

const ELICITATION = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } };

/** The answer of the server to a call once its question is answered. */
async function finish(line: Joined, push: string): Promise<PeerMessage> {
  const answer = await line.server.next(({ id, method }) => id === push && method === undefined);
  line.say({
    id: Number(push.slice(5)),
    result: { content: [{ type: 'text', text: JSON.stringify(answer.result) }] },
  });
  return answer;
}

function stateOf({ result }: PeerMessage): unknown {
  return result?.['requestState'];
}

describe('a modern client and a legacy server', () => {
  let line: Joined;

  afterEach(() => line.close());

  it('takes back what waits until it is known how to speak to the server', async () => {
    line = await joined(({ method }) => (method === 'server/discover' ? false : undefined));
    const answers = [1, 2].map((id) => line.ask(id, 'tools/call', { name: 'pay' }));
    await line.server.next(({ method }) => method === 'server/discover');
    await line.close();
    for (const { error } of await Promise.all(answers))
      expect(error?.data).to.include({ code: 'MCPC_SHUTDOWN', executed: 'no' });
    expect(line.server.count('tools/call')).to.equal(0);
  });

  it('discovers what the server said when a session was begun in the name of the client', async () => {
    line = await joinToLegacy(undefined, { tools: {}, tasks: {} });
    const { result } = await line.ask('d', 'server/discover');
    expect(result).to.deep.equal({
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { [SERVER_INFO]: { name: 'legacy', version: '1' } },
    });
    const { params } = await line.server.next(({ method }) => method === 'initialize');
    expect(params).to.deep.equal({
      protocolVersion: '2025-11-25',
      capabilities: ABLE['io.modelcontextprotocol/clientCapabilities'],
      clientInfo: { name: 'modern', version: '1' },
    });
    await line.server.next(({ method }) => method === 'notifications/initialized');
  });

  it('forwards a request without its envelope, and a result with one', async () => {
    line = await joinToLegacy(() => ({
      result: { tools: [{ name: 't', execution: { taskSupport: 'optional' } }], _meta: { a: 1 } },
    }));
    const { result } = await line.ask(0, 'tools/list', { cursor: '' }, { traceparent: '00' });
    expect(result).to.deep.equal({
      tools: [{ name: 't' }],
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { a: 1, [SERVER_INFO]: { name: 'legacy', version: '1' } },
    });
    const { params } = await line.server.next(({ method }) => method === 'tools/list');
    expect(params).to.deep.equal({ cursor: '', _meta: { traceparent: '00' } });
  });

  it('begins one session for requests that come at once, each with its own answer', async () => {
    line = await joinToLegacy(({ params }) => ({ result: { content: [], n: params?.['n'] } }));
    const ids = [0, 1, 'a', '1'];
    const answers = await Promise.all(ids.map((id) => line.ask(id, 'tools/call', { name: 'n', n: id })));
    expect(answers.map(({ result }) => result?.['n'])).to.deep.equal(ids);
    expect(line.server.count('initialize')).to.equal(1);
  });

  it('refuses what describes itself badly, and what the revision no longer has', async () => {
    line = await joinToLegacy();
    await line.ask('d', 'server/discover');
    const version = { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const wrong = await line.ask(1, 'tools/list', {}, version);
    expect(wrong.error).to.deep.include({
      code: -32_022,
      data: { supported: ['2026-07-28'], requested: '2099-01-01' },
    });
    const bare = await line.ask(
      2,
      'tools/list',
      {},
      { 'io.modelcontextprotocol/clientCapabilities': undefined },
    );
    expect(bare.error?.code).to.equal(-32_602);
    expect((await line.ask(3, 'tools/list', {}, { [LOG_LEVEL]: 'loud' })).error?.code).to.equal(-32_602);
    expect((await line.ask(4, 'ping')).error?.code).to.equal(-32_601);
    expect(line.server.count('tools/list') + line.server.count('ping')).to.equal(0);
  });

  it('maps the errors that the revision keeps for itself', async () => {
    const codes = [-32_002, -32_002, -32_050, -32_601];
    line = await joinToLegacy(() => ({ error: { code: codes.shift(), message: 'no', data: { uri: 'x' } } }));
    const errors = [
      await line.ask(1, 'resources/read', { uri: 'x' }),
      await line.ask(2, 'tools/call', { name: 'x' }),
      await line.ask(3, 'tools/call', { name: 'x' }),
      await line.ask(4, 'custom/method'),
    ].map(({ error }) => [error?.code, error?.data]);
    expect(errors).to.deep.equal([
      [-32_602, { uri: 'x' }],
      [-32_603, { uri: 'x', originalCode: -32_002 }],
      [-32_603, { uri: 'x', originalCode: -32_050 }],
      [-32_601, { uri: 'x' }],
    ]);
  });

  it('passes on news that nobody has heard of, and what the newer revision has no word for to nobody', async () => {
    line = await joinToLegacy();
    await line.ask(1, 'tools/list');
    line.write({ method: 'notifications/mine', params: { a: 1, _meta: { ...ABLE, 'com.example/k': 2 } } });
    const mine = await line.server.next(({ method }) => method === 'notifications/mine');
    expect(mine.params).to.deep.equal({ a: 1, _meta: { 'com.example/k': 2 } });
    line.say({ method: 'notifications/tasks/status', params: { taskId: 't' } });
    line.say({ method: 'notifications/elicitation/complete', params: { elicitationId: 'e' } });
    line.say({ method: 'notifications/theirs', params: { b: 1 } });
    const theirs = await line.client.next(({ method }) => method !== undefined);
    expect(theirs).to.deep.equal({ jsonrpc: '2.0', method: 'notifications/theirs', params: { b: 1 } });
  });

  it('answers pings of the server itself, and refuses what no client can be asked', async () => {
    line = await joinToLegacy();
    await line.ask('d', 'server/discover');
    line.say({ id: 'p', method: 'ping' });
    line.say({ id: 'u', method: 'custom/ask' });
    expect((await line.server.next(({ id }) => id === 'p')).result).to.deep.equal({});
    expect((await line.server.next(({ id }) => id === 'u')).error?.code).to.equal(-32_601);
    expect(line.client.messages).to.have.length(1);
  });

  describe('a question in the middle of a call', () => {
    it('is asked as a result, and answered by the next round under a new id', async () => {
      line = await joinToLegacy(asking(ELICITATION));
      const asked = await line.ask(1, 'tools/call', { name: 'ask', arguments: { a: 1, b: 2 } });
      expect(asked.result).to.deep.include({
        resultType: 'input_required',
        inputRequests: { q0: ELICITATION },
      });
      const inputResponses = { q0: { action: 'accept', content: { name: 'Ada' } }, other: {} };
      const retry = { arguments: { b: 2, a: 1 }, name: 'ask', inputResponses, requestState: stateOf(asked) };
      const answer = line.ask(2, 'tools/call', retry);
      const { id } = await line.server.next(({ method }) => method === 'tools/call');
      expect((await finish(line, `push-${id}`)).result).to.deep.equal(inputResponses.q0);
      expect((await answer).result).to.deep.include({ resultType: 'complete' });
      expect(line.server.count('tools/call')).to.equal(1);
    });

    it('is asked again where the answer is missing', async () => {
      line = await joinToLegacy(asking(ELICITATION));
      const asked = await line.ask(1, 'tools/call', { name: 'ask' });
      const again = await line.ask(2, 'tools/call', { name: 'ask', requestState: stateOf(asked) });
      expect(again.result?.['inputRequests']).to.deep.equal({ q0: ELICITATION });
      expect(stateOf(again)).to.not.equal(stateOf(asked));
    });

    it('goes on once only, for the same request only', async () => {
      line = await joinToLegacy(asking(ELICITATION));
      const asked = await line.ask(1, 'tools/call', { name: 'ask' });
      const requestState = stateOf(asked);
      const other = await line.ask(2, 'tools/call', {
        name: 'ask',
        arguments: { other: true },
        requestState,
      });
      expect(other.error?.code).to.equal(-32_602);
      const retry = { name: 'ask', inputResponses: { q0: { action: 'decline' } }, requestState };
      const answer = line.ask(3, 'tools/call', retry);
      const { id } = await line.server.next(({ method }) => method === 'tools/call');
      await finish(line, `push-${id}`);
      expect((await answer).error).to.equal(undefined);
      expect((await line.ask(4, 'tools/call', retry)).error?.code).to.equal(-32_602);
      expect(line.server.count('tools/call')).to.equal(1);
    });

    it('gives the result at once when the server did not wait for the answer', async () => {
      line = await joinToLegacy(asking(ELICITATION));
      const asked = await line.ask(1, 'tools/call', { name: 'ask' });
      const { id } = await line.server.next(({ method }) => method === 'tools/call');
      line.say({ method: 'notifications/cancelled', params: { requestId: `push-${id}` } });
      line.say({ id, result: { content: [] } });
      const answer = await line.ask(2, 'tools/call', { name: 'ask', requestState: stateOf(asked) });
      expect(answer.result).to.deep.include({ resultType: 'complete', content: [] });
    });

    it('never reaches a request that cannot be answered with it, which is told what it lacks', async () => {
      line = await joinToLegacy(asking(ELICITATION));
      await line.ask('d', 'server/discover');
      const unable = {
        'io.modelcontextprotocol/clientCapabilities': { sampling: {}, elicitation: { url: {} } },
      };
      const { error } = await line.ask(1, 'tools/call', { name: 'ask' }, unable);
      expect(error).to.deep.include({
        code: -32_021,
        data: { requiredCapabilities: { elicitation: { form: {} } } },
      });
      await line.server.next(({ method }) => method === 'notifications/cancelled');
      const refused = await line.server.next(({ id }) => String(id).startsWith('push-'));
      expect(refused.result).to.deep.equal({ action: 'cancel' });
    });

    it('is refused where the client never said that it answers such questions, and the call goes on', async () => {
      line = await joinToLegacy(asking({ method: 'sampling/createMessage', params: { messages: [] } }));
      const unable = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
      const answer = line.ask(1, 'tools/call', { name: 'ask' }, unable);
      const { id } = await line.server.next(({ method }) => method === 'tools/call');
      const { error } = await line.server.next((message) => message.id === `push-${id}`);
      expect(error?.code).to.equal(-32_601);
      line.say({ id, result: { content: [] } });
      expect((await answer).result).to.deep.include({ resultType: 'complete' });
    });

    it('keeps apart calls that ask at the same time', async () => {
      line = await joinToLegacy(asking(ELICITATION));
      const names = ['Ada', 'Bob', 'Cleo'];
      const texts = names.map(async (name, n) => {
        const asked = await line.ask(`a${n}`, 'tools/call', { name: 'ask', arguments: { n } });
        const inputResponses = Object.fromEntries(
          Object.keys(asked.result?.['inputRequests'] as object).map((key) => [
            key,
            { action: 'accept', content: { name } },
          ]),
        );
        return line.ask(`b${n}`, 'tools/call', {
          name: 'ask',
          arguments: { n },
          inputResponses,
          requestState: stateOf(asked),
        });
      });
      await Promise.all(names.map((_, n) => finish(line, `push-${n + 1}`)));
      for (const { result } of await Promise.all(texts)) expect(result?.['resultType']).to.equal('complete');
      expect(line.server.count('tools/call')).to.equal(3);
    });

    it('is asked together with those that follow it soon', async () => {
      line = await joinToLegacy(({ method }, say) => {
        if (method !== 'tools/call') return undefined;
        say({ id: 'first', ...ELICITATION });
        setTimeout(() => say({ id: 'second', method: 'roots/list' }), 10);
        return false;
      });
      const { result } = await line.ask(1, 'tools/call', { name: 'ask' });
      expect(result?.['inputRequests']).to.have.all.keys('q0', 'q1');
    });

    for (const back of ['the first', 'the last']) {
      it(`that may be of several calls is asked by ${back} whose client comes back`, async () => {
        line = await joinToLegacy(asking(ELICITATION));
        const states = new Map<unknown, unknown>();
        for (const name of ['the first', 'the last']) {
          const asked = await line.ask(name, 'tools/call', { name: 'ask', arguments: { name } });
          states.set(name, stateOf(asked));
        }
        line.say({ id: 'more', method: 'roots/list' });
        const again = await line.ask('back', 'tools/call', {
          name: 'ask',
          arguments: { name: back },
          inputResponses: { q0: { action: 'decline' } },
          requestState: states.get(back),
        });
        expect(again.result?.['inputRequests']).to.deep.equal({ q0: { method: 'roots/list', params: {} } });
      });
    }

    it('that belongs to no call is asked by the next call that can be answered with it', async () => {
      line = await joinToLegacy(({ method }) =>
        method === 'tools/call' ? { result: { content: [] } } : undefined,
      );
      await line.ask('d', 'server/discover');
      line.say({ id: 'r', method: 'roots/list' });
      await line.ask('l', 'tools/list');
      const asked = await line.ask(1, 'tools/call', { name: 'x' });
      expect(asked.result?.['inputRequests']).to.deep.equal({ q0: { method: 'roots/list', params: {} } });
      expect(line.server.count('tools/call')).to.equal(0);
      const inputResponses = { q0: { roots: [] } };
      const answer = await line.ask(2, 'tools/call', {
        name: 'x',
        inputResponses,
        requestState: stateOf(asked),
      });
      expect(answer.result).to.deep.include({ resultType: 'complete' });
      expect((await line.server.next(({ id }) => id === 'r')).result).to.deep.equal({ roots: [] });
    });

    it('is answered with a refusal when the client cancels the call', async () => {
      line = await joinToLegacy(asking({ method: 'sampling/createMessage', params: { messages: [] } }));
      void line.ask(1, 'tools/call', { name: 'ask' });
      const { id } = await line.server.next(({ method }) => method === 'tools/call');
      line.write({ method: 'notifications/cancelled', params: { requestId: 1 } });
      const { params } = await line.server.next(({ method }) => method === 'notifications/cancelled');
      expect(params?.['requestId']).to.equal(id);
    });

    it('is told as an error when the server is gone before the answer comes', async () => {
      line = await joinToLegacy(asking(ELICITATION));
      const asked = await line.ask(1, 'tools/call', { name: 'ask' });
      line.cut();
      const retry = {
        name: 'ask',
        inputResponses: { q0: { action: 'accept' } },
        requestState: stateOf(asked),
      };
      expect((await line.ask(2, 'tools/call', retry)).error?.code).to.equal(-32_602);
      expect(line.server.count('tools/call')).to.equal(1);
    });
  });

  describe('an error that sends the user to a web page', () => {
    const elicitations = [
      { mode: 'url', elicitationId: 'e1', url: 'https://example.com', message: 'Sign in' },
    ];
    const once = (): Handle => {
      let calls = 0;
      return () =>
        calls++ === 0
          ? { error: { code: -32_042, message: 'first', data: { elicitations } } }
          : { result: { content: [] } };
    };

    it('is asked as a question, after which the request is sent again', async () => {
      line = await joinToLegacy(once());
      const asked = await line.ask(1, 'tools/call', { name: 'x' });
      const { elicitationId: _, ...params } = elicitations[0]!;
      expect(asked.result?.['inputRequests']).to.deep.equal({ q0: { method: 'elicitation/create', params } });
      const retry = { name: 'x', inputResponses: { q0: { action: 'accept' } }, requestState: stateOf(asked) };
      expect((await line.ask(2, 'tools/call', retry)).result).to.deep.include({
        resultType: 'complete',
        content: [],
      });
    });

    it('ends the request when the user declines', async () => {
      line = await joinToLegacy(once());
      const asked = await line.ask(1, 'tools/call', { name: 'x' });
      const retry = {
        name: 'x',
        inputResponses: { q0: { action: 'decline' } },
        requestState: stateOf(asked),
      };
      expect((await line.ask(2, 'tools/call', retry)).result).to.deep.include({ isError: true });
      expect(line.server.count('tools/call')).to.equal(1);
    });

    it('never reaches a client that shows no pages', async () => {
      line = await joinToLegacy(once());
      const unable = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
      expect((await line.ask(1, 'tools/call', { name: 'x' }, unable)).error?.code).to.equal(-32_021);
    });
  });

  it('goes on with a server that has become a modern one', async () => {
    let modern = false;
    line = await joined(({ method, params }) => {
      const { protocolVersion } = params as { protocolVersion: string };
      const said = { capabilities: {}, serverInfo: { name: 's', version: '1' } };
      if (method === 'initialize' && modern) return { error: { code: -32_022, message: 'Unsupported' } };
      if (method === 'initialize') return { result: { protocolVersion, ...said } };
      if (method === 'server/discover' && modern) {
        return { result: { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {} } };
      }
      if (method === 'server/discover') return { error: { code: -32_601, message: 'Method not found' } };
      return { result: { content: [], modern } };
    });
    expect((await line.ask(1, 'tools/call', { name: 'x' })).result).to.deep.include({ modern: false });
    modern = true;
    line.cut();
    expect((await line.ask(2, 'tools/call', { name: 'x' })).result).to.deep.include({ modern: true });
    expect(line.server.count('tools/call')).to.equal(2);
  });

  it('speaks an older revision to a server that refuses the newest one and names its own', async () => {
    line = await joined(({ method, params }) => {
      if (method === 'server/discover') return { error: { code: -32_601, message: 'Method not found' } };
      if (method !== 'initialize') return undefined;
      const { protocolVersion } = params as { protocolVersion: string };
      const supported = ['2024-11-05', '2025-03-26'];
      if (!supported.includes(protocolVersion))
        return { error: { code: -32_602, message: 'Unsupported', data: { supported } } };
      return { result: { protocolVersion, capabilities: {}, serverInfo: { name: 's', version: '1' } } };
    });
    expect(await line.ask(1, 'tools/list')).to.have.property('result');
    const begun = line.server.messages.filter(({ method }) => method === 'initialize');
    expect(begun.map(({ params }) => params?.['protocolVersion'])).to.deep.equal([
      '2025-11-25',
      '2025-03-26',
    ]);
  });

  it('says so when the server refuses to begin a session', async () => {
    line = await joined(({ method }) =>
      method === 'initialize'
        ? { error: { code: -32_000, message: 'not today' } }
        : { error: { code: -32_601, message: 'Method not found' } },
    );
    const { error } = await line.ask(1, 'tools/list');
    expect(error?.code).to.equal(-32_000);
    expect(error?.message).to.contain('not today');
  });

  it('passes progress on under the token of the request that waits, as long as it grows', async () => {
    line = await joinToLegacy(({ id, method, params }, say) => {
      if (method !== 'tools/call') return undefined;
      const { progressToken } = params!['_meta'] as { progressToken: number };
      for (const progress of [1, 3, 2, 4])
        say({ method: 'notifications/progress', params: { progressToken, progress } });
      say({ method: 'notifications/progress', params: { progressToken: 'other', progress: 9 } });
      return { result: { id } };
    });
    await line.ask(1, 'tools/call', { name: 'x' }, { progressToken: 'mine' });
    const steps = line.client.messages.flatMap(({ params }) => (params === undefined ? [] : [params]));
    expect(steps).to.deep.equal([1, 3, 4].map((progress) => ({ progressToken: 'mine', progress })));
  });

  it('sets the log level to what requests ask for, and passes on only what they want to see', async () => {
    line = await joinToLegacy(
      ({ method }, say) => {
        if (method !== 'tools/call') return undefined;
        for (const level of ['debug', 'info', 'error'])
          say({ method: 'notifications/message', params: { level, data: level } });
        return { result: {} };
      },
      { logging: {} },
    );
    await line.ask(1, 'tools/call', { name: 'x' });
    expect(line.client.count('notifications/message')).to.equal(0);
    await line.ask(2, 'tools/call', { name: 'x' }, { [LOG_LEVEL]: 'info' });
    const logged = line.client.messages.filter(({ method }) => method === 'notifications/message');
    expect(logged.map(({ params }) => params?.['level'])).to.deep.equal(['info', 'error']);
    const levels = line.server.messages.filter(({ method }) => method === 'logging/setLevel');
    expect(levels.map(({ params }) => params?.['level'])).to.deep.equal(['info']);
  });

  describe('a stream of news', () => {
    const capabilities = { tools: { listChanged: true }, resources: { subscribe: true } };
    const refusing: Handle = ({ method, params }) =>
      method === 'resources/subscribe' && params?.['uri'] === 'mem://none'
        ? { error: { code: -32_002, message: 'none' } }
        : undefined;
    const notifications = {
      toolsListChanged: true,
      promptsListChanged: true,
      resourceSubscriptions: ['mem://a', 'mem://none'],
    };
    const listen = (id: string | number): Promise<PeerMessage> => {
      line.write({ id, method: 'subscriptions/listen', params: { notifications, _meta: ABLE } });
      return line.client.next(
        ({ method, params }) =>
          method === 'notifications/subscriptions/acknowledged' &&
          (params!['_meta'] as Record<string, unknown>)[SUBSCRIPTION] === id,
      );
    };

    it('is acknowledged with what the server can tell, once it can', async () => {
      line = await joinToLegacy(refusing, capabilities);
      const { params } = await listen(7);
      expect(params?.['notifications']).to.deep.equal({
        toolsListChanged: true,
        resourceSubscriptions: ['mem://a'],
      });
      expect(line.server.count('resources/subscribe')).to.equal(2);
    });

    it('brings what was asked for and nothing else, to each that listens', async () => {
      line = await joinToLegacy(refusing, capabilities);
      await listen(7);
      await listen('8');
      line.say({ method: 'notifications/prompts/list_changed' });
      line.say({ method: 'notifications/resources/updated', params: { uri: 'mem://b' } });
      line.say({ method: 'notifications/resources/updated', params: { uri: 'mem://a/part' } });
      line.say({ method: 'notifications/tools/list_changed' });
      await line.client.next(({ method }) => method === 'notifications/tools/list_changed');
      const news = line.client.messages.slice(2).map(({ method, params }) => [method, params]);
      const _meta = (id: unknown): object => ({ [SUBSCRIPTION]: id });
      expect(news).to.deep.equal([
        ['notifications/resources/updated', { uri: 'mem://a/part', _meta: _meta(7) }],
        ['notifications/resources/updated', { uri: 'mem://a/part', _meta: _meta('8') }],
        ['notifications/tools/list_changed', { _meta: _meta(7) }],
        ['notifications/tools/list_changed', { _meta: _meta('8') }],
      ]);
    });

    it('begins with the acknowledgement, also where something happens before it', async () => {
      line = await joinToLegacy((message, say) => {
        if (message.method !== 'resources/subscribe') return refusing(message, say);
        for (const n of [1, 2]) say({ method: 'notifications/tools/list_changed', params: { n } });
        say({ method: 'notifications/resources/updated', params: { uri: 'mem://a' } });
        return refusing(message, say);
      }, capabilities);
      await listen(7);
      await line.client.next(({ method }) => method === 'notifications/resources/updated');
      expect(line.client.messages.map(({ method }) => method)).to.deep.equal([
        'notifications/subscriptions/acknowledged',
        'notifications/tools/list_changed',
        'notifications/resources/updated',
      ]);
    });

    it('holds its subscriptions until the last that listens is gone', async () => {
      line = await joinToLegacy(refusing, capabilities);
      await listen(7);
      await listen(8);
      expect(line.server.count('resources/subscribe')).to.equal(3);
      line.write({ method: 'notifications/cancelled', params: { requestId: 7 } });
      line.write({ method: 'notifications/cancelled', params: { requestId: 8 } });
      const { params } = await line.server.next(({ method }) => method === 'resources/unsubscribe');
      expect(params).to.deep.equal({ uri: 'mem://a' });
    });

    it('goes on, with news of what may have been missed, when the server comes back', async () => {
      line = await joinToLegacy(refusing, capabilities);
      await listen(7);
      line.cut();
      await line.client.next(({ method }) => method === 'notifications/tools/list_changed');
      await line.client.next(({ method }) => method === 'notifications/resources/updated');
      expect(line.server.count('initialize')).to.equal(2);
    });
  });
});
