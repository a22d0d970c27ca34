import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import {
  hang,
  inTurn,
  reply,
  replySse,
  scriptedHttp,
  status,
  type Script,
  type ScriptedServer,
} from '@mcp-connect/testing';
import { expect } from 'chai';
import { mcpConnect, ProxyProcess, type Message } from './proxy-process.js';
import { fixture, localProgram } from './servers.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
};
const ELICIT = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } };

/** A modern client behind mcp-connect and a server of 2025-11-25 that knows no other era. */
describe('a modern client of a legacy server over HTTP', () => {
  let server: ScriptedServer;
  let proxy: ProxyProcess;

  afterEach(async () => {
    await proxy.stop();
    await server.close();
  });

  async function start(script: Script, capabilities: object = {}): Promise<void> {
    const session = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 's', version: '1' } };
    server = await scriptedHttp(
      (request) => {
        if (request.method === 'server/discover')
          return status(400, { body: 'Bad Request: Server not initialized' });
        if (request.method === 'initialize') return reply(session);
        return script(request);
      },
      { sessions: true },
    );
    proxy = new ProxyProcess(['proxy', '--endpoint', server.endpoint.label]);
  }

  const ask = (id: number, method: string, params: object = {}, meta: object = {}): Promise<Message> =>
    proxy.request(id, method, { ...params, _meta: { ...META, ...meta } });

  it('may call a tool before anything else, and is not held up by it', async () => {
    await start(inTurn('tools/call', hang(), reply({ content: [] })));
    void ask(1, 'tools/call', { name: 'slow' }).catch(() => undefined);
    await server.received(1, 'tools/call');
    expect((await ask(2, 'tools/call', { name: 'quick' })).result).to.deep.include({
      resultType: 'complete',
    });
  });

  it('does not notice that the server has forgotten the session', async () => {
    await start(() => undefined, {
      logging: {},
      resources: { subscribe: true },
      tools: { listChanged: true },
    });
    const notifications = { toolsListChanged: true, resourceSubscriptions: ['mem://a'] };
    void ask(1, 'subscriptions/listen', { notifications }).catch(() => undefined);
    await proxy.message(({ method }) => method === 'notifications/subscriptions/acknowledged');
    await ask(2, 'tools/call', { name: 'x' }, { 'io.modelcontextprotocol/logLevel': 'info' });
    await server.stop();
    await server.start();
    expect((await ask(3, 'tools/call', { name: 'y' })).result).to.deep.include({ resultType: 'complete' });
    expect(server.executions('tools/call')).to.equal(2);
    const again = server.messages.map(({ method }) => method).slice(-6);
    expect(again).to.include.members(['initialize', 'logging/setLevel', 'resources/subscribe', 'tools/call']);
    await proxy.message(({ method }) => method === 'notifications/tools/list_changed');
    await proxy.message(({ method }) => method === 'notifications/resources/updated');
  });

  it('is told when nobody knows what became of a call, which is sent once', async () => {
    await start(inTurn('tools/call', hang()));
    const answer = ask(1, 'tools/call', { name: 'x' });
    await server.received(1, 'tools/call');
    server.cut();
    const { error } = await answer;
    expect(error?.data).to.deep.include({ code: 'MCPC_OUTCOME_UNKNOWN', executed: 'unknown' });
    expect(server.executions('tools/call')).to.equal(1);
  });

  it('is asked in the call in which the server asks, however many there are', async () => {
    await start(({ id, method, params }) => {
      if (method !== 'tools/call') return undefined;
      // The first call asks nothing and never ends; the second one asks.
      return params?.['name'] === 'quiet'
        ? hang()
        : replySse({ content: [] }, { before: [{ id: `ask-${id}`, ...ELICIT }], pause: 300 });
    });
    void ask(1, 'tools/call', { name: 'quiet' }).catch(() => undefined);
    await server.received(1, 'tools/call');
    const asked = await ask(2, 'tools/call', { name: 'asking' });
    expect(asked.result?.['inputRequests']).to.deep.equal({ q0: ELICIT });
    const inputResponses = { q0: { action: 'decline' } };
    const requestState = asked.result?.['requestState'];
    const { result } = await ask(3, 'tools/call', { name: 'asking', inputResponses, requestState });
    expect(result).to.deep.include({ resultType: 'complete' });
    expect(
      server.messages.some(
        ({ id, result: said }) => String(id).startsWith('ask-') && said?.['action'] === 'decline',
      ),
    ).to.equal(true);
  });
});

describe('a modern client of a legacy server with tasks', () => {
  it('waits for a tool that runs as a task only, and is asked in the middle of it', async () => {
    const peer = localProgram(...fixture('feature-stdio'));
    const options = {
      versionNegotiation: { mode: { pin: '2026-07-28' } },
      capabilities: { elicitation: {} },
    };
    const client = new Client({ name: 'modern-client', version: '1.0.0' }, options);
    const asked: string[] = [];
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message);
      return { action: 'accept', content: { name: 'Ada' } };
    });
    await client.connect(
      new StdioClientTransport({ ...mcpConnect(['proxy', ...peer.args]), stderr: 'ignore' }),
    );
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).to.include('slow');
    const { content } = await client.callTool({ name: 'slow' });
    expect(content[0]).to.have.property('text').that.contains('Ada');
    expect(asked).to.deep.equal(['Who are you?']);
    await client.close();
  });

  it('that takes tasks looks after them itself, from the call to the result', async () => {
    const TASKS = 'io.modelcontextprotocol/tasks';
    const able = { elicitation: {}, extensions: { [TASKS]: {} } };
    const _meta = { ...META, 'io.modelcontextprotocol/clientCapabilities': able };
    const proxy = new ProxyProcess(['proxy', ...localProgram(...fixture('feature-stdio')).args]);
    const ask = async (id: string, method: string, params: object): Promise<Record<string, unknown>> =>
      (await proxy.request(id, method, { ...params, _meta })).result!;
    const { taskId, ...made } = await ask('c', 'tools/call', { name: 'slow' });
    expect(made).to.include({ resultType: 'task', ttlMs: 60_000, pollIntervalMs: 20 });
    /** Looks at the task until it is this. */
    const once = async (wanted: string): Promise<Record<string, unknown>> => {
      for (let n = 0; ; n++) {
        const task = await ask(`${wanted} ${n}`, 'tasks/get', { taskId });
        if (task['status'] === wanted) return task;
      }
    };
    const { inputRequests } = await once('input_required');
    const [[key, question] = []] = Object.entries(inputRequests as Record<string, { method: string }>);
    expect(question?.method).to.equal('elicitation/create');
    const inputResponses = { [key!]: { action: 'accept', content: { name: 'Ada' } } };
    await ask('u', 'tasks/update', { taskId, inputResponses });
    const { result } = await once('completed');
    expect(JSON.stringify(result)).to.contain('Ada').and.not.to.contain('related-task');
    await proxy.stop();
  });
});
