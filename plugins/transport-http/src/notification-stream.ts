import { isDeepStrictEqual } from 'node:util';
import { heed, type Challenge, type Envelope, type Outline, type TransportContext } from '@mcp-connect/core';
import { isEventStream, readEvents } from './event-reader.js';
import type { Intake } from './intake.js';
import type { Reply } from './reply.js';
import type { Bookmark } from './sse.js';
import { refusalOf } from './status.js';
import { discard, type HttpRequest, type Wire } from './wire.js';

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

/** The wait before a stream is asked for again where the server does not say how long, in milliseconds. */
export const FIRST_WAIT = 1_000;
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
            else this.#onrefusal(response, headers, challenge !== undefined);
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

  #onrefusal(response: Reply, headers: Readonly<Record<string, string>>, signedAnew: boolean): void {
    const { context } = this.#host;
    discard(response);
    const refusal = refusalOf(response, { label: context.endpoint.label, session: true, headers });
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
