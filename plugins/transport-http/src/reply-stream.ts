import { outlineOf, type ConnectorError, type Envelope, type Outline } from '@mcp-connect/core';
import { cut, notMcp, otherId } from './body.js';
import type { Pending } from './pending.js';
import type { Reply } from './reply.js';
import type { Bookmark, ServerEvent } from './sse.js';
import { readEvents, type StreamEvents } from './event-reader.js';
import type { StreamHost } from './notification-stream.js';
import { Resumption } from './resumption.js';

/** How long a server may take to end a stream behind its answer, in milliseconds. */
const LINGER = 1_000;

/** Who knows which requests wait. */
export interface ReplyBooks {
  deliverAll(pending: Pending, envelope: Envelope): void | Promise<void>;
  /** Drops a message above the limit, which came in the reply to `stream`. */
  drop(outline: Outline, length: number, stream: Pending): void;
  heed(pending: Pending, response: Reply): void;
  lose(pending: Pending, error: ConnectorError): void;
  waits(pending: Pending): boolean;
}

/** A reply that is an event stream. */
export interface ReplyStreamOptions {
  readonly books: ReplyBooks;
  readonly host: StreamHost;
  readonly pending: Pending;
  readonly response: Reply;
  /** Where the stream is taken up again, when it is not new. */
  readonly from?: Bookmark;
}

/** Reads a reply that is an event stream to its end, and takes it up again where it was cut and can be. */
export function readReplyStream(options: ReplyStreamOptions): void {
  new ReplyStream(options).read();
}

// A class, since compiled code is made for methods: closures that are made anew for each reply would undo it.
class ReplyStream implements StreamEvents {
  readonly context: StreamHost['context'];
  readonly intake: StreamHost['intake'];
  readonly from: Bookmark | undefined;
  readonly unique = true;
  readonly #options: ReplyStreamOptions;
  readonly #books: ReplyBooks;
  readonly #pending: Pending;
  #bookmark: Bookmark | undefined;
  #fruitful = false;
  #lingering: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;

  constructor(options: ReplyStreamOptions) {
    const { books, host, pending, from } = options;
    this.#options = options;
    this.#books = books;
    this.#pending = pending;
    this.context = host.context;
    this.intake = host.intake;
    this.from = from;
  }

  read(): void {
    const { response } = this.#options;
    const bookmark = readEvents(response, this);
    this.#bookmark = bookmark;
    this.#pending.renew = () => {
      // A stream of news is opened anew by the line.
      const isRenewed = this.#pending.modern ? isNews(this.#pending) : bookmark.lastEventId !== undefined;
      if (isRenewed) response.destroy();
    };
  }

  onmessage(envelope: Envelope): void | Promise<void> {
    this.#fruitful = true;
    const wait = this.#books.deliverAll(this.#pending, envelope);
    if (envelope.kind !== 'notification') this.#release();
    if (this.#pending.stray !== undefined) this.#doubt();
    return wait;
  }

  onother({ data, complete }: ServerEvent, error: unknown): void {
    this.#fruitful = true;
    if (error === undefined || !complete) return;
    const { opening, method } = outlineOf(data);
    // A broken notification is no loss, nor are words by which servers keep streams alive; any other object on this
    // stream can only have been the answer.
    if (opening === '{' && method === undefined)
      this.#books.lose(this.#pending, notMcp(this.#label, 'an event', error));
  }

  onoversize(outline: Outline, length: number): void {
    this.#books.drop(outline, length, this.#pending);
    this.#release();
  }

  onend(error: Error | undefined): void {
    clearTimeout(this.#lingering);
    clearTimeout(this.#silence);
    const pending = this.#pending;
    if (!this.#books.waits(pending)) return;
    const bookmark = this.#bookmark!;
    if (pending.modern || bookmark.lastEventId === undefined) {
      const lost =
        error === undefined
          ? otherId(this.#label, pending.stray, 'a stream that ended')
          : cut(this.#label, error);
      return this.#books.lose(pending, lost);
    }
    delete pending.renew;
    pending.resumption ??= this.#resumption();
    // An id without data is a sign of life too: so servers let a client poll (2025-11-25 basic/transports).
    const moved = bookmark.lastEventId !== this.from?.lastEventId;
    pending.resumption.plan(bookmark, this.#fruitful || moved);
  }

  get #label(): string {
    return this.context.endpoint.label;
  }

  #resumption(): Resumption {
    const { books, host, pending } = this.#options;
    return new Resumption(host, {
      onresponse: (response, from) => {
        books.heed(pending, response);
        readReplyStream({ books, host, pending, response, from });
      },
      onlost: (error) => books.lose(pending, error),
    });
  }

  /** Servers that leave streams open behind the answer would use up all connections in the end. */
  #release(): void {
    if (this.#books.waits(this.#pending)) return;
    this.#lingering ??= setTimeout(() => this.#options.response.destroy(), LINGER).unref();
  }

  /** Behind an answer under an id that nobody used the right one may yet come, but it is not waited for without end. */
  #doubt(): void {
    const pending = this.#pending;
    clearTimeout(this.#silence);
    if (pending.stray === undefined || !this.#books.waits(pending)) return;
    this.#silence = setTimeout(() => {
      this.#books.lose(pending, otherId(this.#label, pending.stray, 'nothing more behind it'));
      this.#options.response.destroy();
    }, this.context.settings.timeout).unref();
  }
}

/** True for a stream that never ends by itself (2026-07-28 patterns/subscriptions). */
function isNews({ envelope }: Pending): boolean {
  return envelope.method === 'subscriptions/listen';
}
