import {
  ConnectorError,
  heed,
  InFlight,
  keyOf,
  type Envelope,
  type Outline,
  type RequestId,
} from '@mcp-connect/core';
import { isNameless, withIdOf } from './answer.js';
import { collect, noAnswer, notMcp, otherId, tooLarge, type Body } from './body.js';
import type { Pending } from './pending.js';
import type { Reply } from './reply.js';
import { readReplyStream, type ReplyBooks } from './reply-stream.js';
import { isEventStream } from './event-reader.js';
import type { StreamHost } from './notification-stream.js';

/** What replies need of the transport that asks for them. */
export interface ReplyHost extends StreamHost {
  /** Told of the answer to `initialize`. */
  onsession(answer: Envelope): void;
  /** Refuses a request of the server that is too large. `idText` is its id as JSON. */
  refuse(idText: string): void;
  /** Told of a request that was answered elsewhere than in its reply, which is of no use any more. */
  onelsewhere(pending: Pending): void;
}

/** The requests that wait for their answers, and the replies in which these come. */
export class Replies implements ReplyBooks {
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
    this.heed(pending, response);
    if (isEventStream(response)) return readReplyStream({ books: this, host: this.#host, pending, response });
    const { settings, endpoint } = this.#host.context;
    const options = { label: endpoint.label, limit: settings.maxMessageSize, intake: this.#host.intake };
    collect(response, options, (body) => this.#onbody(pending, response, body));
  }

  get #label(): string {
    return this.#host.context.endpoint.label;
  }

  /** Tells of every byte of a reply, where silence is measured: comments of a stream are a sign of life too. */
  heed({ envelope }: Pending, response: Reply): void {
    const { onalive } = this.#host.context;
    if (onalive === undefined) return;
    onalive(envelope.key);
    heed(response, () => onalive(envelope.key));
  }

  #onbody(pending: Pending, response: Reply, body: Body): void {
    if (body instanceof ConnectorError) return this.lose(pending, body);
    if (body.size === 0) {
      return this.lose(pending, noAnswer(this.#label, `an empty body (${response.statusCode})`));
    }
    try {
      const { size } = body;
      const wait = this.deliverAll(pending, body.finish({ framed: isFramed(response) }));
      if (wait !== undefined) this.#host.intake.handOver(size, wait);
    } catch (cause) {
      return this.lose(pending, notMcp(this.#label, mediaTypeOf(response), cause));
    }
    if (this.waits(pending)) {
      this.lose(pending, otherId(this.#label, pending.stray, 'messages that do not answer the request'));
    }
  }

  /** Hands over a message, or each message of a batch; see {@link deliver}. */
  deliverAll(pending: Pending, envelope: Envelope): void | Promise<void> {
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
    if (holder !== undefined && holder !== pending) this.#host.onelsewhere(holder);
    return this.#host.context.onmessage(answered);
  }

  /** Hands over a message that came in no reply. Servers send answers so, though they should not. */
  take(envelope: Envelope): void | Promise<void> {
    const holder = envelope.kind === 'response' ? this.find(envelope.key) : undefined;
    if (holder !== undefined) {
      this.forget(holder);
      this.#host.onelsewhere(holder);
    }
    return this.#host.context.onmessage(envelope);
  }

  /** Drops a message above the limit: an answer fails its request, and a server's own request is refused. */
  drop({ id, method }: Outline, length: number, stream?: Pending): void {
    const { log, settings } = this.#host.context;
    log.warn?.('%s sent a message of %d bytes, which is dropped', this.#label, length);
    const key = id === undefined ? undefined : keyOf(id);
    if (method === undefined) {
      const holder = (key === undefined ? undefined : this.#pending.get(key)) ?? stream;
      if (holder !== undefined) this.lose(holder, tooLarge(this.#label, settings.maxMessageSize));
    } else if (id !== undefined && key !== undefined) this.#host.refuse(id);
  }

  /** True while the request is on the list. */
  waits(pending: Pending): boolean {
    return this.#pending.get(pending.envelope.key!) === pending;
  }

  /** Tells that the request gets no answer, if it is on the list. */
  lose(pending: Pending, error: ConnectorError): void {
    if (!this.waits(pending)) return;
    this.#pending.delete(pending.envelope.key!);
    this.#host.context.onlost(pending.envelope.key!, error);
  }
}

/** Whether the end of a body is told apart from a connection that ended too soon (RFC 9112 section 6.3). */
function isFramed({ headers }: Reply): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** The media type without its parameters, in which a server may say anything. */
function mediaTypeOf({ headers }: Reply): string {
  return headers['content-type']?.split(';', 1)[0] ?? 'no content type';
}
