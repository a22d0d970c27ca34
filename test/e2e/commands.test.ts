import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ProxyProcess } from './proxy-process.js';
import {
  fixture,
  freePort,
  serveFeaturesOverHttp,
  serveFeaturesOverSocket,
  serveRawOverTcp,
  type HttpPeer,
} from './servers.js';

/** Runs a command line until the handshake is done, and returns how the client saw the server. */
async function handshake(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const proxy = new ProxyProcess(args, env);
  const { result, error } = await proxy.initialize();
  await proxy.request(1, 'ping');
  expect(await proxy.end(), proxy.stderr).to.deep.equal({ code: 0, signal: null });
  return result?.['serverInfo'] ?? error;
}

const FEATURES = { name: 'feature-server', version: '1.0.0' };

describe('the ways to a server, and to sign in there', () => {
  let server: HttpPeer;
  let folder: string;

  before(async () => {
    server = await serveFeaturesOverHttp();
    folder = await mkdtemp(path.join(tmpdir(), 'mcp-connect-'));
  });

  after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  /** Runs `proxy` with what the manual shows, and returns the headers of all that it sent. */
  async function headersOf(
    flags: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<HttpPeer['requests'][number]['headers'][]> {
    const before = server.requests.length;
    expect(await handshake(['proxy', '--endpoint', server.url, ...flags], env)).to.deep.equal(FEATURES);
    const sent = server.requests.slice(before);
    expect(new Set(sent.map(({ verb }) => verb))).to.deep.equal(new Set(['POST', 'GET', 'DELETE']));
    return sent.map(({ headers }) => headers);
  }

  it("headers of one's own, given several times", async () => {
    const flags = ['--headers', 'X-One: 1', '--headers', 'X-Two: 2'];
    for (const headers of await headersOf(flags)) expect(headers).to.include({ 'x-one': '1', 'x-two': '2' });
  });

  it("a header as editors' settings write it: in quotes, with a variable", async () => {
    const flags = ['--headers', '"Authorization: Bearer ${PAT_CONTEXT7}"'];
    for (const headers of await headersOf(flags, { PAT_CONTEXT7: 'ctx7sk-secret' }))
      expect(headers.authorization).to.equal('Bearer ctx7sk-secret');
  });

  it('several headers in quotes of their own, from the environment', async () => {
    for (const headers of await headersOf([], {
      MCP_CONNECT_HEADERS: '"X-One: ${ONE}","X-Two: 2, 3"',
      ONE: '1',
    }))
      expect(headers).to.include({ 'x-one': '1', 'x-two': '2, 3' });
  });

  it('a file of headers, and an API key in a header of its own', async () => {
    const file = path.join(folder, 'headers');
    await writeFile(file, '# ours\nX-One: ${ONE}\n');
    const flags = ['--headers-file', file, '--api-key', '${KEY}', '--api-key-header', 'X-Goog-Api-Key'];
    for (const headers of await headersOf(flags, { ONE: '1', KEY: 'k3y' }))
      expect(headers)
        .to.include({ 'x-one': '1', 'x-goog-api-key': 'k3y' })
        .and.not.have.property('x-api-key');
  });

  it('a token from a file', async () => {
    const file = path.join(folder, 'token');
    await writeFile(file, 'file-secret\n');
    for (const headers of await headersOf(['--auth-token-file', file]))
      expect(headers.authorization).to.equal('Bearer file-secret');
  });

  it('a token from a command', async () => {
    const command = `"${process.execPath}" -p "'printed-' + process.env.MCPC_TEST_END"`;
    for (const headers of await headersOf(['--auth-token-command', command], { MCPC_TEST_END: 'secret' }))
      expect(headers.authorization).to.equal('Bearer printed-secret');
  });

  it('a token from a command that is still thinking when we end, and ends with us', async () => {
    const waiting = createServer();
    waiting.listen(0, '127.0.0.1');
    await once(waiting, 'listening');
    const { port } = waiting.address() as AddressInfo;
    const thinking = `require('net').connect(${port}, '127.0.0.1').resume()`;
    const command = `"${process.execPath}" -e "${thinking}"`;
    const proxy = new ProxyProcess(['proxy', '--endpoint', server.url, '--auth-token-command', command]);
    proxy.write('{"jsonrpc":"2.0","id":1,"method":"ping"}');
    const [socket] = (await once(waiting, 'connection')) as [Socket];
    const gone = once(socket.on('error', () => undefined).resume(), 'close');
    expect(await proxy.end()).to.deep.equal({ code: 0, signal: null });
    expect(proxy.lines).to.have.length(1);
    await gone;
    waiting.close();
  });

  it("a user agent of one's own", async () => {
    for (const headers of await headersOf(['--user-agent', 'my-editor/2.0']))
      expect(headers['user-agent']).to.equal('my-editor/2.0');
  });

  it('no secret is ever logged', async () => {
    const secrets = [
      '--auth-token',
      'tok-secret',
      '--api-key',
      'key-secret',
      '--headers',
      'X-Custom:head-secret',
    ];
    const proxy = new ProxyProcess(['proxy', '--endpoint', server.url, ...secrets, '--log-level', 'trace']);
    await proxy.initialize();
    await proxy.end();
    expect(proxy.stderr).to.not.match(/(tok|key|head)-secret/);
  });

  it('a transport named beside the endpoint', async () => {
    const [, endpoint = ''] = (await withSocket()).args;
    expect(
      await handshake(['proxy', '--endpoint', endpoint.replace('tcp://', ''), '--transport', 'tcp']),
    ).to.deep.equal(FEATURES);
    const command = fixture('feature-stdio').join(' ');
    expect(await handshake(['proxy', '--endpoint', command, '--transport', 'stdio'])).to.deep.equal(FEATURES);
  });

  const sockets: { close(): Promise<void> }[] = [];
  after(() => Promise.all(sockets.map((socket) => socket.close())));

  async function withSocket(): Promise<Awaited<ReturnType<typeof serveFeaturesOverSocket>>> {
    const socket = await serveFeaturesOverSocket();
    sockets.push(socket);
    return socket;
  }

  it('a dead HTTP server with a fallback that is a full endpoint', async () => {
    const dead = `http://127.0.0.1:${await freePort()}/mcp`;
    const [, endpoint = ''] = (await withSocket()).args;
    expect(await handshake(['proxy', '--endpoint', dead, '--fallbacks', endpoint])).to.deep.equal(FEATURES);
  });

  it('a server that speaks no HTTP but TCP, at the same port, with "stdio,tcp"', async () => {
    const socket = await serveRawOverTcp();
    sockets.push(socket);
    const http = socket.args[1]!.replace('tcp:', 'http:');
    const proxy = new ProxyProcess(['proxy', '--endpoint', `${http}/mcp`, '--fallbacks', 'stdio,tcp']);
    const answer = '{"jsonrpc":"2.0","id":1,"result":{"by":"tcp"}}';
    proxy.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { say: [answer] } }));
    await proxy.line((line) => line === answer);
    await proxy.end();
  });
});

describe('mistakes on the command line', () => {
  const MISTAKES: Readonly<Record<string, readonly [names: RegExp, ...args: string[]]>> = {
    'no endpoint': [/--endpoint/],
    'an endpoint that is no address': [/--endpoint|endpoint/, '--endpoint', 'http://'],
    'a port out of range': [/port/, '--endpoint', 'tcp://127.0.0.1:70000'],
    'an unknown transport': [/transport/, '--endpoint', 'pigeon://roof', '--transport', 'pigeon'],
    'an unknown flag, with a suggestion': [/--endpoint/, '--endpont', 'http://127.0.0.1:1/mcp'],
    'a header without a colon': [/header/, '--endpoint', 'http://127.0.0.1:1/mcp', '--headers', 'broken'],
    'an unset variable in a header': [
      /MCPC_TEST_UNSET/,
      '--endpoint',
      'http://127.0.0.1:1/mcp',
      '--headers',
      'X-Key: ${MCPC_TEST_UNSET}',
    ],
    'a CA file that is not there': [/--ca/, '--endpoint', 'https://127.0.0.1:1/mcp', '--ca', '/no/such.pem'],
    'a command that is not there': [/no-such-command-here/, '--', 'no-such-command-here'],
  };
  for (const [title, [names, ...args]] of Object.entries(MISTAKES)) {
    it(`${title}: one line that names it, exit code 2, nothing on stdout`, async () => {
      const proxy = new ProxyProcess(['proxy', ...args]);
      expect(await proxy.exit).to.deep.equal({ code: 2, signal: null });
      expect(proxy.lines).to.deep.equal([]);
      expect(proxy.stderr.trimEnd().split('\n')).to.have.length(1);
      expect(proxy.stderr).to.match(names);
    });
  }
});
