import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import {
  Connector,
  type ConnectorError,
  createLog,
  DEFAULT_SETTINGS,
  Envelope,
  parseEndpoint,
  type Settings,
  type TlsSettings,
  type Transport,
  type TransportKind,
} from '@mcp-connect/core';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import tcp from './index.js';

const log = createLog({ level: 'error', write: () => undefined });

interface Channel {
  readonly transport: Transport;
  readonly received: Envelope[];
  readonly lost: { id: unknown; error: ConnectorError }[];
  readonly closed: Promise<ConnectorError | undefined>;
  /** Settles with the first bytes, where silence is measured. */
  readonly alive: Promise<void>;
  /** Settles when `count` messages have arrived. */
  arrived(count: number): Promise<void>;
}

interface ChannelOptions {
  readonly settings?: Partial<Settings>;
  readonly signal?: AbortSignal;
  /** Holds the server back for as long as it has not settled. */
  readonly hold?: Promise<void>;
}

describe('transport-tcp', () => {
  const servers: net.Server[] = [];
  const sockets: net.Socket[] = [];
  const channels: Transport[] = [];

  async function listening<S extends net.Server>(server: S, where: string | number = 0): Promise<S> {
    servers.push(server);
    server.on('connection', (socket: net.Socket) => sockets.push(socket.on('error', () => undefined)));
    if (typeof where === 'string') server.listen(where);
    else server.listen(where, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  /** Starts a server that hands each connection to `serve`; returns the endpoint. */
  async function tcpServer(
    serve: (socket: net.Socket) => void,
    options: net.ServerOpts = {},
  ): Promise<string> {
    const server = await listening(net.createServer(options, serve));
    return `tcp://127.0.0.1:${portOf(server)}`;
  }

  async function open(endpoint: string, options: ChannelOptions = {}): Promise<Channel> {
    const received: Envelope[] = [];
    const lost: Channel['lost'] = [];
    const waiting: { count: number; resolve: () => void }[] = [];
    let onclose!: (error?: ConnectorError) => void;
    const closed = new Promise<ConnectorError | undefined>((resolve) => (onclose = resolve));
    let onalive!: () => void;
    const alive = new Promise<void>((resolve) => (onalive = resolve));
    const parsed = parseEndpoint(endpoint);
    const kind = kindOf(parsed.scheme);
    kind.validate?.(parsed);
    const transport = await kind.open({
      endpoint: parsed,
      settings: { ...DEFAULT_SETTINGS, ...options.settings },
      log,
      signal: options.signal ?? new AbortController().signal,
      credentials: async () => ({ headers: {} }),
      onmessage(envelope) {
        received.push(envelope);
        for (const { count, resolve } of waiting) if (received.length >= count) resolve();
        return options.hold;
      },
      onforgotten: () => undefined,
      onmissed: () => undefined,
      ...(options.settings?.requestTimeout !== undefined && { onalive: () => onalive() }),
      onlost: (id, error) => lost.push({ id, error }),
      onclose: (error) => onclose(error),
    });
    channels.push(transport);
    const arrived = (count: number): Promise<void> =>
      new Promise((resolve) => {
        if (received.length >= count) resolve();
        else waiting.push({ count, resolve });
      });
    return { transport, received, lost, closed, alive, arrived };
  }

  function openTls(endpoint: string, settings: TlsSettings = {}): Promise<Channel> {
    return open(endpoint, { settings: { tls: settings } });
  }

  afterEach(async () => {
    await Promise.all(channels.splice(0).map((transport) => transport.close()));
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  it('joins an SDK client to an SDK server', async () => {
    const endpoint = await tcpServer((socket) => {
      const server = new McpServer({ name: 'tcp', version: '1' });
      server.registerTool('hello', {}, () => ({ content: [{ type: 'text', text: 'grüß dich' }] }));
      void server.connect(new StdioServerTransport(socket, socket));
    });
    const connector = new Connector({ log }).use(tcp, {});
    connector.endpoint(endpoint);
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(connector.asSdkTransport());
    const { content } = await client.callTool({ name: 'hello' });
    expect(content).to.deep.equal([{ type: 'text', text: 'grüß dich' }]);
    await client.close();
  });

  it('takes messages that are cut anywhere, also inside a character', async () => {
    const bytes = Buffer.from(`${notification('größer')}\r\n\n${notification('b')}\n`);
    const endpoint = await tcpServer((socket) => {
      socket.setNoDelay();
      void (async () => {
        for (const byte of bytes) await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
      })();
    });
    const { arrived, received } = await open(endpoint);
    await arrived(2);
    expect(received.map(({ method }) => method)).to.deep.equal(['größer', 'b']);
  });

  it('carries messages of many megabytes both ways', async () => {
    const endpoint = await tcpServer((socket) => socket.pipe(socket));
    const { transport, arrived, received } = await open(endpoint);
    const big = Envelope.read(Buffer.from(notification('x'.repeat(8 * 1024 * 1024))));
    void transport.send(big, { headers: {} });
    await arrived(1);
    expect(received[0]!.bytes.equals(big.bytes)).to.equal(true);
  });

  it('wants to be tried out after a sleep of the machine, unless both sides slept', async () => {
    const { transport } = await open(await tcpServer(() => undefined));
    expect(transport.wake?.()).to.equal(true);
    const place = path.join(tmpdir(), `mcpc-wake-${process.pid}.sock`);
    await listening(net.createServer(), place);
    const local = await open(`unix:${place}`);
    expect(local.transport.wake?.()).to.equal(false);
  });

  it('tells of every byte while silence is measured', async () => {
    const endpoint = await tcpServer((socket) => void socket.write('{"half of'));
    const { alive } = await open(endpoint, { settings: { requestTimeout: 1_000 } });
    await alive;
  });

  it('has an answer over the limit fail its request, and goes on', async () => {
    const endpoint = await tcpServer((socket) => {
      const answer = JSON.stringify({ jsonrpc: '2.0', id: 'a', result: { pad: 'x'.repeat(2_000) } });
      socket.write(`${answer}\nno message\n${notification('after')}\n`);
    });
    const { arrived, received, lost } = await open(endpoint, { settings: { maxMessageSize: 1_000 } });
    await arrived(1);
    expect(received[0]!.method).to.equal('after');
    expect(lost.map(({ id, error }) => [id, error.code])).to.deep.equal([['a', 'MCPC_TOO_LARGE']]);
  });

  it('holds the server back while its messages are not wanted', async () => {
    let release!: () => void;
    const hold = new Promise<void>((resolve) => (release = resolve));
    const line = `${notification('x'.repeat(1024 * 1024))}\n`;
    const total = 32;
    let written = 0;
    const endpoint = await tcpServer((socket) => {
      for (let count = 0; count < total; count++) socket.write(line, () => written++);
    });
    const held = await open(endpoint, { hold });
    await held.arrived(1);
    // Another connection gets all in the meantime.
    const free = await open(await tcpServer((socket) => void socket.write(line.repeat(total))));
    await free.arrived(total);
    expect(written).to.be.lessThan(total);
    release();
    await held.arrived(total);
  });

  it('asks for a pause while the server does not read', async () => {
    let server: net.Socket | undefined;
    const endpoint = await tcpServer((socket) => (server = socket.pause()));
    const { transport } = await open(endpoint);
    expect(transport.drain?.()).to.equal(undefined);
    const big = Envelope.read(Buffer.from(notification('x'.repeat(16 * 1024 * 1024))));
    void transport.send(big, { headers: {} });
    await new Promise(setImmediate);
    const drained = transport.drain?.();
    expect(drained).to.be.instanceOf(Promise);
    server!.resume();
    await drained;
    expect(transport.drain?.()).to.equal(undefined);
  });

  describe('when the server ends', () => {
    it('delivers all that it sent first', async () => {
      const endpoint = await tcpServer(
        (socket) => {
          socket.on('data', () => undefined);
          socket.end(`${notification('one')}\n${notification('two')}`);
        },
        { allowHalfOpen: true },
      );
      const { closed, received } = await open(endpoint);
      expect(await closed).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
      expect(received.map(({ method }) => method)).to.deep.equal(['one', 'two']);
    });

    it('says so when it resets', async () => {
      const endpoint = await tcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
      const { closed, transport } = await open(endpoint);
      void transport.send(Envelope.read(Buffer.from(notification('x'))), { headers: {} });
      expect(await closed).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
    });

    it('takes nothing more', async () => {
      const { closed, transport } = await open(await tcpServer((socket) => socket.end()));
      await closed;
      expect(() => transport.send(Envelope.read(Buffer.from(notification('x'))), { headers: {} }))
        .to.throw()
        .that.includes({ code: 'MCPC_CONNECTION_LOST', delivered: 'no' });
    });
  });

  describe('when it is closed', () => {
    it('sends what was taken, ends its side, and still takes the last answers', async () => {
      let got = '';
      const endpoint = await tcpServer(
        (socket) => {
          socket.on('data', (chunk) => (got += chunk.toString()));
          socket.on('end', () => socket.end(`${notification('last')}\n`));
        },
        { allowHalfOpen: true },
      );
      const { transport, closed, received } = await open(endpoint);
      void transport.send(Envelope.read(Buffer.from(notification('x'))), { headers: {} });
      expect(transport.close()).to.equal(transport.close());
      expect(await closed).to.equal(undefined);
      expect(got).to.equal(`${notification('x')}\n`);
      expect(received.map(({ method }) => method)).to.deep.equal(['last']);
    });

    it('does not wait for ever for a server that keeps its side open', async function () {
      this.timeout(6_000);
      let gone: Promise<unknown> | undefined;
      const endpoint = await tcpServer(
        (socket) => {
          gone = once(socket.resume(), 'end');
        },
        { allowHalfOpen: true },
      );
      const { transport } = await open(endpoint);
      await transport.close();
      await gone;
    });
  });

  describe('when no connection comes about', () => {
    it('says that nobody listens', async () => {
      const server = await listening(net.createServer());
      const port = portOf(server);
      server.close();
      await once(server, 'close');
      const error = await failure(open(`tcp://127.0.0.1:${port}`));
      expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
    });

    it('connects to addresses of one kind alone', async () => {
      const endpoint = await tcpServer((socket) => void socket.write(`${notification('up')}\n`));
      const { arrived } = await open(endpoint.replace('127.0.0.1', 'localhost'), { settings: { family: 4 } });
      await arrived(1);
      const error = await failure(
        open(endpoint.replace('127.0.0.1', 'localhost'), { settings: { family: 6 } }),
      );
      expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
    });

    it('stops at once when it is told to', async () => {
      // This server accepts the connection, but never takes part in a handshake.
      const endpoint = (await tcpServer((socket) => void socket.resume())).replace('tcp:', 'tls:');
      const abort = new AbortController();
      const opening = failure(open(endpoint, { signal: abort.signal }));
      await once(servers[0]!, 'connection');
      abort.abort();
      expect(await opening).to.include({ code: 'MCPC_CONNECT' });
    });
  });

  it('reaches a unix socket', async () => {
    const file = path.join(tmpdir(), `mcp-connect-${process.pid}.sock`);
    await rm(file, { force: true });
    await listening(
      net.createServer((socket) => void socket.write(`${notification('up')}\n`)),
      file,
    );
    const { arrived } = await open(`unix:${file}`);
    await arrived(1);
  });

  describe('over TLS', () => {
    let authority: { cert: string; key: string };
    let server: { cert: string; key: string };
    let client: { cert: string; key: string };

    before(async function () {
      this.timeout(20_000);
      authority = await certificate('authority');
      server = await certificate('server', authority);
      client = await certificate('client', authority);
    });

    async function tlsServer(options: tls.TlsOptions = {}): Promise<string> {
      const made = tls.createServer({ ...server, ...options }, (socket) => {
        sockets.push(socket.on('error', () => undefined));
        socket.write(`${notification(`hello ${socket.servername || 'nobody'}`)}\n`);
      });
      made.on('tlsClientError', () => undefined);
      return `tls://localhost:${portOf(await listening(made))}`;
    }

    it('trusts the authority that it is given, and names the host', async () => {
      const { arrived, received } = await openTls(await tlsServer(), { ca: authority.cert });
      await arrived(1);
      expect(received[0]!.method).to.equal('hello localhost');
    });

    it('names another host where it is told to', async () => {
      const endpoint = (await tlsServer()).replace('localhost', '127.0.0.1');
      const { arrived, received } = await openTls(endpoint, { ca: authority.cert, servername: 'localhost' });
      await arrived(1);
      expect(received[0]!.method).to.equal('hello localhost');
    });

    it('refuses an unknown authority, and says how to trust it', async () => {
      const error = await failure(openTls(await tlsServer()));
      expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no', lasting: true });
      expect((error as ConnectorError).hint).to.contain('--ca');
    });

    it('refuses a certificate of another name, and says how to name it', async () => {
      const error = await failure(
        openTls(await tlsServer(), { ca: authority.cert, servername: 'other.example' }),
      );
      expect(error).to.include({ code: 'MCPC_CONNECT' });
      expect((error as ConnectorError).hint).to.contain('--servername');
    });

    it('says when the server does not speak TLS', async () => {
      const plain = await tcpServer((socket) => void socket.write('hello\n'));
      const error = await failure(openTls(plain.replace('tcp:', 'tls:')));
      expect(error).to.include({ code: 'MCPC_CONNECT' });
      expect((error as ConnectorError).hint).to.contain('tcp://');
    });

    it('shows a certificate where the server asks for one', async () => {
      const endpoint = await tlsServer({ requestCert: true, ca: authority.cert });
      const { arrived } = await openTls(endpoint, { ca: authority.cert, ...client });
      await arrived(1);
    });

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`says that a certificate is wanted (${version})`, async () => {
        const endpoint = await tlsServer({ requestCert: true, ca: authority.cert, maxVersion: version });
        const opening = openTls(endpoint, { ca: authority.cert });
        const error = await opening.then(({ closed }) => closed).catch((reason: unknown) => reason);
        expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no', lasting: true });
        expect((error as ConnectorError).hint).to.contain('--cert');
      });
    }

    it('names files that are no certificates as bad input', async () => {
      const error = await failure(openTls(await tlsServer(), { cert: 'no certificate', key: 'no key' }));
      expect(error).to.include({ code: 'MCPC_USAGE' });
    });
  });
});

/** Applies the plugin and returns what it registered for a scheme. */
function kindOf(scheme: string): TransportKind {
  const kinds = new Map<string, TransportKind>();
  const connector = new Connector({ log });
  tcp.apply(
    Object.assign(Object.create(connector) as Connector, {
      transport: (name: string, kind: TransportKind) => void kinds.set(name, kind),
    }),
    {},
  );
  return kinds.get(scheme)!;
}

/** The reason for which a promise is rejected. */
function failure(opening: Promise<unknown>): Promise<unknown> {
  return opening.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function portOf(server: net.Server): number {
  return (server.address() as AddressInfo).port;
}

function notification(method: string): string {
  return JSON.stringify({ jsonrpc: '2.0', method });
}

async function certificate(
  name: string,
  ca?: { cert: string; key: string },
): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...(ca && { ca }),
    extensions: [
      { name: 'basicConstraints', cA: ca === undefined },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  return { cert: made.cert, key: made.private };
}
