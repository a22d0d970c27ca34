import type { Socket } from 'node:net';
import { SocketReply, type Reply } from './reply.js';
import { HttpSyntaxError, ResponseParser } from './response-parser.js';

/** What an {@link Exchange} is told. Exactly one of the two is called, once. */
export interface ExchangeEvents {
  onresponse(reply: Reply): void;
  /** @param connected whether there was a connection that may have carried the request to the server */
  onerror(error: Error, connected: boolean): void;
}

/** One request on its way to its response. */
export interface Exchange extends ExchangeEvents {
  /** The head of the request, up to and with its empty line. */
  readonly head: string;
  readonly body: Buffer | undefined;
}

/** What a {@link Connection} tells its pool. */
export interface ConnectionEvents {
  /** It may carry another request. */
  onfree(connection: Connection): void;
  onclose(connection: Connection): void;
}

/** How a connection is made. */
export interface ConnectionOptions extends ConnectionEvents {
  readonly socket: Socket;
  /** The event by which the socket tells that it is connected. */
  readonly connected: 'connect' | 'secureConnect';
  /** Milliseconds until then. */
  readonly timeout: number;
}

/** A body up to this many bytes leaves in one write with its head. */
const LONGEST_TEXT = 16_384;
/** What a server may be early by when it closes an idle connection, in milliseconds. */
const MARGIN = 1_000;

/** One connection, which carries one request at a time (RFC 9112 section 9). */
export class Connection {
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #parser: ResponseParser;
  #reply: SocketReply | undefined;
  /** Whether the response that has just ended lets the connection go on. */
  #reusable: boolean | undefined;
  #error: Error | undefined;
  /** True once what is sent may reach the server. */
  connected = false;
  /** The request that it carries. */
  exchange: Exchange | undefined;
  /** When it became idle, in milliseconds of `performance.now()`. */
  idleSince = 0;
  /** How long the server keeps it while it is idle, in milliseconds, as far as it says so. */
  patience = Infinity;

  constructor({ socket, connected, timeout, onfree, onclose }: ConnectionOptions) {
    this.#socket = socket;
    this.#events = { onfree, onclose };
    this.#parser = new ResponseParser({
      onhead: ({ status, headers }) => this.#onhead(status, headers),
      onbody: (bytes) => {
        // Who has given the reply up hears no more of it.
        if (!socket.destroyed) this.#reply!.emit('data', bytes);
      },
      onend: (reusable) => this.#onend(reusable),
    });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${timeout / 1000} s`)),
      timeout,
    );
    // A handshake that fails over something written too early is told as that failing, without the reason's own code.
    if (connected === 'secureConnect') socket.cork();
    socket.once(connected, () => {
      clearTimeout(timer);
      this.connected = true;
      if (connected === 'secureConnect') socket.uncork();
    });
    socket.on('data', (chunk: Buffer) => this.#ondata(chunk));
    socket.on('end', () => this.#onclosing());
    socket.on('error', (error) => (this.#error ??= error));
    socket.on('close', () => {
      clearTimeout(timer);
      this.#onclose();
    });
  }

  /** True while it can carry a request. */
  get usable(): boolean {
    return this.#socket.writable && this.#socket.readable && this.exchange === undefined;
  }

  /** Sends a request. The connection must be usable. */
  send(exchange: Exchange): void {
    const socket = this.#socket;
    const { head, body } = exchange;
    this.exchange = exchange;
    // A string leaves faster than a buffer, and latin1 keeps every byte.
    if (body === undefined) socket.write(head, 'latin1');
    else if (body.length <= LONGEST_TEXT) socket.write(head + body.toString('latin1'), 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
  }

  /** Lets the process end although the connection is kept, or not. */
  keep(alive: boolean): void {
    if (alive) this.#socket.ref();
    else this.#socket.unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #ondata(chunk: Buffer): void {
    // Nobody asked, and what begins here must not become the answer of the next request.
    if (this.exchange === undefined) return void this.#socket.destroy();
    try {
      this.#parser.push(chunk);
    } catch (error) {
      return this.#onfault(error);
    }
    if (this.#reusable === undefined) return;
    const reusable = this.#reusable && this.usable && this.#parser.idle && this.#socket.writableLength === 0;
    this.#reusable = undefined;
    if (!reusable) this.#socket.destroy();
    else this.#events.onfree(this);
  }

  #onclosing(): void {
    try {
      this.#parser.finish();
    } catch (error) {
      return this.#onfault(error);
    }
    // A server that reads no more would never let go of what is yet to be written.
    this.#socket.destroy();
  }

  #onfault(error: unknown): void {
    if (!(error instanceof HttpSyntaxError)) throw error;
    this.#socket.destroy(error);
  }

  #onhead(status: number, headers: Reply['headers']): void {
    if (this.#socket.destroyed) return;
    const exchange = this.exchange;
    if (exchange === undefined) throw new HttpSyntaxError('it answered what nobody asked');
    const hint = /(?:^|,)\s*timeout=(\d{1,6})/i.exec(headers['keep-alive']?.toString() ?? '');
    if (hint !== null) this.patience = Math.max(0, Number(hint[1]) * 1000 - MARGIN);
    this.#reply = new SocketReply(this.#socket, status, headers);
    exchange.onresponse(this.#reply);
  }

  #onend(reusable: boolean): void {
    if (this.#socket.destroyed) return;
    this.exchange = undefined;
    this.#reusable = reusable;
    const reply = this.#reply!;
    this.#reply = undefined;
    if (reply.finish()) this.#socket.resume();
  }

  #onclose(): void {
    const exchange = this.exchange;
    const reply = this.#reply;
    this.exchange = this.#reply = undefined;
    this.#events.onclose(this);
    if (reply !== undefined) reply.fail(this.#error);
    else exchange?.onerror(this.#error ?? new Error('it was closed without an answer'), this.connected);
  }
}
