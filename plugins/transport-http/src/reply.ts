import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * A reply as its readers see it: as much of node's `IncomingMessage` as they need. Who wants its body listens for it
 * within the very call in which the reply is handed over.
 */
export interface Reply {
  readonly statusCode?: number | undefined;
  readonly headers: IncomingHttpHeaders;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end' | 'close' | 'pause' | 'resume', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'end' | 'close', listener: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  pause(): unknown;
  /** Reads on; without a listener for its data, the reply is read and dropped. */
  resume(): unknown;
  /** Gives the reply up, and its connection with it. */
  destroy(): unknown;
}

/** What a {@link SocketReply} holds back and gives up. */
export interface ReplySource {
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
}

/** A reply that is read from a socket of our own. Its connection may serve others once it has ended. */
export class SocketReply extends EventEmitter implements Reply {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  #source: ReplySource | undefined;
  #paused = false;

  constructor(source: ReplySource, statusCode: number, headers: IncomingHttpHeaders) {
    super();
    this.#source = source;
    this.statusCode = statusCode;
    this.headers = headers;
  }

  pause(): this {
    if (this.#paused || this.#source === undefined) return this;
    this.#paused = true;
    this.#source.pause();
    this.emit('pause');
    return this;
  }

  resume(): this {
    if (!this.#paused || this.#source === undefined) return this;
    this.#paused = false;
    this.#source.resume();
    this.emit('resume');
    return this;
  }

  destroy(): this {
    this.#source?.destroy();
    return this;
  }

  /** Tells that the reply is whole. Returns whether it was being held back. */
  finish(): boolean {
    const paused = this.#paused;
    this.#source = undefined;
    this.emit('end');
    this.emit('close');
    return paused;
  }

  /** Tells that the connection ended in the middle of the reply. */
  fail(error: Error | undefined): void {
    this.#source = undefined;
    if (error !== undefined && this.listenerCount('error') > 0) this.emit('error', error);
    this.emit('close');
  }
}
