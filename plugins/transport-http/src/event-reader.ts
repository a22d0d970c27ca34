import { Envelope, reasonOf, type Outline, type TransportContext } from '@mcp-connect/core';
import type { Intake } from './intake.js';
import type { Reply } from './reply.js';
import { SseParser, type Bookmark, type ServerEvent, type SseParserOptions } from './sse.js';

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
