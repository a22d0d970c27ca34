import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, request as httpsRequest } from 'node:https';
import {
  connect,
  createServer as createNetServer,
  type AddressInfo,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TlsOptions } from 'node:tls';
import { text } from 'node:stream/consumers';
import {
  agentFor,
  Connector,
  type ConnectorError,
  createLog,
  Envelope,
  parseEndpoint,
  type ErrorData,
  type JSONRPCMessage,
} from '@mcp-connect/core';
import http from '@mcp-connect/transport-http';
import { expect } from 'chai';
import { Server as ProxyServer } from 'proxy-chain';
import { generate } from 'selfsigned';
import { parsePlain, type Environment } from '../command-line/plain.js';
import { COMMON_FLAGS, type CommonValues } from '../flags/flags.js';
import { networkOf, type Network } from './network.js';

/** A name that only the proxies of these tests can look up. */
const NAME = 'mcp.test';

interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** Makes a private authority, or a certificate for the names of these tests signed by one. */
async function certify(ca?: Pair): Promise<Pair> {
  const made = await generate([{ name: 'commonName', value: ca ? NAME : 'A private authority' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...(ca && { ca }),
    extensions: ca
      ? [
          {
            name: 'subjectAltName',
            altNames: [
              { type: 2, value: NAME },
              { type: 7, ip: '127.0.0.1' },
            ],
          },
        ]
      : [
          { name: 'basicConstraints', cA: true, critical: true },
          { name: 'keyUsage', keyCertSign: true, critical: true },
        ],
  });
  return { cert: made.cert, key: made.private };
}

describe('the network', () => {
  let folder: string;
  let authority: Pair;
  let server: Pair;
  let caFile: string;
  const open: (() => unknown)[] = [];
  const logged: string[] = [];
  const log = createLog({
    level: 'debug',
    write: ({ level, text: line }) => logged.push(`${level} ${line}`),
  });

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'mcp-connect-'));
    authority = await certify();
    server = await certify(authority);
    caFile = path.join(folder, 'ca.pem');
    writeFileSync(caFile, authority.cert);
  });

  after(() => rmSync(folder, { recursive: true }));

  afterEach(async () => {
    for (const close of open.splice(0).toReversed()) await close();
    logged.length = 0;
  });

  // ── Servers ──────────────────────────────────────────────────────────────────────────────────────────────────

  async function listening(made: NetServer): Promise<number> {
    const sockets = new Set<Socket>();
    made.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
    made.listen(0, '127.0.0.1');
    await once(made, 'listening');
    open.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => made.close(resolve));
    });
    return (made.address() as AddressInfo).port;
  }

  /** Starts an MCP server that answers every request; returns its URL under a name that only the proxy knows. */
  async function mcpServer({
    secure = false,
    host = NAME,
  }: { secure?: boolean | TlsOptions; host?: string } = {}): Promise<{
    url: string;
    requests: IncomingMessage[];
  }> {
    const requests: IncomingMessage[] = [];
    const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      requests.push(request);
      const { id } = JSON.parse((await text(request)) || '{}') as { id?: number };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
    };
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      void serve(request, response);
    const port = await listening(
      secure === false
        ? createServer(listener)
        : createSecureServer({ ...server, ...(secure !== true && secure) }, listener),
    );
    return { url: `${secure ? 'https' : 'http'}://${host}:${port}/mcp`, requests };
  }

  /** Starts a real forward proxy, for those who know `user` where one is given. */
  async function forwardProxy({ user = '', secure = false } = {}): Promise<ProxyServer> {
    const proxy = new ProxyServer({
      port: 0,
      host: '127.0.0.1',
      ...(secure ? { serverType: 'https', httpsOptions: server } : { serverType: 'http' }),
      prepareRequestFunction: ({ username, password }) => ({
        requestAuthentication: user !== '' && `${username}:${password}` !== user,
        dnsLookup: ((_name: string, _options: object, done: (...found: unknown[]) => void) =>
          done(null, [{ address: '127.0.0.1', family: 4 }])) as never,
      }),
    });
    // A refused client is no news to these tests.
    proxy.on('requestFailed', () => undefined);
    await proxy.listen();
    open.push(() => proxy.close(true));
    return proxy;
  }

  /** Starts a SOCKS5 proxy for those who need no password (RFC 1928). It takes every name for this machine. */
  async function socksProxy(): Promise<{ port: number; names: string[] }> {
    const names: string[] = [];
    const serve = async (socket: Socket): Promise<void> => {
      await once(socket, 'data');
      socket.write(Buffer.from([5, 0]));
      const [request] = (await once(socket, 'data')) as [Buffer];
      const end = 5 + request[4]!;
      names.push(request.subarray(5, end).toString());
      const onward = connect(request.readUInt16BE(end), '127.0.0.1');
      await once(
        onward.on('error', () => undefined),
        'connect',
      );
      open.push(() => void onward.destroy());
      socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
      socket.pipe(onward).pipe(socket);
    };
    return { port: await listening(createNetServer((socket) => void serve(socket))), names };
  }

  /** Starts something that is no proxy and says `reply` to whoever connects; returns where. */
  async function pretender(onsocket: (socket: Socket) => void): Promise<string> {
    return `127.0.0.1:${await listening(createNetServer(onsocket))}`;
  }

  // ── Clients ──────────────────────────────────────────────────────────────────────────────────────────────────

  function network(
    args: readonly string[],
    env: Environment = {},
    endpoints: string[] = [],
  ): Promise<Network> {
    const values = parsePlain(args, COMMON_FLAGS, { env }) as CommonValues | undefined;
    if (values === undefined) throw new Error('the line is not plain');
    return networkOf(values, { env, log, endpoints: endpoints.map((url) => parseEndpoint(url)) });
  }

  /** Sends a request over the whole line; returns our error, if it came to one. */
  async function ask(
    url: string,
    settings: Network,
    times = 1,
  ): Promise<(ErrorData & { message: string }) | undefined> {
    const answers: JSONRPCMessage[] = [];
    const connector = new Connector({ log, settings: { ...settings, timeout: 1_000 } }).use(http);
    connector.endpoint(url);
    let answered: () => void;
    const pipeline = connector.connect({
      deliver: ({ message }) => {
        answers.push(message as JSONRPCMessage);
        answered();
      },
    });
    for (let id = 1; id <= times; id++) {
      const next = new Promise<void>((resolve) => (answered = resolve));
      void pipeline.accept(Envelope.of({ jsonrpc: '2.0', id, method: 'ping' }));
      await next;
    }
    await pipeline.close();
    const { error } = answers.at(-1) as { error?: { message: string; data: ErrorData } };
    return error && { ...error.data, message: error.message };
  }

  /** Makes one bare request with a pool of the settings; returns the error that it failed with. */
  async function failure(url: string, settings: Network): Promise<ConnectorError> {
    const target = new URL(url);
    const agent = await agentFor(settings, target);
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const failed = new Promise<ConnectorError>((resolve, reject) => {
      const outgoing = send(target, { agent });
      outgoing.on('error', resolve as (error: Error) => void);
      outgoing.on('response', ({ statusCode }) => reject(new Error(`it was answered with ${statusCode}`)));
      outgoing.end();
    });
    return failed.finally(() => agent.destroy());
  }

  // ── Through a proxy ──────────────────────────────────────────────────────────────────────────────────────────

  it('reaches http by way of HTTP_PROXY, which looks the name up', async () => {
    const [proxy, { url, requests }] = [await forwardProxy(), await mcpServer()];
    expect(await ask(url, await network([], { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` }))).to.equal(
      undefined,
    );
    expect(proxy.stats).to.include({ httpRequestCount: 1, connectRequestCount: 0 });
    expect(requests[0]!.headers.host).to.equal(new URL(url).host);
    expect(logged.join('\n')).to.include(`the proxy http://127.0.0.1:${proxy.port}`);
  });

  it('reaches https through a tunnel by way of HTTPS_PROXY, and uses it again', async () => {
    const [proxy, { url, requests }] = [await forwardProxy(), await mcpServer({ secure: true })];
    const settings = await network(['--ca', caFile], { https_proxy: `127.0.0.1:${proxy.port}` });
    expect(await ask(url, settings, 3)).to.equal(undefined);
    expect(proxy.stats).to.include({ httpRequestCount: 0, connectRequestCount: 1 });
    expect(requests).to.have.length(3);
    expect(requests[0]!.headers).not.to.have.property('proxy-authorization');
  });

  for (const secure of [false, true]) {
    const scheme = secure ? 'https' : 'http';
    it(`signs in at the proxy for ${scheme}, and keeps the password to itself`, async () => {
      const proxy = await forwardProxy({ user: 'us@er:pass-word' });
      const { url, requests } = await mcpServer({ secure });
      const given = `http://us%40er:pass-word@127.0.0.1:${proxy.port}`;
      expect(await ask(url, await network(['--ca', caFile, '--proxy', given]))).to.equal(undefined);
      expect(requests[0]!.headers).not.to.have.property('proxy-authorization');
      expect(logged.join('\n')).not.to.include('pass-word');
    });

    for (const [what, user] of [
      ['no password', ''],
      ['a wrong password', 'me:hunter2@'],
    ] as const) {
      it(`tells at once that the proxy wants another one than ${what} for ${scheme}`, async () => {
        const proxy = await forwardProxy({ user: 'me:secret' });
        const { url, requests } = await mcpServer({ secure });
        const env = { ALL_PROXY: `http://${user}127.0.0.1:${proxy.port}` };
        const error = await ask(url, await network(['--ca', caFile], env));
        expect(error).to.include({ code: 'MCPC_HTTP_STATUS', executed: 'no' });
        expect(error!.attempts).to.have.length(1);
        expect(error!.message).to.include(`http://127.0.0.1:${proxy.port}`).and.not.include('hunter2');
        expect(error!.hint).to.include('ALL_PROXY').and.not.include('hunter2');
        expect(requests).to.have.length(0);
      });
    }

    it(`reaches ${scheme} by way of a proxy that speaks TLS itself`, async () => {
      const [proxy, { url }] = [await forwardProxy({ secure: true }), await mcpServer({ secure })];
      const given = ['--proxy', `https://127.0.0.1:${proxy.port}`];
      expect(await ask(url, await network([...given, '--ca', caFile]))).to.equal(undefined);
      const error = await failure(url, await network(given));
      expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
      expect(error.message).to.include(`https://127.0.0.1:${proxy.port}`);
    });

    it(`names a proxy that is not there, for ${scheme}`, async () => {
      const gone = createNetServer();
      const port = await listening(gone);
      await new Promise((resolve) => gone.close(resolve));
      open.pop();
      const error = await failure(
        `${scheme}://${NAME}/mcp`,
        await network(['--proxy', `http://u:hunter2@127.0.0.1:${port}`]),
      );
      expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
      expect(error.message).to.include(`http://127.0.0.1:${port} `).and.not.include('hunter2');
      expect(error.hint).to.include('--proxy').and.include(`--no-proxy ${NAME}`);
    });
  }

  it('reaches http and https by way of a SOCKS proxy, which looks the name up', async () => {
    const proxy = await socksProxy();
    for (const secure of [false, true]) {
      const { url } = await mcpServer({ secure });
      const settings = await network(['--ca', caFile], { ALL_PROXY: `socks5h://127.0.0.1:${proxy.port}` });
      expect(await ask(url, settings, 2)).to.equal(undefined);
    }
    expect(proxy.names).to.deep.equal([NAME, NAME]);
  });

  it('names a proxy that is none', async () => {
    const where = await pretender((socket) => socket.once('data', () => socket.end('220 smtp ready\r\n')));
    const error = await failure(`https://${NAME}/mcp`, await network(['--proxy', where]));
    expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
    expect(error.message).to.include(`http://${where}`);
  });

  for (const secure of [false, true]) {
    it(`names a proxy whose scheme is ${secure ? 'http where it is https' : 'https where it is http'}`, async () => {
      const proxy = await forwardProxy({ secure });
      const where = `${secure ? 'http' : 'https'}://127.0.0.1:${proxy.port}`;
      const settings = await network(['--proxy', where, '--ca', caFile]);
      // A proxy that takes a whole request and hangs up may have passed it on: nobody can tell.
      for (const scheme of secure ? ['https'] : ['http', 'https']) {
        const error = await failure(`${scheme}://${NAME}/mcp`, settings);
        expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
        expect(error.message).to.include(where);
        expect(error.hint).to.include('scheme').and.include('--proxy');
      }
    });
  }

  it('gives a silent proxy up when the time is over, and hangs up', async () => {
    let hungUp: Promise<unknown> | undefined;
    const where = await pretender((socket) => {
      hungUp = once(socket.resume(), 'close');
    });
    const error = await failure(`https://${NAME}/mcp`, await network(['--proxy', where, '--timeout', '1']));
    expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
    expect(error.message).to.include(`http://${where}`).and.include('1 s');
    await hungUp;
  });

  for (const [status, code] of [
    [403, 'MCPC_HTTP_STATUS'],
    [502, 'MCPC_CONNECT'],
  ] as const) {
    it(`takes ${status} of a proxy for its own word, not for that of the server`, async () => {
      const where = await pretender((socket) =>
        socket.once('data', () => socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)),
      );
      const error = await failure(`https://${NAME}/mcp`, await network(['--proxy', where]));
      expect(error).to.include({ code, delivered: 'no', status });
      expect(error.message).to.include(`http://${where}`).and.include(NAME);
    });
  }

  it('knows that nothing was sent when TLS fails behind the proxy', async () => {
    const [proxy, { url, requests }] = [await forwardProxy(), await mcpServer({ secure: true })];
    const error = await ask(url, await network([], { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }));
    expect(error).to.include({ code: 'MCPC_CONNECT', executed: 'no' });
    expect(error!.hint).to.include('--ca');
    expect(error!.attempts).to.have.length(1);
    expect(requests).to.have.length(0);
  });

  for (const [version, cause] of [
    ['TLSv1.2', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'],
    ['TLSv1.3', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
  ] as const) {
    it(`says at once that a server behind the proxy misses our certificate (${version})`, async () => {
      const wanting = { requestCert: true, ca: authority.cert, minVersion: version, maxVersion: version };
      const [proxy, { url, requests }] = [await forwardProxy(), await mcpServer({ secure: wanting })];
      const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
      const error = await ask(url, await network(['--ca', caFile], env));
      expect(error).to.include({ code: 'MCPC_CONNECT', executed: 'no', cause });
      expect(error!.hint).to.include('--cert');
      expect(error!.attempts).to.have.length(1);
      expect(requests).to.have.length(0);
    });
  }

  it('refuses at start a proxy that it cannot use, but only where an endpoint needs it', async () => {
    const env = { HTTPS_PROXY: 'gopher://p:70' };
    await network([], env, ['http://a.example/mcp', 'tcp://a.example:1', 'https://localhost/mcp']);
    const error = await network([], env, ['https://a.example/mcp']).catch((caught: unknown) => caught);
    expect(error).to.include({ code: 'MCPC_USAGE' });
  });

  // ── Without one ──────────────────────────────────────────────────────────────────────────────────────────────

  it('reaches this machine without the proxy of the environment', async () => {
    const { url } = await mcpServer({ host: '127.0.0.1' });
    expect(
      await ask(
        url,
        await network([], { HTTP_PROXY: 'http://127.0.0.1:1', ALL_PROXY: 'http://127.0.0.1:1' }),
      ),
    ).to.equal(undefined);
  });

  it('takes any certificate with --insecure, and says loudly what that means', async () => {
    const { url } = await mcpServer({ secure: true, host: '127.0.0.1' });
    expect(await ask(url, await network([]))).to.include({ code: 'MCPC_CONNECT' });
    expect(logged.filter((line) => line.startsWith('warn'))).to.have.length(0);
    expect(await ask(url, await network(['--insecure']))).to.equal(undefined);
    expect(logged.find((line) => line.startsWith('warn'))).to.include('--insecure');
  });

  it('refuses an authority whose file holds no certificate', async () => {
    const keyFile = path.join(folder, 'authority.key');
    writeFileSync(keyFile, authority.key);
    const error = await network(['--ca', keyFile]).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'MCPC_USAGE' });
  });

  it('connects to addresses of one kind alone', async () => {
    const { url } = await mcpServer({ host: 'localhost' });
    expect(await ask(url, await network(['--ipv4']))).to.equal(undefined);
    expect(await ask(url, await network(['--ipv6']))).to.include({ code: 'MCPC_CONNECT' });
    const both = await network(['--ipv4', '--ipv6']).catch((error: unknown) => error);
    expect(both).to.include({ code: 'MCPC_USAGE' });
  });
});
