import type { IncomingMessage } from 'node:http';
import {
  ConnectorError,
  agentFor,
  Envelope,
  reasonOf,
  type Challenge,
  type Transport,
  type TransportContext,
} from '@mcp-connect/core';
import { WebSocket } from 'ws';

/** Bytes that may wait to be sent before the line is asked to pause. */
const MOST_WAITING = 1_048_576;

/** How long a connection is silent before the server is asked whether it is still there, in milliseconds. */
const KEEP_ALIVE = 30_000;

/** How long a server may take to close its side, in milliseconds. */
const PATIENCE = 2_000;

/** The code that `ws` gives a message above `maxPayload`. */
const TOO_LARGE = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

/**
 * Connects to the server of an endpoint. Where it asks for a sign-in, other credentials are tried once.
 *
 * @throws ConnectorError `MCPC_CONNECT`, or `MCPC_UNAUTHORIZED` when the server refuses our credentials
 */
export async function openSocket(context: TransportContext, protocol: string): Promise<Transport> {
  try {
    return await connect(context, protocol);
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.challenge === undefined) throw error;
    return connect(context, protocol, error.challenge);
  }
}

async function connect(
  context: TransportContext,
  protocol: string,
  challenge?: Challenge,
): Promise<Transport> {
  const { endpoint, settings, signal } = context;
  signal.throwIfAborted();
  const url = endpoint.url!;
  const secure = url.protocol === 'wss:';
  const credentials = await context.credentials(challenge);
  const { headers } = credentials;
  const signed = { ...headers, ...credentials.prove?.({ method: 'GET', url, headers }) };
  const agent = await agentFor(settings, new URL(url.href.replace(/^ws/, 'http')));
  const socket = new WebSocket(url, protocol === '' ? [] : [protocol], {
    agent,
    headers: signed,
    handshakeTimeout: settings.timeout,
    maxPayload: settings.maxMessageSize,
    perMessageDeflate: false,
    ...(secure && settings.tls),
  });
  return new Promise((resolve, reject) => {
    const abort = (): void => socket.terminate();
    signal.addEventListener('abort', abort);
    const settle = (settled: () => void): void => {
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners();
      // What goes wrong after the decision is told by `close`.
      socket.on('error', () => undefined);
      settled();
    };
    socket.once('open', () => settle(() => resolve(new SocketTransport(socket, context))));
    socket.once('unexpected-response', (_request, response) => {
      settle(() => reject(refusalOf(response, endpoint.label)));
      response.resume();
      socket.terminate();
    });
    socket.once('error', (cause) =>
      settle(() => {
        const text = `No connection to ${endpoint.label}: ${reasonOf(cause)}`;
        const hint = 'Check host, port and path, and that the server speaks WebSocket there';
        reject(new ConnectorError('MCPC_CONNECT', text, { cause, hint }));
      }),
    );
  });
}

/** One message is one text frame. */
class SocketTransport implements Transport {
  readonly #socket: WebSocket;
  readonly #context: TransportContext;
  readonly #pinging: NodeJS.Timeout;
  readonly #closed: Promise<void>;
  #heard = true;
  #asked = false;
  #failure: Error | undefined;
  #room: Promise<void> | undefined;
  #makeRoom: (() => void) | undefined;

  constructor(socket: WebSocket, context: TransportContext) {
    this.#socket = socket;
    this.#context = context;
    this.#pinging = setInterval(() => this.#ping(), KEEP_ALIVE);
    socket.on('pong', () => (this.#heard = true));
    socket.on('error', (error) => (this.#failure = error));
    socket.on('message', (data: Buffer) => this.#receive(data));
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        clearInterval(this.#pinging);
        context.onclose(this.#asked ? undefined : this.#loss());
        resolve();
      });
    });
  }

  send(envelope: Envelope): void {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      const text = `The connection to ${this.#context.endpoint.label} is closed.`;
      throw new ConnectorError('MCPC_CONNECTION_LOST', text);
    }
    this.#socket.send(envelope.bytes, { binary: false }, () => this.#onwritten());
    if (this.#socket.bufferedAmount <= MOST_WAITING) return;
    this.#room ??= new Promise((resolve) => (this.#makeRoom = resolve));
  }

  drain(): Promise<void> | undefined {
    return this.#room;
  }

  /** A connection over a network may have died without a sign. */
  wake(): boolean {
    return true;
  }

  async close(): Promise<void> {
    this.#asked = true;
    this.#socket.removeAllListeners('message');
    this.#socket.resume();
    this.#socket.close();
    const timer = setTimeout(() => this.#socket.terminate(), PATIENCE);
    await this.#closed;
    clearTimeout(timer);
  }

  #onwritten(): void {
    const open = this.#socket.readyState === WebSocket.OPEN;
    if (this.#room === undefined || (open && this.#socket.bufferedAmount > MOST_WAITING)) return;
    this.#room = undefined;
    this.#makeRoom?.();
  }

  #receive(data: Buffer): void {
    const { endpoint, log, onalive, onmessage } = this.#context;
    onalive?.();
    this.#heard = true;
    let envelope: Envelope;
    try {
      envelope = Envelope.read(data);
    } catch (error) {
      log.warn?.('%s sent a frame that was dropped: %s', endpoint.label, reasonOf(error));
      return;
    }
    const pause = onmessage(envelope);
    if (pause === undefined) return;
    this.#socket.pause();
    const resume = (): void => this.#socket.resume();
    void pause.then(resume, resume);
  }

  #ping(): void {
    // One that is paused cannot hear the answer.
    if (this.#socket.isPaused) return;
    if (!this.#heard) return this.#socket.terminate();
    this.#heard = false;
    this.#socket.ping();
  }

  #loss(): ConnectorError {
    const { label } = this.#context.endpoint;
    const cause = this.#failure;
    const tooLarge = (cause as NodeJS.ErrnoException | undefined)?.code === TOO_LARGE;
    if (tooLarge) {
      return new ConnectorError('MCPC_TOO_LARGE', `${label} sent a message that is too large.`, {
        cause,
        delivered: 'unknown',
        hint: 'Allow larger ones with --max-message-size BYTES',
      });
    }
    const how = cause === undefined ? 'closed the connection.' : `ended the connection: ${reasonOf(cause)}`;
    return new ConnectorError('MCPC_CONNECTION_LOST', `${label} ${how}`, { cause, delivered: 'unknown' });
  }
}

function refusalOf({ statusCode: status = 0, headers }: IncomingMessage, label: string): ConnectorError {
  const text = `${label} refused the connection (${status}).`;
  if (status !== 401 && status !== 403) {
    return new ConnectorError('MCPC_CONNECT', text, {
      status,
      hint: 'Check the path, and that the server speaks WebSocket there',
    });
  }
  const wwwAuthenticate = headers['www-authenticate'];
  return new ConnectorError('MCPC_UNAUTHORIZED', text, {
    status,
    challenge: { status, ...(wwwAuthenticate !== undefined && { wwwAuthenticate }) },
    hint: 'Give credentials, for example with --auth-token',
  });
}
