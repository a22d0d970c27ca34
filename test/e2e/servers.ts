import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createFeatureServer } from '../fixtures/feature-server.js';
import { createModernServer } from '../fixtures/modern-server.js';
import { Inbox } from './inbox.js';
import { answersOf } from '../fixtures/raw-peer.js';

/** A server that runs, and the words after `mcp-connect proxy` that lead there. */
export interface Peer {
  /** Where it is not `proxy` that leads there. */
  readonly command?: string;
  readonly args: readonly string[];
  close(): Promise<void>;
}

/** A request as an HTTP server got it. */
export interface HttpRecord {
  readonly verb: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A {@link Peer} over HTTP that remembers what it was asked. */
export interface HttpPeer extends Peer {
  readonly url: string;
  /** Everything so far. */
  readonly requests: readonly HttpRecord[];
  /** The same, to be waited for. */
  readonly arrivals: Inbox<HttpRecord>;
}

/** Answers one request over HTTP. */
export type HttpAnswer = (
  record: HttpRecord,
  response: ServerResponse,
  request: AsyncIterable<Buffer>,
) => unknown;

/** Returns the words that start one of the programs in `test/fixtures`. */
export function fixture(name: string, ...args: readonly string[]): string[] {
  return [process.execPath, fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url)), ...args];
}

/** A program is started by mcp-connect itself, so there is nothing to close. */
export function localProgram(...words: readonly string[]): Peer {
  return { args: ['--', ...words], close: () => Promise.resolve() };
}

/** The program of `@modelcontextprotocol/server-everything`. */
export const EVERYTHING = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
);

/** Starts the reference server over HTTP: `streamableHttp` of today, or `sse` of 2024-11-05. */
export async function startEverything(mode: 'streamableHttp' | 'sse'): Promise<Peer> {
  const port = await freePort();
  const child = spawn(process.execPath, [EVERYTHING, mode], {
    env: { ...process.env, PORT: String(port), NODE_EXTRA_CA_CERTS: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = once(child, 'close');
  for await (const line of createInterface({ input: child.stderr })) {
    if (/(listening|running) on port/.test(line)) break;
  }
  child.stderr.resume();
  return {
    args: ['--endpoint', `http://127.0.0.1:${port}/${mode === 'sse' ? 'sse' : 'mcp'}`],
    async close() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** Serves the feature server over Streamable HTTP as SDK v1 does it, with sessions. */
export async function serveFeaturesOverHttp(): Promise<HttpPeer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  return serveHttp(async ({ headers, body }, response, request) => {
    const incoming = request as Parameters<StreamableHTTPServerTransport['handleRequest']>[0];
    const message = parsed(body);
    const known = sessions.get(String(headers['mcp-session-id']));
    if (known !== undefined) return known.handleRequest(incoming, response, message);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await createFeatureServer().connect(transport);
    return transport.handleRequest(incoming, response, message);
  });
}

/** Serves the feature server several times over, each over HTTP with sessions of its own. */
export async function serveFeaturesInTurn(
  count: number,
): Promise<Peer & { readonly servers: readonly HttpPeer[] }> {
  const servers = await Promise.all(Array.from({ length: count }, serveFeaturesOverHttp));
  return {
    command: 'load-balance',
    args: ['--endpoints', servers.map(({ url }) => url).join()],
    servers,
    async close() {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** The modern server over HTTP. */
export interface ModernPeer extends HttpPeer {
  /** Gets an item for every call of `wait` that was cancelled. */
  readonly cancelled: Inbox<void>;
  /** Tells those who listen that the list of tools has changed. */
  announceTools(): void;
}

/** Serves the modern server over HTTP for 2026-07-28 alone. */
export async function serveModernOverHttp(): Promise<ModernPeer> {
  const cancelled = new Inbox<void>();
  const host = { oncancel: () => cancelled.put() };
  const handler = createMcpHandler(() => createModernServer(host), { legacy: 'reject' });
  const handle = toNodeHandler(handler);
  const peer = await serveHttp(({ body }, response, request) =>
    handle(request as Parameters<typeof handle>[0], response as Parameters<typeof handle>[1], parsed(body)),
  );
  return {
    ...peer,
    cancelled,
    announceTools: () => handler.notify.toolsChanged(),
    async close() {
      await handler.close();
      await peer.close();
    },
  };
}

/** Serves the feature server on a socket: `path` of a unix socket, or a free TCP port. */
export function serveFeaturesOverSocket(path?: string): Promise<Peer> {
  return serveSocket((socket) => {
    void createFeatureServer().connect(new StdioServerTransport(socket, socket));
  }, path);
}

/** Serves a raw peer over TCP. It hangs up on whoever speaks HTTP to it, as a server of another kind would. */
export function serveRawOverTcp(): Promise<Peer> {
  return serveSocket((socket) => {
    createInterface({ input: socket }).on('line', (line) => {
      if (!line.startsWith('{')) return socket.destroy();
      for (const answer of answersOf(line)) socket.write(`${answer}\n`);
    });
  });
}

/** Serves a raw peer over Streamable HTTP whose replies are one JSON body, or an event stream. */
export function serveRawOverHttp(form: 'json' | 'sse'): Promise<HttpPeer> {
  return serveHttp(({ verb, body }, response) => {
    const [received = '', ...said] = body === '' ? [] : answersOf(body);
    if (verb !== 'POST') return response.writeHead(405).end();
    if (said.length === 0) return response.writeHead(202).end();
    if (form === 'json') {
      return response.writeHead(200, { 'content-type': 'application/json' }).end(said[0]);
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const line of [received, ...said]) response.write(`data: ${line}\n\n`);
    return response.end();
  });
}

/** Returns a port of this machine on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createNetServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Serves HTTP on a free port of this machine. */
export async function serveHttp(answer: HttpAnswer): Promise<HttpPeer> {
  const requests: HttpRecord[] = [];
  const arrivals = new Inbox<HttpRecord>();
  const server = createHttpServer((request, response) => {
    void (async () => {
      const body = await textOf(request);
      const record = { verb: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      requests.push(record);
      arrivals.put(record);
      await answer(record, response, request);
    })();
  });
  const url = `http://127.0.0.1:${await listen(server)}/mcp`;
  return {
    url,
    requests,
    arrivals,
    args: ['--endpoint', url],
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** Serves sockets: at `path` of a unix socket, or on a free TCP port. */
export async function serveSocket(onsocket: (socket: Socket) => void, path?: string): Promise<Peer> {
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onsocket(socket);
  });
  const port = await listen(server, path);
  return {
    args: ['--endpoint', path === undefined ? `tcp://127.0.0.1:${port}` : `unix:${path}`],
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function listen(server: Server, path?: string): Promise<number> {
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(body: string): unknown {
  return body === '' ? undefined : JSON.parse(body);
}
