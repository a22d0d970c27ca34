import type { IncomingMessage } from 'node:http';
import { ConnectorError, Envelope, reasonOf, type Outline, type TransportContext } from '@mcp-connect/core';
import { SseParser, type ServerEvent } from './sse.js';
import type { HttpRequest, Wire } from './wire.js';

/** What a reader of one SSE response is told. */
export interface StreamEvents {
  /** A returned promise pauses reading until it settles. */
  onevent(event: ServerEvent): void | Promise<void>;
  onoversize(outline: Outline, length: number): void;
  /** Told once, with the error of a stream that was cut. */
  onend(error: Error | undefined): void;
}

/** Where a stream may be taken up again (2025-11-25 basic/transports, Resumability and Redelivery). */
export interface Bookmark {
  lastEventId: string | undefined;
  /** Milliseconds that the server asks to wait before connecting again. */
  retry: number | undefined;
}

/** Reads one SSE response to its end. The bookmark moves along with what was read. */
export function readEvents(response: IncomingMessage, maxLength: number, events: StreamEvents): Bookmark {
  let pause: void | Promise<void>;
  const parser = new SseParser({
    maxLength,
    onevent: (event) => {
      pause = events.onevent(event) ?? pause;
    },
    onoversize: events.onoversize,
  });
  let ended = false;
  const end = (error?: Error): void => {
    if (ended) return;
    ended = true;
    parser.end();
    events.onend(error);
  };
  response.on('data', (chunk: Buffer) => {
    parser.push(chunk);
    if (pause === undefined) return;
    response.pause();
    void pause.then(() => response.resume());
    pause = undefined;
  });
  response.once('end', () => end());
  response.once('error', end);
  response.once('close', () => end(new Error('the stream was closed')));
  return parser;
}

/** True for a response that is an event stream. */
export function isEventStream(response: IncomingMessage): boolean {
  return response.statusCode === 200 && /^text\/event-stream\b/i.test(response.headers['content-type'] ?? '');
}

/** What streams need of the transport that opens them. */
export interface StreamHost {
  readonly wire: Wire;
  readonly context: TransportContext;
  /** Headers of a GET in the current session. */
  headers(): Promise<Record<string, string>>;
}

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

/**
 * The stream on which a legacy server sends what belongs to no request. It is opened again for ever, unless the server
 * says that it offers none (2025-11-25 basic/transports, Listening for Messages from the Server).
 */
export class NotificationStream {
  readonly #host: StreamHost;
  #request: HttpRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #bookmark: Bookmark = { lastEventId: undefined, retry: undefined };
  #failures = 0;
  #closed = false;

  constructor(host: StreamHost) {
    this.#host = host;
  }

  /** Asks for the stream. Settles with the first answer, whatever it is. */
  async open(): Promise<void> {
    const { wire, context } = this.#host;
    const headers = await this.#host.headers().catch(() => undefined);
    if (this.#closed || headers === undefined) return;
    const { lastEventId } = this.#bookmark;
    if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
    await new Promise<void>((settled) => {
      this.#request = wire.request(
        { method: 'GET', headers, urgent: true },
        {
          onresponse: (response) => {
            this.#onresponse(response);
            settled();
          },
          onerror: (error) => {
            context.log.debug?.('no notification stream: %s', error.message);
            this.#again();
            settled();
          },
        },
      );
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#request?.abort();
  }

  #onresponse(response: IncomingMessage): void {
    const { context } = this.#host;
    if (!isEventStream(response)) {
      response.resume();
      const status = response.statusCode!;
      context.log.debug?.('%s answered %d to the request for a notification stream', context.endpoint.label, status);
      // 4xx: there is no such stream, or the session is over, which the next request finds out and mends.
      if (status >= 500 || status === 408 || status === 429) this.#again();
      return;
    }
    this.#failures = 0;
    const before = this.#bookmark;
    this.#bookmark = readEvents(response, context.settings.maxMessageSize, {
      onevent: (event) => deliver(event, context),
      onoversize: (_outline, length) => context.log.warn?.('dropped a notification of %d bytes', length),
      onend: () => this.#again(),
    });
    this.#bookmark.lastEventId ??= before.lastEventId;
    this.#bookmark.retry ??= before.retry;
  }

  #again(): void {
    if (this.#closed) return;
    const backoff = Math.min(FIRST_WAIT * 2 ** Math.min(this.#failures++, 10), LONGEST_WAIT);
    const wait = Math.max(this.#bookmark.retry ?? 0, backoff * (0.5 + Math.random() / 2));
    this.#timer = setTimeout(() => void this.open(), wait).unref();
  }
}

/** Hands an event over when it is a message; anything else on a stream is nothing to the client. */
export function deliver({ event, data }: ServerEvent, context: TransportContext): void | Promise<void> {
  if (event !== 'message') return undefined;
  let envelope: Envelope;
  try {
    envelope = Envelope.read(data);
  } catch (error) {
    context.log.warn?.('%s sent an event that is no message: %s', context.endpoint.label, reasonOf(error));
    return undefined;
  }
  return context.onmessage(envelope);
}

/** Empty resumptions in a row after which a reply is given up: the server has forgotten it. */
const MOST_EMPTY = 5;

/** What a resumption ends in. */
export interface ResumeEvents {
  onresponse(response: IncomingMessage): void;
  onlost(error: ConnectorError): void;
}

/** Takes up a cut reply stream where it ended, with `Last-Event-ID`, at the pace that the server asked for. */
export class Resumption {
  readonly #host: StreamHost;
  readonly #events: ResumeEvents;
  #request: HttpRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #empty = 0;
  #deadline = 0;
  #lastEventId: string | undefined;

  constructor(host: StreamHost, events: ResumeEvents) {
    this.#host = host;
    this.#events = events;
  }

  /** Plans the next connection behind the bookmark. `fruitful` tells that the last one brought anything. */
  plan(bookmark: Bookmark, fruitful: boolean): void {
    this.#empty = fruitful ? 0 : this.#empty + 1;
    this.#lastEventId = bookmark.lastEventId;
    this.#deadline = performance.now() + this.#host.context.settings.timeout;
    if (this.#empty >= MOST_EMPTY) return this.#lost('it was resumed, but brought nothing');
    this.#wait(bookmark.retry ?? FIRST_WAIT);
  }

  abort(): void {
    clearTimeout(this.#timer);
    this.#request?.abort();
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => void this.#connect(milliseconds), milliseconds);
  }

  async #connect(pace: number): Promise<void> {
    const headers = await this.#host.headers();
    this.#request = this.#host.wire.request(
      { method: 'GET', headers: { ...headers, 'last-event-id': this.#lastEventId ?? '' }, urgent: true },
      {
        onresponse: (response) => {
          if (isEventStream(response)) return this.#events.onresponse(response);
          response.resume();
          if (response.statusCode! < 500) return this.#lost(`the server answered ${response.statusCode} to resuming it`);
          this.#retry(pace, `the server answered ${response.statusCode} to resuming it`);
        },
        onerror: (error) => this.#retry(pace, error.message),
      },
    );
  }

  #retry(pace: number, reason: string): void {
    if (performance.now() + pace > this.#deadline) this.#lost(reason);
    else this.#wait(pace);
  }

  #lost(reason: string): void {
    const { label } = this.#host.context.endpoint;
    const text = `The reply of ${label} was cut and could not be resumed: ${reason}.`;
    this.#events.onlost(new ConnectorError('MCPC_CONNECTION_LOST', text, { delivered: 'unknown' }));
  }
}
