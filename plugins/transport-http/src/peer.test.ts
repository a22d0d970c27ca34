import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import {
  ConnectorError,
  createLog,
  DEFAULT_SETTINGS,
  Envelope,
  parseEndpoint,
  type Challenge,
  type Credentials,
  type JSONRPCMessage,
  type RequestId,
  type Settings,
  type Transport,
  type TransportContext,
} from '@mcp-connect/core';
import { expect } from 'chai';

/** A JSON-RPC message as tests look at it; a batch is a list of them. */
export interface Message {
  readonly id?: RequestId | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: Record<string, unknown>;
  };
}

/** Things in the order in which they come. Whoever takes one waits for it. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #takers: { readonly wants: (item: T) => boolean; readonly take: (item: T) => void }[] = [];

  push(item: T): void {
    const index = this.#takers.findIndex(({ wants }) => wants(item));
    if (index === -1) this.#items.push(item);
    else this.#takers.splice(index, 1)[0]!.take(item);
  }

  /** Takes the first thing, or the first one that fits. */
  take(wants: (item: T) => boolean = () => true): Promise<T> {
    const index = this.#items.findIndex(wants);
    if (index !== -1) return Promise.resolve(this.#items.splice(index, 1)[0]!);
    return new Promise((take) => this.#takers.push({ wants, take }));
  }

  /** How many things nobody has taken. */
  get size(): number {
    return this.#items.length;
  }
}

/** One HTTP request at a {@link Peer}, with the ways to answer it. */
export class Arrival {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly response: ServerResponse;
  readonly socket: Socket;

  constructor(request: IncomingMessage, response: ServerResponse, body: string) {
    this.method = request.method ?? '';
    this.path = request.url ?? '';
    this.headers = request.headers;
    this.body = body;
    this.response = response;
    this.socket = request.socket;
  }

  get message(): Message {
    return JSON.parse(this.body) as Message;
  }

  /** Answers with a status and, where given, a body. */
  status(status: number, body?: string | object, headers: Record<string, string> = {}): void {
    this.response.writeHead(status, headers);
    this.response.end(typeof body === 'object' ? JSON.stringify(body) : body);
  }

  /** Answers 200 with JSON. */
  json(body: unknown, headers: Record<string, string> = {}): void {
    this.status(200, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
  }

  /** Answers the request with this result. */
  result(result: object = {}, headers: Record<string, string> = {}): void {
    this.json({ jsonrpc: '2.0', id: this.message.id, result }, headers);
  }

  /** Begins an event stream. */
  stream(headers: Record<string, string> = {}): this {
    this.response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    this.response.flushHeaders();
    return this;
  }

  /** Writes fields and a blank line. */
  event(
    data: unknown,
    fields: { readonly id?: string; readonly event?: string; readonly retry?: number } = {},
  ): this {
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    this.response.write(`${lines.join('')}data: ${text}\n\n`);
    return this;
  }

  end(): void {
    this.response.end();
  }

  /** Breaks the connection. */
  cut(): void {
    this.socket.destroy();
  }

  /** Settles when the client has given the request up. */
  async abandoned(): Promise<void> {
    if (!this.response.destroyed) await once(this.response, 'close');
    expect(this.response.writableFinished).to.equal(false);
  }
}

/** A bare HTTP server. The test takes each request and answers it as it likes. */
export class Peer {
  readonly arrivals = new Queue<Arrival>();
  /** Method and path of every request so far. */
  readonly log: string[] = [];
  readonly #server: Server;
  readonly #scheme: string;

  constructor(tls?: ServerOptions) {
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createServer() : createSecureServer(tls);
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.log.push(`${request.method} ${request.url}`);
        this.arrivals.push(new Arrival(request, response, Buffer.concat(chunks).toString()));
      });
    });
  }

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  /** Takes the next request, or the next one of a method. */
  next(method?: string): Promise<Arrival> {
    return this.arrivals.take((arrival) => method === undefined || arrival.method === method);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

type Open = (context: TransportContext) => Transport | Promise<Transport>;

/** The near side of a transport: everything that it tells, in order. */
export class Side {
  readonly messages = new Queue<Envelope>();
  readonly lost = new Queue<{ readonly id: RequestId; readonly error: ConnectorError }>();
  readonly closed = new Queue<ConnectorError | undefined>();
  /** What was told of the session: that it is forgotten, or that messages may have been missed. */
  readonly told = new Queue<'forgotten' | 'missed'>();
  /** The requests of which bytes came in, while silence is measured; undefined stands for all. */
  readonly alive: (RequestId | undefined)[] = [];
  /** What `onmessage` returns. */
  pause: Promise<void> | undefined;
  /** What the `authenticate` hook would fill in for messages of the transport's own. */
  credentials: (challenge?: Challenge) => Promise<Credentials> = async () => ({ headers: {} });
  readonly logged: string[] = [];
  readonly #abort = new AbortController();
  #transport: Transport | undefined;

  async open(open: Open, url: string, settings: Partial<Settings> = {}): Promise<this> {
    const log = createLog({ level: 'trace', write: ({ text }) => this.logged.push(text) });
    const endpoint = parseEndpoint(url);
    log.hide(...endpoint.secrets);
    this.#transport = await open({
      endpoint,
      settings: { ...DEFAULT_SETTINGS, ...settings },
      log,
      signal: this.#abort.signal,
      credentials: (challenge) => this.credentials(challenge),
      onmessage: (envelope) => {
        this.messages.push(envelope);
        return this.pause;
      },
      onforgotten: () => this.told.push('forgotten'),
      onmissed: () => this.told.push('missed'),
      ...(settings.requestTimeout !== undefined && { onalive: (id) => void this.alive.push(id) }),
      onlost: (id, error) => this.lost.push({ id, error }),
      onclose: (error) => this.closed.push(error),
    });
    return this;
  }

  /** Sends a message; what the transport throws becomes a rejection. */
  async send(message: object, headers: Record<string, string> = {}): Promise<void> {
    const envelope = Envelope.of({ jsonrpc: '2.0', ...message } as JSONRPCMessage);
    await this.#transport!.send(envelope, { headers });
  }

  /** Sends a message that must fail, and tells why it did. */
  async refused(message: object): Promise<ConnectorError> {
    try {
      await this.send(message);
    } catch (error) {
      expect(error).to.be.instanceOf(ConnectorError);
      return error as ConnectorError;
    }
    return expect.fail('it was sent');
  }

  /** What the transport says of its room for more. */
  drain(): Promise<void> | undefined {
    return this.#transport!.drain?.();
  }

  /** Takes a request back; true when it has not left. */
  withdraw(id: RequestId): boolean | undefined {
    return this.#transport!.withdraw?.(id);
  }

  /** Says that the machine has slept. */
  wake(): boolean {
    return this.#transport!.wake?.() ?? false;
  }

  /** Stops waiting for the transport to open. */
  giveUp(): void {
    this.#abort.abort();
  }

  /** Takes the next message of the server. */
  async message(): Promise<Message> {
    return (await this.messages.take()).message as Message;
  }

  async close(): Promise<void> {
    await this.#transport?.close();
  }
}

/** Everything that one test has opened. */
export class Stage {
  readonly #peers: Peer[] = [];
  readonly #sides: { close(): Promise<void> }[] = [];

  async peer(tls?: ServerOptions, port?: number): Promise<Peer> {
    const peer = new Peer(tls);
    this.#peers.push(peer);
    return peer.listen(port);
  }

  async side(open: Open, url: string, settings?: Partial<Settings>): Promise<Side> {
    return this.closing(new Side()).open(open, url, settings);
  }

  /** Closes `thing` with everything else. */
  closing<T extends { close(): Promise<void> }>(thing: T): T {
    this.#sides.push(thing);
    return thing;
  }

  /** Closes servers first, so that no farewell waits for an answer. */
  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close()));
    await Promise.all(this.#sides.map((side) => side.close()));
  }
}

export const LEGACY = '2025-11-25';
const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };

/** A request of the modern revision. */
export function modern(id: RequestId, method: string, params: object = {}): Message {
  return { id, method, params: { ...params, _meta: META } };
}

/** Opens a legacy session at `peer`: `initialize`, `initialized` and the notification stream, which is returned. */
export async function begin(
  peer: Peer,
  side: Side,
  version = LEGACY,
  session: string | null = 's-1',
): Promise<Arrival> {
  const initialize = side.send({ id: 0, method: 'initialize', params: { protocolVersion: version } });
  (await peer.next('POST')).result(
    { protocolVersion: version },
    session === null ? {} : { 'mcp-session-id': session },
  );
  await initialize;
  await side.message();
  const initialized = side.send({ method: 'notifications/initialized' });
  (await peer.next('POST')).status(202);
  const get = (await peer.next('GET')).stream();
  await initialized;
  return get;
}
