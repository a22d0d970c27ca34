import {
  ConnectorError,
  Envelope,
  heed,
  InFlight,
  keyOf,
  outlineOf,
  reasonOf,
  type Outline,
  type RequestId,
} from '@mcp-connect/core';
import { isNameless, withIdOf } from './answer.js';
import { collect, cut, noAnswer, notMcp, otherId, tooLarge, type Body } from './body.js';
import type { Reply } from './reply.js';
import type { Bookmark } from './sse.js';
import { isEventStream, readEvents, Resumption, type StreamHost } from './streams.js';
import type { HttpRequest } from './wire.js';

/** How long a server may take to end a stream behind its answer, in milliseconds. */
const LINGER = 1_000;

/** A request whose answer has not come. */
export interface Pending {
  readonly envelope: Envelope;
  readonly modern: boolean;
  request: HttpRequest | undefined;
  resumption: Resumption | undefined;
  /** Breaks off a reply that can be taken up again where it ended. */
  renew?: () => void;
  /** The id of an answer that came in its reply, but that no request waits for. */
  stray: string | undefined;
  /** True until the server begins to reply. */
  waiting: boolean;
}

/** What replies need of the transport that asks for them. */
export interface ReplyHost extends StreamHost {
  /** Told of the answer to `initialize`. */
  onsession(answer: Envelope): void;
  /** Refuses a request of the server that is too large. `idText` is its id as JSON. */
  refuse(idText: string): void;
}

/** The requests that wait for their answers, and the replies in which these come. */
export class Replies {
  readonly #host: ReplyHost;
  readonly #pending = new InFlight<Pending>();

  constructor(host: ReplyHost) {
    this.#host = host;
  }

  /** Puts a request on the list. */
  expect(envelope: Envelope, modern: boolean): Pending {
    const pending: Pending = {
      envelope,
      modern,
      request: undefined,
      resumption: undefined,
      stray: undefined,
      waiting: true,
    };
    this.#pending.set(envelope.key!, pending);
    return pending;
  }

  find(key: RequestId | undefined): Pending | undefined {
    return key === undefined ? undefined : this.#pending.get(key);
  }

  /** All requests on the list. */
  all(): Iterable<Pending> {
    return this.#pending.values();
  }

  /** Takes a request off the list. */
  forget({ envelope }: Pending): void {
    this.#pending.delete(envelope.key!);
  }

  clear(): void {
    this.#pending.clear();
  }

  /** Reads a reply to its end, of whichever kind it is. */
  read(pending: Pending, response: Reply): void {
    this.#heed(pending, response);
    if (isEventStream(response)) return this.#readStream(pending, response);
    const { settings, endpoint } = this.#host.context;
    const options = { label: endpoint.label, limit: settings.maxMessageSize, intake: this.#host.intake };
    collect(response, options, (body) => this.#onbody(pending, response, body));
  }

  get #label(): string {
    return this.#host.context.endpoint.label;
  }

  /** Tells of every byte of a reply, where silence is measured: comments of a stream are a sign of life too. */
  #heed({ envelope }: Pending, response: Reply): void {
    const { onalive } = this.#host.context;
    if (onalive === undefined) return;
    onalive(envelope.key);
    heed(response, () => onalive(envelope.key));
  }

  #onbody(pending: Pending, response: Reply, body: Body): void {
    if (body instanceof ConnectorError) return this.#lose(pending, body);
    if (body.size === 0) {
      return this.#lose(pending, noAnswer(this.#label, `an empty body (${response.statusCode})`));
    }
    try {
      const { size } = body;
      const wait = this.#deliverAll(pending, body.finish({ framed: isFramed(response) }));
      if (wait !== undefined) this.#host.intake.handOver(size, wait);
    } catch (cause) {
      return this.#lose(pending, notMcp(this.#label, mediaTypeOf(response), cause));
    }
    if (this.#waits(pending)) {
      this.#lose(pending, otherId(this.#label, pending.stray, 'messages that do not answer the request'));
    }
  }

  #readStream(pending: Pending, response: Reply, from?: Bookmark): void {
    const { settings, log } = this.#host.context;
    let fruitful = false;
    let lingering: NodeJS.Timeout | undefined;
    let silence: NodeJS.Timeout | undefined;
    // Servers that leave streams open behind the answer would use up all connections in the end.
    const release = (): void => {
      if (!this.#waits(pending)) lingering ??= setTimeout(() => response.destroy(), LINGER).unref();
    };
    // Behind an answer under an id that nobody used the right one may yet come, but it is not waited for without end.
    const doubt = (): void => {
      clearTimeout(silence);
      if (pending.stray === undefined || !this.#waits(pending)) return;
      silence = setTimeout(() => {
        this.#lose(pending, otherId(this.#label, pending.stray, 'nothing more behind it'));
        response.destroy();
      }, settings.timeout).unref();
    };
    const bookmark = readEvents(response, {
      maxLength: settings.maxMessageSize,
      intake: this.#host.intake,
      from,
      onevent: ({ event, data, complete }) => {
        fruitful = true;
        if (event !== 'message') return undefined;
        try {
          const envelope = Envelope.read(data, { framed: complete });
          const wait = this.#deliverAll(pending, envelope);
          if (envelope.kind !== 'notification') release();
          if (pending.stray !== undefined) doubt();
          return wait;
        } catch (error) {
          log.warn?.('%s sent an event that is no message: %s', this.#label, reasonOf(error));
          // A broken notification is no loss; anything else on this stream can only have been the answer.
          if (complete && outlineOf(data).method === undefined)
            this.#lose(pending, notMcp(this.#label, 'an event', error));
          return undefined;
        }
      },
      onoversize: (outline, length) => {
        this.drop(outline, length, pending);
        release();
      },
      onend: (error) => {
        clearTimeout(lingering);
        clearTimeout(silence);
        if (!this.#waits(pending)) return;
        if (pending.modern || bookmark.lastEventId === undefined) {
          const lost =
            error === undefined
              ? otherId(this.#label, pending.stray, 'a stream that ended')
              : cut(this.#label, error);
          return this.#lose(pending, lost);
        }
        delete pending.renew;
        pending.resumption ??= new Resumption(this.#host, {
          onresponse: (next, last) => {
            this.#heed(pending, next);
            this.#readStream(pending, next, last);
          },
          onlost: (lost) => this.#lose(pending, lost),
        });
        // An id without data is a sign of life too: so servers let a client poll (2025-11-25 basic/transports).
        pending.resumption.plan(bookmark, fruitful || bookmark.lastEventId !== from?.lastEventId);
      },
    });
    pending.renew = () => {
      // A stream of news is opened anew by the line.
      const isRenewed = pending.modern ? isNews(pending) : bookmark.lastEventId !== undefined;
      if (isRenewed) response.destroy();
    };
  }

  #deliverAll(pending: Pending, envelope: Envelope): void | Promise<void> {
    if (envelope.kind !== 'batch') return this.deliver(pending, envelope);
    const waits = envelope.parts().map((part) => this.deliver(pending, part));
    return waits.find((wait) => wait !== undefined);
  }

  /** Hands a message over, and takes the request off the list when it is the answer. */
  deliver(pending: Pending, envelope: Envelope): void | Promise<void> {
    if (envelope.kind !== 'response') return this.#host.context.onmessage(envelope, pending.envelope.key);
    const answered = isNameless(envelope) ? withIdOf(envelope, pending.envelope) : envelope;
    const holder = answered.key === pending.envelope.key ? pending : this.#pending.get(answered.key!);
    if (holder?.envelope.method === 'initialize') this.#host.onsession(answered);
    if (holder !== undefined) this.#pending.delete(holder.envelope.key!);
    else pending.stray = answered.idText;
    return this.#host.context.onmessage(answered);
  }

  /** Drops a message above the limit: an answer fails its request, and a server's own request is refused. */
  drop({ id, method }: Outline, length: number, stream?: Pending): void {
    const { log, settings } = this.#host.context;
    log.warn?.('%s sent a message of %d bytes, which is dropped', this.#label, length);
    const key = id === undefined ? undefined : keyOf(id);
    if (method === undefined) {
      const holder = (key === undefined ? undefined : this.#pending.get(key)) ?? stream;
      if (holder !== undefined) this.#lose(holder, tooLarge(this.#label, settings.maxMessageSize));
    } else if (id !== undefined && key !== undefined) this.#host.refuse(id);
  }

  #waits(pending: Pending): boolean {
    return this.#pending.get(pending.envelope.key!) === pending;
  }

  #lose(pending: Pending, error: ConnectorError): void {
    if (!this.#waits(pending)) return;
    this.#pending.delete(pending.envelope.key!);
    this.#host.context.onlost(pending.envelope.key!, error);
  }
}

/** Whether the end of a body is told apart from a connection that ended too soon (RFC 9112 section 6.3). */
function isFramed({ headers }: Reply): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** True for a stream that never ends by itself (2026-07-28 patterns/subscriptions). */
function isNews({ envelope }: Pending): boolean {
  return envelope.method === 'subscriptions/listen';
}

/** The media type without its parameters, in which a server may say anything. */
function mediaTypeOf({ headers }: Reply): string {
  return headers['content-type']?.split(';', 1)[0] ?? 'no content type';
}
