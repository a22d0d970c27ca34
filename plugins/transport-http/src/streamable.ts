import type { IncomingMessage } from 'node:http';
import {
  atMost,
  ConnectorError,
  Envelope,
  keyOf,
  outlineOf,
  reasonOf,
  type Challenge,
  type Credentials,
  type Outline,
  type RequestId,
  type Transport,
  type TransportContext,
} from '@mcp-connect/core';
import { errorIn, isFinal, isForgotten, isNameless, sessionLost, withIdOf } from './answer.js';
import {
  collect,
  cut,
  noAnswer,
  notMcp,
  otherId,
  refuseTooLarge,
  tooLarge,
  type Body,
  type CollectOptions,
} from './body.js';
import {
  mirroredHeaders,
  modernHeaders,
  modernVersion,
  postHeaders,
  sessionHeaders,
  streamHeaders,
} from './headers.js';
import { Intake } from './intake.js';
import { openLegacySse } from './legacy-sse.js';
import type { Bookmark } from './sse.js';
import { bidsAgain, refusalOf } from './status.js';
import { isEventStream, NotificationStream, readEvents, Resumption, type StreamHost } from './streams.js';
import { openWire, type HttpRequest, type Wire } from './wire.js';

/** How long the first request may wait for the notification stream, in milliseconds. */
const STREAM_PATIENCE = 500;
/** How long a server may take to end a stream behind its answer, in milliseconds. */
const LINGER = 1_000;
/** How long the end of a session may take to reach the server, in milliseconds. */
const FAREWELL = 1_000;
/** How long the body of a refusal may take, in milliseconds. */
const REFUSAL_PATIENCE = 2_000;
/** How long a server may take to show that it speaks HTTP with SSE, in milliseconds. */
const FALLBACK_PATIENCE = 5_000;
/** Refusals of `initialize` that an older server may mean (2025-11-25 basic/transports, Backwards Compatibility). */
const FALLBACK_STATUSES = new Set([400, 404, 405]);
/** Session ids are visible ASCII; anything else could forge headers (2025-11-25 basic/transports). */
const SESSION_ID = /^[\x21-\x7e]+$/;

/** A legacy session as the server named it. */
interface Session {
  readonly id: string | undefined;
  /** The negotiated revision; known once `initialize` is answered. */
  readonly version: string | undefined;
}

const NO_SESSION: Session = { id: undefined, version: undefined };

/** A request whose answer has not come. */
interface Pending {
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

/** Opens Streamable HTTP, which connects with the first message and no sooner. */
export async function openStreamable(context: TransportContext): Promise<Transport> {
  return new Streamable(context, await openWire(context));
}

/**
 * Streamable HTTP as a client, for every revision: each message is a POST, each reply a JSON body or an event stream.
 * Legacy sessions, their notification stream and resumption are kept here; modern messages need none of them.
 */
class Streamable implements Transport, StreamHost {
  readonly context: TransportContext;
  readonly wire: Wire;
  readonly intake = new Intake();
  readonly #pending = new Map<RequestId, Pending>();
  #session: Session = NO_SESSION;
  /** True once the server has served a message in this session. */
  #proven = false;
  #notifications: NotificationStream | undefined;
  /** Bytes of requests to which the server has not begun to reply. */
  #waiting = 0;
  #room: Promise<void> | undefined;
  #makeRoom: (() => void) | undefined;
  /** Takes over when the server turns out to speak only HTTP with SSE. */
  #fallback: Transport | undefined;
  #closing: Promise<void> | undefined;

  constructor(context: TransportContext, wire: Wire) {
    this.context = context;
    this.wire = wire;
  }

  send(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    if (this.#closing !== undefined) {
      throw new ConnectorError('MCPC_CONNECTION_LOST', `The connection to ${this.#label} is closed.`);
    }
    if (this.#fallback !== undefined) return this.#fallback.send(envelope, credentials);
    if (envelope.kind === 'request') return this.#request(envelope, credentials);
    if (envelope.method === 'notifications/cancelled' && this.#cancel(envelope)) return undefined;
    return this.#tell(envelope, credentials);
  }

  /** Asks for a pause while requests that the server has not taken up fill more than one message may. */
  drain(): Promise<void> | undefined {
    if (this.#waiting <= this.context.settings.maxMessageSize) return this.#fallback?.drain?.();
    this.#room ??= new Promise((resolve) => (this.#makeRoom = resolve));
    return this.#room;
  }

  /** Connections that are kept and streams that are open may have died; whatever can be taken up again is. */
  wake(): boolean {
    this.wire.rest();
    this.#notifications?.renew();
    for (const { renew } of this.#pending.values()) renew?.();
    return this.#fallback?.wake?.() ?? false;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Headers of a GET in the current session. */
  async headers(challenge?: Challenge): Promise<Record<string, string>> {
    const { headers } = await this.context.credentials(challenge);
    return streamHeaders(sessionHeaders(this.#session.id, this.#session.version), headers);
  }

  get #label(): string {
    return this.context.endpoint.label;
  }

  #request(envelope: Envelope, credentials: Credentials): Promise<void> {
    if (envelope.method === 'initialize') this.#forgetSession();
    const version = modernVersion(envelope);
    const pending: Pending = {
      envelope,
      modern: version !== undefined,
      request: undefined,
      resumption: undefined,
      stray: undefined,
      waiting: true,
    };
    this.#pending.set(envelope.key!, pending);
    this.#waiting += envelope.size;
    return new Promise((resolve, reject) => {
      const fail = (error: ConnectorError): void => {
        this.#takenUp(pending);
        this.#pending.delete(envelope.key!);
        reject(error);
      };
      const headers = this.#postHeaders(envelope, version, credentials);
      const session = headers['mcp-session-id'] !== undefined;
      pending.request = this.wire.request(
        { method: 'POST', headers, body: envelope.bytes },
        {
          onerror: fail,
          onresponse: (response) => {
            this.#takenUp(pending);
            if (response.statusCode! < 300) {
              this.#onreply(pending, response);
              resolve();
            } else this.#onrefusal(pending, response, session, credentials).then(resolve, fail);
          },
        },
      );
    });
  }

  #takenUp(pending: Pending): void {
    if (!pending.waiting) return;
    pending.waiting = false;
    this.#waiting -= pending.envelope.size;
    if (this.#room === undefined || this.#waiting > this.context.settings.maxMessageSize) return;
    this.#makeRoom?.();
    this.#room = undefined;
  }

  /** Sends what has no answer. After `initialized` the notification stream is asked for before anything else leaves. */
  async #tell(envelope: Envelope, credentials: Credentials): Promise<void> {
    const headers = this.#postHeaders(envelope, modernVersion(envelope), credentials);
    const session = headers['mcp-session-id'] !== undefined;
    await new Promise<void>((resolve, reject) => {
      this.wire.request(
        { method: 'POST', headers, body: envelope.bytes, urgent: true },
        {
          onerror: reject,
          onresponse: (response) => {
            response.resume();
            if (response.statusCode! < 300) resolve();
            else reject(refusalOf(response, this.#label, session));
          },
        },
      );
    });
    if (envelope.method === 'notifications/initialized') await this.#listen();
  }

  #postHeaders(
    envelope: Envelope,
    modern: string | undefined,
    credentials: Credentials,
  ): Record<string, string> {
    if (modern !== undefined)
      return postHeaders(modernHeaders(envelope, modern), mirroredHeaders(credentials.headers));
    return postHeaders(sessionHeaders(this.#session.id, this.#session.version), credentials.headers);
  }

  // ── Replies ──────────────────────────────────────────────────────────────────────────────────────────────────

  #onreply(pending: Pending, response: IncomingMessage): void {
    if (pending.envelope.method === 'initialize') this.#beginSession(response.headers['mcp-session-id']);
    else this.#proven = true;
    this.#heed(pending, response);
    if (isEventStream(response)) this.#readStream(pending, response);
    else collect(response, this.#collecting, (body) => this.#onbody(pending, response, body));
  }

  get #collecting(): CollectOptions {
    return { label: this.#label, limit: this.context.settings.maxMessageSize, intake: this.intake };
  }

  /** Tells of every byte of a reply, where silence is measured: comments of a stream are a sign of life too. */
  #heed({ envelope }: Pending, response: IncomingMessage): void {
    const { onalive } = this.context;
    if (onalive === undefined) return;
    onalive(envelope.key);
    response.on('data', () => onalive(envelope.key));
  }

  #onbody(pending: Pending, response: IncomingMessage, body: Body): void {
    if (body instanceof ConnectorError) return this.#lose(pending, body);
    if (body.size === 0) {
      return this.#lose(pending, noAnswer(this.#label, `an empty body (${response.statusCode})`));
    }
    try {
      for (const part of body.finish().parts()) {
        const wait = this.#deliver(pending, part);
        if (wait !== undefined) this.intake.handOver(part.size, wait);
      }
    } catch (cause) {
      return this.#lose(
        pending,
        notMcp(this.#label, response.headers['content-type'] ?? 'no content type', cause),
      );
    }
    if (this.#waits(pending)) {
      this.#lose(pending, otherId(this.#label, pending.stray, 'messages that do not answer the request'));
    }
  }

  #readStream(pending: Pending, response: IncomingMessage, from?: Bookmark): void {
    const { settings, log } = this.context;
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
      intake: this.intake,
      from,
      onevent: ({ event, data, complete }) => {
        fruitful = true;
        if (event !== 'message') return undefined;
        try {
          const waits = Envelope.read(data)
            .parts()
            .map((part) => this.#deliver(pending, part));
          release();
          doubt();
          return waits.find((wait) => wait !== undefined);
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
        pending.resumption ??= new Resumption(this, {
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
      if (!pending.modern && bookmark.lastEventId !== undefined) response.destroy();
    };
  }

  /** Hands a message over, and takes the request off the list when it is the answer. */
  #deliver(pending: Pending, envelope: Envelope): void | Promise<void> {
    if (envelope.kind !== 'response') return this.context.onmessage(envelope, pending.envelope.key);
    const answered = isNameless(envelope) ? withIdOf(envelope, pending.envelope) : envelope;
    const holder = answered.key === pending.envelope.key ? pending : this.#pending.get(answered.key!);
    if (holder?.envelope.method === 'initialize') this.#nameSession(answered);
    if (holder !== undefined) this.#pending.delete(holder.envelope.key!);
    else pending.stray = answered.idText;
    return this.context.onmessage(answered);
  }

  /** Drops a message above the limit: an answer fails its request, and a server's own request is refused. */
  drop({ id, method }: Outline, length: number, stream?: Pending): void {
    const { log, settings } = this.context;
    log.warn?.('%s sent a message of %d bytes, which is dropped', this.#label, length);
    const key = id === undefined ? undefined : keyOf(id);
    if (method === undefined) {
      const holder = (key === undefined ? undefined : this.#pending.get(key)) ?? stream;
      if (holder !== undefined) this.#lose(holder, tooLarge(this.#label, settings.maxMessageSize));
    } else if (id !== undefined && key !== undefined) void this.#refuse(id);
  }

  /** The server waits for an answer to its request, also where that is too large to be kept. */
  async #refuse(idText: string): Promise<void> {
    const { settings, log } = this.context;
    try {
      await this.#tell(refuseTooLarge(idText, settings.maxMessageSize), await this.context.credentials());
    } catch (error) {
      log.warn?.('%s was not told that its request is too large: %s', this.#label, reasonOf(error));
    }
  }

  #waits(pending: Pending): boolean {
    return this.#pending.get(pending.envelope.key!) === pending;
  }

  #lose(pending: Pending, error: ConnectorError): void {
    if (!this.#waits(pending)) return;
    this.#pending.delete(pending.envelope.key!);
    this.context.onlost(pending.envelope.key!, error);
  }

  /** Cancels the way of the modern revision, by closing the stream (2026-07-28 patterns/cancellation). */
  #cancel(envelope: Envelope): boolean {
    const { requestId } = (envelope.message as { params?: { requestId?: RequestId } }).params ?? {};
    const pending = requestId === undefined ? undefined : this.#pending.get(requestId);
    if (pending?.modern !== true) return false;
    this.#pending.delete(requestId!);
    this.#takenUp(pending);
    pending.request?.abort();
    return true;
  }

  // ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The body of a refusal; a server that does not end it in time has none. */
  async #bodyOf(response: IncomingMessage): Promise<Body> {
    const late = setTimeout(() => response.destroy(), REFUSAL_PATIENCE);
    try {
      return await new Promise((done) => collect(response, this.#collecting, done));
    } finally {
      clearTimeout(late);
    }
  }

  /** A refusal that holds a JSON-RPC error for this request is its answer; any other one rejects the sending. */
  async #onrefusal(
    pending: Pending,
    response: IncomingMessage,
    session: boolean,
    credentials: Credentials,
  ): Promise<void> {
    const { envelope } = pending;
    const refusal = refusalOf(response, this.#label, session);
    if (bidsAgain(refusal)) {
      response.resume();
      throw refusal;
    }
    const body = await this.#bodyOf(response);
    const answer = errorIn(body, envelope, refusal);
    // What it said is not logged: error pages may hold cookies, codes and the like, which nobody has named to the log.
    this.context.log.debug?.('%s refused %s: %s', this.#label, envelope.method, refusal.message);
    if (session && this.#proven && isForgotten(answer, refusal)) throw sessionLost(this.#label, refusal);
    const older =
      envelope.method === 'initialize' && FALLBACK_STATUSES.has(refusal.status!) && !isFinal(answer);
    if (older && (await this.#fallBack(envelope, credentials))) return;
    if (answer === undefined) throw refusal;
    void this.#deliver(pending, answer);
  }

  /** Tries the transport of 2024-11-05 at the same address. Returns false where the server does not speak it either. */
  async #fallBack(envelope: Envelope, credentials: Credentials): Promise<boolean> {
    const patience = AbortSignal.timeout(Math.min(FALLBACK_PATIENCE, this.context.settings.timeout));
    try {
      this.#fallback = await openLegacySse({ ...this.context, signal: patience });
    } catch (error) {
      this.context.log.debug?.('%s does not speak HTTP with SSE either: %s', this.#label, reasonOf(error));
      return false;
    }
    this.#pending.delete(envelope.key!);
    if (this.#closing !== undefined) await this.#fallback.close();
    this.context.log.debug?.('%s speaks HTTP with SSE', this.#label);
    await this.#fallback.send(envelope, credentials);
    return true;
  }

  // ── The session ──────────────────────────────────────────────────────────────────────────────────────────────

  #beginSession(id: string | string[] | undefined): void {
    this.#proven = false;
    if (typeof id !== 'string' || !SESSION_ID.test(id)) return;
    this.context.log.hide(id);
    this.#session = { id, version: undefined };
  }

  #nameSession(answer: Envelope): void {
    const { result } = answer.message as { result?: { protocolVersion?: unknown } };
    const version = result?.protocolVersion;
    if (typeof version === 'string') this.#session = { id: this.#session.id, version };
  }

  #forgetSession(): void {
    this.#session = NO_SESSION;
    this.#notifications?.close();
    this.#notifications = undefined;
  }

  /**
   * Asks for the notification stream and waits for the answer: a server drops requests of its own for which it has no
   * stream yet.
   */
  async #listen(): Promise<void> {
    this.#notifications?.close();
    const stream = new NotificationStream(this);
    this.#notifications = stream;
    await atMost(STREAM_PATIENCE, stream.open());
  }

  async #close(): Promise<void> {
    this.#makeRoom?.();
    this.#notifications?.close();
    for (const { request, resumption } of this.#pending.values()) {
      resumption?.abort();
      request?.abort();
    }
    this.#pending.clear();
    await this.#fallback?.close();
    if (this.#session.id !== undefined) await atMost(FAREWELL, this.#endSession());
    this.wire.close();
  }

  /** Tells the server that the session is over; one that does not allow it answers 405, which is fine too. */
  async #endSession(): Promise<void> {
    const headers = await this.headers().catch(() => undefined);
    if (headers === undefined) return;
    await new Promise<void>((done) => {
      const onresponse = (response: IncomingMessage): void => void response.resume().once('close', done);
      this.wire.request({ method: 'DELETE', headers, urgent: true }, { onerror: () => done(), onresponse });
    });
  }
}
