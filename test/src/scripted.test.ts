import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { expect } from 'chai';
import {
  cut,
  end,
  hang,
  inTurn,
  poll,
  raw,
  reply,
  replyError,
  replySse,
  scriptedHttp,
  scriptedStdio,
  scriptedTcp,
  status,
  type Script,
  type ScriptedServer,
} from './index.js';

const CALL = '{"jsonrpc":"2.0","id":"","method":"tools/call"}';

async function withServer(
  start: (script: Script) => Promise<ScriptedServer>,
  script: Script,
  run: (server: ScriptedServer) => Promise<void>,
): Promise<void> {
  const server = await start(script);
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

/** Connects to a scripted server over TCP. */
function socketTo({ endpoint }: ScriptedServer): Socket {
  return connect(Number(endpoint.url!.port), '127.0.0.1');
}

function post(
  { endpoint }: ScriptedServer,
  headers: Record<string, string> = {},
  body = CALL,
): Promise<Response> {
  return fetch(endpoint.url!, { method: 'POST', headers, body });
}

/** Reads a stream chunk by chunk. */
function readers({ body }: Response): () => Promise<string> {
  const reader = body!.getReader();
  return async () => Buffer.from((await reader.read()).value ?? []).toString();
}

/** Writes lines, and returns all that comes back until the connection ends. */
async function exchange(input: Readable, output: Writable, lines: readonly string[]): Promise<string> {
  const chunks: Buffer[] = [];
  input.on('data', (chunk: Buffer) => void chunks.push(chunk));
  for (const line of lines) output.write(`${line}\n`);
  await once(input, 'close');
  return Buffer.concat(chunks).toString();
}

describe('a scripted server', () => {
  const outcomes = [
    reply({ n: 1 }, { before: [{ method: 'notifications/x' }], times: 2 }),
    replyError(-32_001),
    raw('no JSON\n'),
    end(),
  ];
  const expected = [
    '{"jsonrpc":"2.0","method":"notifications/x"}',
    '{"jsonrpc":"2.0","id":"","result":{"n":1}}',
    '{"jsonrpc":"2.0","id":"","result":{"n":1}}',
    '{"jsonrpc":"2.0","id":"","error":{"code":-32001,"message":"scripted"}}',
    'no JSON',
    '',
  ].join('\n');

  it('over TCP plays its outcomes in turn and counts what it carried out', async () => {
    await withServer(scriptedTcp, inTurn('tools/call', ...outcomes), async (server) => {
      const socket = connect(Number(server.endpoint.url!.port), '127.0.0.1');
      expect(await exchange(socket, socket, [CALL, CALL, CALL, CALL])).to.equal(expected);
      expect(server.executions('tools/call')).to.equal(4);
      expect(server.messages).to.have.length(4);
    });
  });

  it('over stdio does the same, and its program ends with it', async () => {
    await withServer(scriptedStdio, inTurn('tools/call', ...outcomes), async (server) => {
      const [command, ...words] = server.endpoint.argv!;
      const child = spawn(command!, words, { stdio: ['pipe', 'pipe', 'inherit'] });
      const exit = once(child, 'exit');
      expect(await exchange(child.stdout, child.stdin, [CALL, CALL, CALL, CALL])).to.equal(expected);
      expect(await exit).to.deep.equal([0, null]);
      expect(server.executions('tools/call')).to.equal(4);
    });
  });

  it('over stdio lets its program crash when it is cut', async () => {
    await withServer(scriptedStdio, inTurn('tools/call', cut()), async (server) => {
      const [command, ...words] = server.endpoint.argv!;
      const child = spawn(command!, words, { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdin.write(`${CALL}\n`);
      expect(await once(child, 'exit')).to.deep.equal([1, null]);
    });
  });

  it('over HTTP answers with JSON, events or a status, and counts no refusal', async () => {
    const script = inTurn(
      'tools/call',
      status(429, { headers: { 'retry-after': '1' } }),
      status(502, { body: 'bad' }),
      reply({}, { pretty: true }),
      replySse({}, { before: [{ method: 'notifications/x' }], ids: true }),
    );
    await withServer(scriptedHttp, script, async (server) => {
      const limited = await post(server);
      expect([limited.status, limited.headers.get('retry-after')]).to.deep.equal([429, '1']);
      expect(await (await post(server)).text()).to.equal('bad');
      expect(await (await post(server)).json()).to.deep.equal({ jsonrpc: '2.0', id: '', result: {} });
      expect(await (await post(server)).text()).to.equal(
        'id: -0\ndata: {"jsonrpc":"2.0","method":"notifications/x"}\n\n' +
          'id: -1\ndata: {"jsonrpc":"2.0","id":"","result":{}}\n\n',
      );
      expect(server.executions('tools/call')).to.equal(3);
      expect(server.messages).to.have.length(4);
    });
  });

  it('over HTTP breaks off before and behind the first bytes', async () => {
    await withServer(scriptedHttp, inTurn('tools/call', cut(), cut('data: {"json')), async (server) => {
      const failed = async (): Promise<boolean> =>
        fetch(server.endpoint.url!, { method: 'POST', body: CALL })
          .then((response) => response.text())
          .then(
            () => false,
            () => true,
          );
      expect([await failed(), await failed()]).to.deep.equal([true, true]);
      expect(server.executions('tools/call')).to.equal(2);
    });
  });

  it('greets every connection, and says more behind its answer', async () => {
    const script = inTurn('tools/call', reply({}, { after: [{ method: 'notifications/x' }] }), end());
    const server = await scriptedTcp(script, { greeting: 'hello\n' });
    const socket = socketTo(server);
    expect(await exchange(socket, socket, [CALL, CALL])).to.equal(
      'hello\n{"jsonrpc":"2.0","id":"","result":{}}\n{"jsonrpc":"2.0","method":"notifications/x"}\n',
    );
    await server.close();
  });

  it('writes an answer in small pieces', async () => {
    await withServer(scriptedTcp, inTurn('tools/call', reply({}, { chunk: 10 })), async (server) => {
      const socket = socketTo(server);
      const sizes: number[] = [];
      socket.on('data', ({ length }: Buffer) => void sizes.push(length));
      socket.write(`${CALL}\n`);
      await once(socket, 'data');
      expect(sizes[0]).to.equal(10);
      socket.destroy();
    });
  });

  it('draws messages no faster than they are taken', async () => {
    let drawn = 0;
    function* flood(): Generator<object> {
      for (;;) yield { method: 'notifications/x', params: { n: drawn++, pad: 'x'.repeat(10_000) } };
    }
    await withServer(scriptedTcp, inTurn('tools/call', reply({}, { before: flood() })), async (server) => {
      const socket = socketTo(server);
      socket.write(`${CALL}\n`);
      await server.received(1);
      // Endless, this would never return if nothing held it back.
      expect(drawn).to.be.greaterThan(0);
      socket.destroy();
    });
  });

  it('breaks off in the middle of an answer', async () => {
    const script = inTurn('tools/call', reply({ n: 1 }, { broken: true }));
    await withServer(scriptedTcp, script, async (server) => {
      const socket = socketTo(server);
      const said = await exchange(socket, socket, [CALL]);
      expect('{"jsonrpc":"2.0","id":"","result":{"n":1}}\n'.startsWith(said)).to.equal(true);
      expect(said).to.have.length.within(1, 30);
    });
  });

  it('over HTTP goes on with a stream that was cut, for who names its last event', async () => {
    const before = [{ method: 'notifications/x' }];
    const script = inTurn('tools/call', replySse({}, { before, ids: true, broken: true }));
    await withServer(scriptedHttp, script, async (server) => {
      const body = await post(server).then(async (response) => response.text().catch(() => 'cut'));
      expect(body).to.equal('cut');
      const headers = { 'last-event-id': '-0' };
      const rest = await fetch(server.endpoint.url!, { headers });
      expect(await rest.text()).to.equal('id: -0-0\ndata: {"jsonrpc":"2.0","id":"","result":{}}\n\n');
    });
  });

  it('over HTTP names sessions, and knows none any more once it has been away', async () => {
    const server = await scriptedHttp(() => undefined, { sessions: true });
    const initialize = CALL.replace('tools/call', 'initialize');
    const session = (await post(server, {}, initialize)).headers.get('mcp-session-id')!;
    const headers = { 'mcp-session-id': session };
    expect((await post(server, headers)).status).to.equal(200);
    await server.stop();
    const refused = await post(server, headers).catch(() => 'refused');
    expect(refused).to.equal('refused');
    await server.start();
    expect((await post(server, headers)).status).to.equal(404);
    expect(server.executions('tools/call')).to.equal(1);
    await server.close();
  });

  it('over HTTP has an answer asked for as often as it is told, and says how long that took', async () => {
    await withServer(scriptedHttp, inTurn('tools/call', poll(2, 10)), async (server) => {
      const streams = [await post(server).then((response) => response.text())];
      for (const last of ['poll-+', 'poll-++']) {
        const headers = { 'last-event-id': last };
        streams.push(await fetch(server.endpoint.url!, { headers }).then((response) => response.text()));
      }
      expect(streams.slice(0, 2)).to.deep.equal(
        ['poll-+', 'poll-++'].map((id) => `id: ${id}\nretry: 10\ndata: \n\n`),
      );
      const { id, result } = JSON.parse(streams[2]!.slice('data: '.length)) as { id: string; result: object };
      expect(id).to.equal('');
      expect(result).to.have.property('waits').with.lengthOf(2);
      expect(server.executions('tools/call')).to.equal(1);
    });
  });

  it('over HTTP says something by itself on streams of news, until it is cut', async () => {
    const server = await scriptedHttp(() => undefined, { news: true });
    const listening = CALL.replace('tools/call', 'subscriptions/listen');
    const streams = [await fetch(server.endpoint.url!), await post(server, {}, listening)];
    const texts = streams.map((stream) => readers(stream));
    expect(await texts[1]!()).to.include('notifications/subscriptions/acknowledged');
    expect(server.listeners).to.equal(2);
    server.announce({ method: 'x' });
    for (const text of texts) expect(await text()).to.equal('data: {"jsonrpc":"2.0","method":"x"}\n\n');
    expect(server.executions('GET')).to.equal(1);
    server.cut();
    for (const text of texts) expect(await text().catch(() => 'cut')).to.equal('cut');
    await server.close();
  });

  it('over TCP says something by itself on every connection', async () => {
    await withServer(
      scriptedTcp,
      () => undefined,
      async (server) => {
        const socket = socketTo(server);
        socket.write(`${CALL.replace('tools/call', 'subscriptions/listen')}\n`);
        expect(String((await once(socket, 'data'))[0])).to.include('acknowledged');
        expect(server.listeners).to.equal(1);
        server.announce({ method: 'x' });
        expect(String((await once(socket, 'data'))[0])).to.equal('{"jsonrpc":"2.0","method":"x"}\n');
      },
    );
  });

  it('over HTTP ends sessions that it knows', async () => {
    const server = await scriptedHttp(() => undefined, { sessions: true });
    const initialize = CALL.replace('tools/call', 'initialize');
    const session = (await post(server, {}, initialize)).headers.get('mcp-session-id')!;
    const ending = { method: 'DELETE', headers: { 'mcp-session-id': session } };
    expect((await fetch(server.endpoint.url!, ending)).status).to.equal(200);
    expect((await fetch(server.endpoint.url!, ending)).status).to.equal(404);
    expect(server.executions('DELETE')).to.equal(1);
    await server.close();
  });

  it('turns connections away until it starts again', async () => {
    await withServer(scriptedTcp, inTurn('tools/call', end()), async (server) => {
      server.turnAway();
      const turned = socketTo(server);
      expect(await exchange(turned, turned, [])).to.equal('');
      await server.start();
      const taken = socketTo(server);
      await exchange(taken, taken, [CALL]);
      expect(server.executions('tools/call')).to.equal(1);
    });
  });

  it('over HTTP counts requests that their client gives up', async () => {
    await withServer(scriptedHttp, inTurn('tools/call', hang()), async (server) => {
      const abort = new AbortController();
      const given = fetch(server.endpoint.url!, { method: 'POST', body: CALL, signal: abort.signal });
      given.catch(() => undefined);
      await server.received(1);
      abort.abort();
      await server.until(() => server.abandoned('tools/call') === 1);
      server.cut();
      expect(server.abandoned('tools/call')).to.equal(1);
    });
  });
});
