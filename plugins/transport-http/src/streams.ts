import { isDeepStrictEqual } from 'node:util';
import {
  ConnectorError,
  type Challenge,
  Envelope,
  heed,
  reasonOf,
  type Outline,
  type TransportContext,
} from '@mcp-connect/core';
import type { Intake } from './intake.js';
import type { Reply } from './reply.js';
import { refusalOf } from './status.js';
import { SseParser, type Bookmark, type ServerEvent, type SseParserOptions } from './sse.js';
import { discard, type HttpRequest, type Wire } from './wire.js';

/** What a reader of one SSE response is told. */
export interface StreamEvents {
  readonly context: Pick<TransportContext, 'endpoint' | 'log' | 'settings'>;
  readonly intake: Intake;
  /** Where the stream is taken up again, when it is not new. */
  readonly from?: Bookmark | undefined;
  /**
   * Whether no other event of the stream has the same id, over all its connections. Where servers count anew with each
   * connection, only requests are known again, by their own ids.
   */
  readonly unique?: boolean;
  /** A returned promise pauses reading until it settles. */
  onmessage(envelope: Envelope): void | Promise<void>;
  /** Told for an event by another name, and for one that is no message: that comes with what is wrong, and is logged. */
  onother?(event: ServerEvent, error: unknown): void;
  onoversize(outline: Outline, length: number): void;
  /** Told once, with the error of a stream that was cut. */
  onend(error: Error | undefined): void;
}

/** So many events of a stream are noted; a server that begins a resumption too early is not early by more. */
const MOST_NOTED = 1_000;

/** Reads one SSE response to its end. The bookmark moves along with what was read. */
export function readEvents(response: Reply, events: StreamEvents): Bookmark {
  return new EventReader(response, events).parser;
}

class EventReader implements SseParserOptions {
  readonly from: Bookmark | undefined;
  readonly maxLength: number;
  readonly parser: SseParser;
  readonly #response: Reply;
  readonly #events: StreamEvents;
  /** The events that earlier connections have brought, as far as they could be taken twice. */
  readonly #earlier: ReadonlySet<string> | undefined;
  /** What the last messages asked for. */
  #pause: Promise<void> | undefined;
  #ended = false;

  constructor(response: Reply, events: StreamEvents) {
    this.#response = response;
    this.#events = events;
    this.from = events.from;
    this.#earlier = events.from?.noted && new Set(events.from.noted);
    this.maxLength = events.context.settings.maxMessageSize;
    this.parser = new SseParser(this);
    response.on('data', (chunk: Buffer) => this.#ondata(chunk));
    response.once('end', () => this.#end());
    response.once('error', (error) => this.#end(error));
    response.once('close', () => {
      if (!this.#ended) this.#end(new Error('the stream was closed'));
    });
  }

  onmessage(envelope: Envelope): void {
    if (this.parser.named && this.#cameBefore(envelope)) return;
    const wait = this.#events.onmessage(envelope);
    if (wait === undefined) return;
    this.#events.intake.handOver(envelope.size, wait);
    this.#pause = wait;
  }

  onevent(event: ServerEvent): void {
    if (event.event !== 'message') return this.#events.onother?.(event, undefined);
    try {
      const envelope = Envelope.read(event.data, { framed: event.complete });
      // What the resumption brings again must not come twice. Only an answer is sure to be taken once.
      const comesAgain = !event.complete && this.parser.lastEventId !== undefined;
      // Some of what is in a large message is looked at only when it is handed over.
      if (!comesAgain || envelope.kind === 'response') this.onmessage(envelope);
    } catch (error) {
      const { endpoint, log } = this.#events.context;
      log.warn?.('%s sent an event that is no message: %s', endpoint.label, reasonOf(error));
      this.#events.onother?.(event, error);
    }
  }

  onoversize(outline: Outline, length: number): void {
    this.#events.onoversize(outline, length);
  }

  /** Whether a resumption brings a message again that may be taken only once. An answer is taken once in any case. */
  #cameBefore({ kind, idText }: Envelope): boolean {
    const isNotable = kind === 'request' || (kind === 'notification' && this.#events.unique === true);
    if (!isNotable) return false;
    const event = `${this.parser.lastEventId} ${idText}`;
    if (this.#earlier?.has(event) === true) return true;
    const noted = (this.parser.noted ??= new Set());
    noted.add(event);
    if (noted.size > MOST_NOTED) noted.delete(noted.values().next().value!);
    return false;
  }

  #ondata(chunk: Buffer): void {
    this.parser.push(chunk);
    this.#events.intake.hold(this.#response, this.parser.held);
    const pause = this.#pause;
    if (pause === undefined) return;
    this.#pause = undefined;
    this.#response.pause();
    const resume = (): void => void this.#response.resume();
    void pause.then(resume, resume);
  }

  #end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.parser.end();
    this.#events.intake.hold(this.#response, 0);
    this.#events.onend(error);
  }
}

/** True for a response that is an event stream. */
export function isEventStream(response: Reply): boolean {
  return response.statusCode === 200 && /^text\/event-stream\b/i.test(response.headers['content-type'] ?? '');
}

/** What streams need of the transport that opens them. */
export interface StreamHost {
  /** Takes a message that came on the notification stream. A returned promise pauses reading until it settles. */
  take(envelope: Envelope): void | Promise<void>;
  readonly wire: Wire;
  readonly context: TransportContext;
  readonly intake: Intake;
  /** Drops a message above the limit. */
  drop(outline: Outline, length: number): void;
  /** Headers of a GET in the current session; a challenge asks for better credentials than the last ones. */
  headers(challenge?: Challenge): Promise<Record<string, string>>;
}

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
/** A stream that ends sooner and brings nothing is one of a server that has none to offer, in milliseconds. */
const SHORT = 5_000;
/** Statuses by which servers say that they do not know the session. */
const OVER = new Set([400, 404]);

/**
 * The stream on which a legacy server sends what belongs to no request. It is opened again for ever, unless the server
 * says that it offers none (2025-11-25 basic/transports, Listening for Messages from the Server).
 */
export class NotificationStream {
  readonly #host: StreamHost;
  #request: HttpRequest | undefined;
  /** The headers of the last attempt. */
  #headers: Readonly<Record<string, string>> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #bookmark: Bookmark = { lastEventId: undefined, retry: undefined };
  #failures = 0;
  #wasOpen = false;
  #reading = false;
  #closed = false;

  constructor(host: StreamHost) {
    this.#host = host;
  }

  /** Asks for the stream. Settles with the first answer, whatever it is. */
  async open(challenge?: Challenge): Promise<void> {
    const { wire, context } = this.#host;
    const headers = await this.#host.headers(challenge).catch(() => undefined);
    if (this.#closed) return;
    if (headers === undefined) return this.#again();
    // Whoever signs in has no other credentials than those that were refused.
    if (challenge !== undefined && isDeepStrictEqual(headers, this.#headers)) return;
    this.#headers = { ...headers };
    const { lastEventId } = this.#bookmark;
    if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
    await new Promise<void>((settled) => {
      this.#request = wire.request(
        { method: 'GET', headers, urgent: true },
        {
          onresponse: (response) => {
            if (isEventStream(response)) this.#read(response, lastEventId !== undefined);
            else this.#onrefusal(response, challenge !== undefined);
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

  /** Opens the stream anew where there was one: it may have died without a sign. */
  renew(): void {
    if (this.#closed || !this.#wasOpen) return;
    this.#request?.abort();
    // The end of an open stream plans the next one by itself.
    if (this.#reading) return;
    clearTimeout(this.#timer);
    void this.open();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#request?.abort();
  }

  #read(response: Reply, resumed: boolean): void {
    const { context, intake } = this.#host;
    if (this.#wasOpen && !resumed) context.onmissed();
    this.#wasOpen = true;
    this.#reading = true;
    const before = this.#bookmark.lastEventId;
    const since = performance.now();
    let fruitful = false;
    if (context.onalive !== undefined) heed(response, () => context.onalive?.());
    this.#bookmark = readEvents(response, {
      context,
      intake,
      from: this.#bookmark,
      onmessage: (envelope) => {
        fruitful = true;
        return this.#host.take(envelope);
      },
      onother: () => (fruitful = true),
      onoversize: (outline, length) => this.#host.drop(outline, length),
      onend: () => {
        this.#reading = false;
        const { lastEventId, retry } = this.#bookmark;
        // An id or a time to wait is how servers let a client poll (2025-11-25 basic/transports, Sending).
        const polled = retry !== undefined || lastEventId !== before;
        if (fruitful || polled || performance.now() - since > SHORT) this.#failures = 0;
        this.#again();
      },
    });
  }

  #onrefusal(response: Reply, signedAnew: boolean): void {
    const { context } = this.#host;
    discard(response);
    const refusal = refusalOf(response, context.endpoint.label, true);
    context.log.debug?.('no notification stream: %s', refusal.message);
    if (refusal.challenge !== undefined && !signedAnew) void this.open(refusal.challenge);
    else if (refusal.delivered === 'unknown' || refusal.code === 'MCPC_RATE_LIMITED') this.#again();
    // The first refusal says that there is no such stream; one in the place of a stream, that the session is over.
    else if (this.#wasOpen && OVER.has(refusal.status!)) context.onforgotten();
  }

  #again(): void {
    if (this.#closed) return;
    const backoff = Math.min(FIRST_WAIT * 2 ** Math.min(this.#failures++, 10), LONGEST_WAIT);
    const wait = Math.max(this.#bookmark.retry ?? 0, backoff * (0.5 + Math.random() / 2));
    this.#timer = setTimeout(() => void this.open(), wait).unref();
  }
}

/** Empty resumptions in a row after which a reply is given up: the server has forgotten it. */
const MOST_EMPTY = 5;

/** What a resumption ends in. */
export interface ResumeEvents {
  /** The stream goes on behind the bookmark. */
  onresponse(response: Reply, from: Bookmark): void;
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
  #aborted = false;

  constructor(host: StreamHost, events: ResumeEvents) {
    this.#host = host;
    this.#events = events;
  }

  /** Plans the next connection behind the bookmark. `fruitful` tells that the last one brought anything. */
  plan(bookmark: Bookmark, fruitful: boolean): void {
    this.#empty = fruitful ? 0 : this.#empty + 1;
    this.#deadline = performance.now() + this.#host.context.settings.timeout;
    if (this.#empty >= MOST_EMPTY) return this.#lost('it was resumed, but brought nothing');
    this.#wait(bookmark);
  }

  abort(): void {
    this.#aborted = true;
    clearTimeout(this.#timer);
    this.#request?.abort();
  }

  #wait(bookmark: Bookmark): void {
    this.#timer = setTimeout(() => void this.#connect(bookmark), bookmark.retry ?? FIRST_WAIT);
  }

  async #connect(bookmark: Bookmark): Promise<void> {
    let headers: Record<string, string>;
    try {
      headers = await this.#host.headers();
    } catch (error) {
      return this.#retry(bookmark, reasonOf(error));
    }
    if (this.#aborted) return;
    this.#request = this.#host.wire.request(
      { method: 'GET', headers: { ...headers, 'last-event-id': bookmark.lastEventId ?? '' }, urgent: true },
      {
        onresponse: (response) => {
          if (isEventStream(response)) return this.#events.onresponse(response, bookmark);
          discard(response);
          const status = response.statusCode!;
          const reason = `the server answered ${status} to resuming it`;
          if (status < 500 && status !== 429) this.#lost(reason);
          else this.#retry(bookmark, reason);
        },
        onerror: (error) => this.#retry(bookmark, error.message),
      },
    );
  }

  #retry(bookmark: Bookmark, reason: string): void {
    if (this.#aborted) return;
    if (performance.now() + (bookmark.retry ?? FIRST_WAIT) > this.#deadline) this.#lost(reason);
    else this.#wait(bookmark);
  }

  #lost(reason: string): void {
    const { label } = this.#host.context.endpoint;
    const text = `The reply of ${label} was cut and could not be resumed: ${reason}.`;
    this.#events.onlost(new ConnectorError('MCPC_CONNECTION_LOST', text, { delivered: 'unknown' }));
  }
}
