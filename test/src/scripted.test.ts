import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { expect } from 'chai';
import {
  cut,
  end,
  inTurn,
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
      const post = (): Promise<Response> => fetch(server.endpoint.url!, { method: 'POST', body: CALL });
      const limited = await post();
      expect([limited.status, limited.headers.get('retry-after')]).to.deep.equal([429, '1']);
      expect(await (await post()).text()).to.equal('bad');
      expect(await (await post()).json()).to.deep.equal({ jsonrpc: '2.0', id: '', result: {} });
      expect(await (await post()).text()).to.equal(
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
});
