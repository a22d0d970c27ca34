import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { expect } from 'chai';
import { z } from 'zod';
import { mcpConnect, ProxyProcess, type Message } from './proxy-process.js';
import {
  fixture,
  localProgram,
  serveFeaturesOverHttp,
  serveFeaturesOverSocket,
  type HttpPeer,
} from './servers.js';

/** Ends neither with its input nor with SIGTERM. */
const STUBBORN = fileURLToPath(new URL('../faults/stubborn.js', import.meta.url));

const WAYS = {
  'the end of its input': (proxy: ProxyProcess) => proxy.end(),
  SIGTERM: (proxy: ProxyProcess) => proxy.signal('SIGTERM'),
  SIGINT: (proxy: ProxyProcess) => proxy.signal('SIGINT'),
};

describe('stopping', () => {
  for (const [way, stop] of Object.entries(WAYS)) {
    it(`on ${way}, ends the session of an HTTP server and exits with 0`, async () => {
      const peer: HttpPeer = await serveFeaturesOverHttp();
      const proxy = new ProxyProcess(['proxy', ...peer.args]);
      await proxy.initialize();
      await proxy.request(1, 'tools/list');
      expect(await stop(proxy)).to.deep.equal({ code: 0, signal: null });
      const session = peer.requests.find(({ verb }) => verb === 'GET')?.headers['mcp-session-id'];
      const last = peer.requests.at(-1);
      expect([last?.verb, last?.headers['mcp-session-id']]).to.deep.equal(['DELETE', session]);
      await peer.close();
    });

    it(`on ${way}, stops the local server and exits with 0`, async () => {
      const proxy = new ProxyProcess(['proxy', ...localProgram(...fixture('feature-stdio')).args]);
      await proxy.initialize();
      const pid = Number(textOf(await proxy.request(1, 'tools/call', { name: 'pid' })));
      expect(isAlive(pid)).to.equal(true);
      expect(await stop(proxy)).to.deep.equal({ code: 0, signal: null });
      expect(isAlive(pid)).to.equal(false);
    });

    it(`on ${way}, leaves a socket and exits with 0`, async () => {
      const peer = await serveFeaturesOverSocket();
      const proxy = new ProxyProcess(['proxy', ...peer.args]);
      await proxy.initialize();
      expect(await stop(proxy)).to.deep.equal({ code: 0, signal: null });
      await peer.close();
    });
  }

  it('answers what was asked before the input ended', async () => {
    const peer = await serveFeaturesOverHttp();
    const proxy = new ProxyProcess(['proxy', ...peer.args]);
    await proxy.initialize();
    const call = proxy.request(1, 'tools/call', { name: 'echo', arguments: { text: 'last words' } });
    expect(await proxy.end()).to.deep.equal({ code: 0, signal: null });
    expect(textOf(await call)).to.equal('last words');
    await peer.close();
  });

  it('leaves no program behind that ignores it, although its client soon ends mcp-connect by force', async () => {
    const start = mcpConnect(['proxy', '--', process.execPath, STUBBORN]);
    const client = new Client({ name: 'impatient', version: '0' });
    await client.connect(new StdioClientTransport({ ...start, stderr: 'ignore' }));
    const { pid } = await client.request({ method: 'ping' }, z.looseObject({ pid: z.number() }));
    expect(isAlive(pid)).to.equal(true);
    // Two seconds to the end of its input, two more to SIGTERM; then it would be killed, and could stop nothing.
    await client.close();
    expect(isAlive(pid)).to.equal(false);
  });

  it('leaves no program behind that ignores it, although a third signal ends mcp-connect at once', async () => {
    const proxy = new ProxyProcess(['proxy', '--', process.execPath, STUBBORN]);
    await proxy.initialize();
    const pid = Number((await proxy.request(1, 'ping')).result?.['pid']);
    expect(isAlive(pid)).to.equal(true);
    void proxy.signal('SIGTERM');
    void proxy.signal('SIGINT');
    expect(await proxy.signal('SIGHUP')).to.deep.equal({ code: 0, signal: null });
    // Its end is the system's to tell, now that nobody is left who started it.
    while (isAlive(pid)) await pause(10);
  });

  const silent = [
    '--',
    process.execPath,
    '-e',
    'console.error(`pid ${process.pid}.`); setInterval(() => {}, 9)',
  ];
  const pidIn = async (run: ProxyProcess): Promise<number> => {
    await run.log(/pid \d+\./);
    return Number(/pid (\d+)\./.exec(run.stderr)![1]);
  };

  it('leaves no program behind that a check has found wanting', async () => {
    const run = new ProxyProcess(['test', '--timeout', '1', ...silent]);
    const pid = await pidIn(run);
    expect(await run.exit).to.deep.equal({ code: 1, signal: null });
    expect(isAlive(pid)).to.equal(false);
  });

  it('leaves no program behind when a check is broken off', async () => {
    const run = new ProxyProcess(['test', ...silent]);
    const pid = await pidIn(run);
    expect(await run.signal('SIGINT')).to.deep.equal({ code: 130, signal: null });
    expect(isAlive(pid)).to.equal(false);
  });

  it('before anything was asked, exits with 0 and writes nothing', async () => {
    const peer = await serveFeaturesOverHttp();
    const proxy = new ProxyProcess(['proxy', ...peer.args]);
    expect(await proxy.end()).to.deep.equal({ code: 0, signal: null });
    expect(proxy.lines).to.deep.equal([]);
    await peer.close();
  });
});

describe('stdout', () => {
  it('carries messages only, whatever a local server prints and however much is logged', async () => {
    const proxy = new ProxyProcess(['proxy', '--debug', '--', ...fixture('raw-stdio')]);
    const answer = '{"jsonrpc":"2.0","id":1,"result":{}}';
    proxy.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x/y', params: { say: [answer] } }));
    await proxy.line((line) => line === answer);
    proxy.write('this is no message');
    const refusal = await proxy.message(({ error }) => error !== undefined);
    expect([refusal.id, refusal.error?.code]).to.deep.equal([null, -32_700]);
    await proxy.end();
    for (const line of proxy.lines) expect(JSON.parse(line)).to.include({ jsonrpc: '2.0' });
    expect(proxy.stderr).to.not.equal('');
  });

  it('stays apart from stderr, which a local server may use freely', async () => {
    const proxy = new ProxyProcess(['proxy', '--', ...fixture('feature-stdio', '--greet')]);
    await proxy.initialize();
    await proxy.log(/feature server is ready/);
    await proxy.end();
    expect(proxy.lines).to.have.length(1);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // One that has ended may wait for its burial.
  const status = `/proc/${pid}/status`;
  return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
}

function textOf({ result }: Message): string | undefined {
  return (result?.['content'] as { text: string }[] | undefined)?.[0]?.text;
}
