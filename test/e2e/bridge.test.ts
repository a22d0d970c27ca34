import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  cut,
  hang,
  inTurn,
  reply,
  replyError,
  replySse,
  scriptedHttp,
  scriptedTcp,
  status,
  type Script,
  type ScriptedServer,
} from '@mcp-connect/testing';
import { expect } from 'chai';
import { ProxyProcess } from './proxy-process.js';
import { serveModernOverHttp, type ModernPeer } from './servers.js';

const MODERN = '2026-07-28';
const PATIENT = ['--retry-attempts', '1', '--timeout', '2'];

/** The `_meta` of a modern request. */
const _meta = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'raw-client', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A server that knows no session. */
const modernOnly: Script = inTurn('initialize', status(400, { body: unsupported() }));

/** A server that knows nothing but sessions. */
const legacyOnly: Script = inTurn('server/discover', replyError(-32_601));

function proxyTo({ endpoint: { scheme, address } }: ScriptedServer): string[] {
  return ['proxy', '--endpoint', `${scheme}://${address}`];
}

function unsupported(): string {
  const error = { code: -32_022, message: 'Unsupported protocol version', data: { supported: [MODERN] } };
  return JSON.stringify({ jsonrpc: '2.0', id: 'init', error });
}

describe('the era of a server', () => {
  let server: ScriptedServer;
  let proxy: ProxyProcess;

  const start = async (opened: Promise<ScriptedServer>, ...args: readonly string[]): Promise<void> => {
    server = await opened;
    proxy = new ProxyProcess([...proxyTo(server), ...PATIENT, ...args]);
  };
  const methods = (): unknown[] => server.messages.map(({ method }) => method);

  afterEach(async () => {
    await proxy.stop();
    await server.close();
  });

  for (const code of [401, 403, 408, 429, 500, 503]) {
    it(`does not show in the status ${code}, whatever the client speaks`, async () => {
      await start(scriptedHttp(() => status(code)));
      expect((await proxy.initialize()).error).to.have.nested.property('data.source', 'mcp-connect');
      const answer = await proxy.request(1, 'server/discover', { _meta });
      expect(answer.error).to.have.nested.property('data.source', 'mcp-connect');
      const openers = methods().filter((method) => method !== 'notifications/initialized');
      expect(openers.slice(0, openers.lastIndexOf('initialize') + 1)).to.not.include('server/discover');
      expect(openers.slice(openers.indexOf('server/discover'))).to.not.include('initialize');
    });
  }

  for (const code of [400, 404, 405]) {
    it(`is looked for when initialize meets the status ${code} and nothing more`, async () => {
      await start(scriptedHttp(inTurn('initialize', status(code))));
      expect((await proxy.initialize()).result).to.have.property('protocolVersion', '2025-11-25');
      expect((await proxy.request(1, 'tools/call', { name: 'a' })).result).to.deep.equal({});
    });

    it(`is looked for when discover meets the status ${code} and nothing more`, async () => {
      await start(scriptedHttp(inTurn('server/discover', status(code))));
      const { result } = await proxy.request(1, 'server/discover', { _meta });
      expect(result).to.have.property('supportedVersions').that.deep.equals([MODERN]);
      expect(methods().slice(0, 2)).to.deep.equal(['server/discover', 'initialize']);
    });
  }

  it('is asked for before anything that a server of another era could misunderstand', async () => {
    await start(scriptedTcp(() => undefined));
    await proxy.request(1, 'tools/call', { name: 'a', _meta });
    expect(methods()).to.deep.equal(['server/discover', 'tools/call']);
  });

  it('shows in a server that hangs up at the question, which is not asked again', async () => {
    await start(scriptedTcp(inTurn('server/discover', cut())));
    const answer = await proxy.request(1, 'tools/call', { name: 'a', _meta });
    expect(answer.result).to.have.property('resultType', 'complete');
    expect(methods()).to.deep.equal([
      'server/discover',
      'initialize',
      'notifications/initialized',
      'tools/call',
    ]);
  });

  it('leaves the refusal of a server alone that is not modern either', async () => {
    const neither: Script = (request) =>
      request.method === 'initialize' ? replyError(-32_602, 'no') : legacyOnly(request);
    await start(scriptedTcp(neither));
    expect((await proxy.initialize()).error).to.deep.include({ code: -32_602, message: 'no' });
  });

  for (const [script, refused] of [
    [modernOnly, 'initialize'],
    [legacyOnly, 'server/discover'],
  ] as const) {
    it(`is known to the next run, which spares the server ${refused}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'mcp-connect-'));
      try {
        await start(scriptedHttp(script));
        await proxy.stop();
        for (const run of ['first', 'second']) {
          proxy = new ProxyProcess(proxyTo(server), { MCP_CONNECT_STATE_DIR: folder });
          if (refused === 'initialize') await proxy.initialize();
          else await proxy.request(1, refused, { _meta });
          await proxy.end();
          expect(
            methods().filter((method) => method === refused),
            run,
          ).to.have.length(1);
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }

  it('that a client of another one meets is told to it with --era refuse', async () => {
    await start(scriptedTcp(legacyOnly), '--era', 'refuse');
    const { error } = await proxy.request(1, 'server/discover', { _meta });
    expect(error).to.deep.include({ code: -32_022 });
    expect(error?.data).to.have.property('supported').that.includes('2025-11-25');
    expect((await proxy.initialize()).result).to.have.property('protocolVersion', '2025-11-25');
  });

  it('is nobody’s business with --era pass', async () => {
    await start(scriptedHttp(modernOnly), '--era', 'pass');
    await proxy.initialize();
    expect(methods()).to.not.include('server/discover');
  });
});

describe('a client behind stdio, with a modern server that wants arguments in headers', () => {
  let peer: ModernPeer;
  let proxy: ProxyProcess;

  beforeEach(async () => {
    peer = await serveModernOverHttp();
    proxy = new ProxyProcess(['proxy', ...peer.args]);
  });

  afterEach(async () => {
    await proxy.stop();
    await peer.close();
  });

  const CONTENT = [{ type: 'text', text: 'you are in zürich' }];
  const ENCODED = `=?base64?${Buffer.from('zürich').toString('base64')}?=`;
  /** What each call of the tool had in the header. */
  const mirrored = (): unknown[] =>
    peer.requests
      .filter(({ headers }) => headers['mcp-name'] === 'locate')
      .map(({ headers }) => headers['mcp-param-region']);

  for (const [era, meta] of [
    ['legacy', {}],
    ['modern', { _meta }],
  ] as const) {
    const list = async (): Promise<void> => void (await proxy.request('list', 'tools/list', meta));
    const locate = async (): Promise<unknown> => {
      const params = { name: 'locate', arguments: { region: 'zürich' }, ...meta };
      return (await proxy.request('call', 'tools/call', params)).result?.['content'];
    };

    it(`puts them there for a ${era} client, in Base64 where they fit no header`, async () => {
      if (era === 'legacy') await proxy.initialize();
      await list();
      expect(await locate()).to.deep.equal(CONTENT);
      expect(mirrored()).to.deep.equal([ENCODED]);
    });

    it(`finds out which, though a ${era} client has not asked for the tools`, async () => {
      if (era === 'legacy') await proxy.initialize();
      expect(await locate()).to.deep.equal(CONTENT);
      expect(mirrored()).to.deep.equal([undefined, ENCODED]);
    });
  }
});

describe('a call whose headers a modern server finds wrong', () => {
  it('is alive for as long as its second attempt is', async () => {
    const mismatch = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32_020, message: 'no header' },
    });
    const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } };
    const discovered = { resultType: 'complete', supportedVersions: [MODERN], capabilities: { tools: {} } };
    const calls = inTurn(
      'tools/call',
      status(400, { body: mismatch }),
      replySse(
        { resultType: 'complete', content: [] },
        { before: [progress, progress, progress, progress], pause: 300 },
      ),
    );
    const server = await scriptedHttp((request) =>
      request.method === 'server/discover' ? reply(discovered) : calls(request),
    );
    const proxy = new ProxyProcess([...proxyTo(server), '--request-timeout', '1']);
    const { result } = await proxy.request(1, 'tools/call', { name: 'pay', _meta });
    expect(result?.['content']).to.deep.equal([]);
    await proxy.stop();
    await server.close();
  });
});

describe('a legacy client, with a modern server that is in trouble', () => {
  const FORM = {
    method: 'elicitation/create',
    params: { message: 'Who?', requestedSchema: { type: 'object' } },
  };
  const ASKS = { resultType: 'input_required', inputRequests: { who: FORM }, requestState: 's' };
  const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
  const capabilities = { tools: { listChanged: true } };

  let server: ScriptedServer;
  let proxy: ProxyProcess;

  /** Starts a modern server that does as the script says, and a client that can be asked. */
  async function start(script: Script): Promise<void> {
    server = await scriptedHttp((request) => {
      if (request.method === 'server/discover')
        return reply({ resultType: 'complete', supportedVersions: [MODERN], capabilities });
      return modernOnly(request) ?? script(request);
    });
    proxy = new ProxyProcess([...proxyTo(server), '--retry-delay', '100']);
    const clientInfo = { name: 'raw-client', version: '1.0.0' };
    const able = { elicitation: {} };
    await proxy.request('init', 'initialize', {
      protocolVersion: '2025-11-25',
      capabilities: able,
      clientInfo,
    });
  }

  const call = (id: number): void =>
    proxy.write(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'a' } }));
  const answerOf = (id: number): ReturnType<ProxyProcess['message']> =>
    proxy.message((message) => message.id === id && message.method === undefined);
  const question = async (): Promise<unknown> =>
    (await proxy.message(({ method }) => method === 'elicitation/create')).id;
  const accept = (id: unknown): void =>
    proxy.write(JSON.stringify({ jsonrpc: '2.0', id, result: { action: 'accept', content: {} } }));

  afterEach(async () => {
    await proxy.stop();
    await server.close();
  });

  it('asks the user once, though the server is down for a while when the answer comes', async () => {
    await start(inTurn('tools/call', reply(ASKS), reply({ resultType: 'complete', content: [] })));
    call(1);
    const asked = await question();
    await server.stop();
    accept(asked);
    await server.start();
    expect((await answerOf(1)).result).to.deep.equal({ content: [] });
    expect(proxy.lines.filter((line) => line.includes('elicitation/create'))).to.have.length(1);
  });

  it('has a call carried out once, though the answer to its last round is lost', async () => {
    await start(inTurn('tools/call', reply(ASKS), cut()));
    call(1);
    accept(await question());
    const { error } = await answerOf(1);
    expect(error?.data).to.deep.include({ code: 'MCPC_OUTCOME_UNKNOWN', executed: 'unknown' });
    expect(server.executions('tools/call')).to.equal(2);
  });

  it('has its news again, and looks for what it missed, when the server comes back', async () => {
    const stream = ({ id }: { id?: unknown }): object => {
      const subscription = { 'io.modelcontextprotocol/subscriptionId': id };
      const params = { notifications: { toolsListChanged: true }, _meta: subscription };
      return { jsonrpc: '2.0', method: ACKNOWLEDGED, params };
    };
    await start((request) => {
      if (request.method !== 'subscriptions/listen') return undefined;
      // The answer is as good as never: it comes an hour later.
      return replySse({}, { before: [stream(request)], pause: 3_600_000 });
    });
    proxy.write('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    await server.received(1, 'subscriptions/listen');
    await server.stop();
    await server.start();
    await proxy.message(({ method }) => method === 'notifications/tools/list_changed');
    expect(server.executions('subscriptions/listen')).to.equal(2);
    expect(server.executions('initialize')).to.equal(0);
  });

  it('stops the work of the server when the user takes the call back', async () => {
    await start(inTurn('tools/call', hang()));
    call(1);
    await server.received(1, 'tools/call');
    proxy.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}');
    await server.until(() => server.abandoned('tools/call') === 1);
    await proxy.end();
    expect(proxy.lines.some((line) => (JSON.parse(line) as { id?: unknown }).id === 1)).to.equal(false);
  });
});
