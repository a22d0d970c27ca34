import {
  atMost,
  cancelledId,
  ConnectorError,
  reasonOf,
  type Challenge,
  type Credentials,
  type Envelope,
  type Outline,
  type RequestId,
  type Transport,
  type TransportContext,
} from '@mcp-connect/core';
import { errorIn, isFinal, isForgotten, sessionLost } from './answer.js';
import { bodyOfRefusal, refuseTooLarge, untaken } from './body.js';
import { mirroredHeaders, modernHeaders, modernVersion, postHeaders, signedHeaders } from './headers.js';
import { Intake } from './intake.js';
import { openLegacySse } from './legacy-sse.js';
import type { Pending } from './pending.js';
import { Replies, type ReplyHost } from './replies.js';
import type { Reply } from './reply.js';
import { Session } from './session.js';
import { bidsAgain, refusalOf } from './status.js';
import { MOST_TOLD, Turns } from './turns.js';
import { discard, openWire, type Wire } from './wire.js';

/** How long a server may take to answer a request that was cancelled, in milliseconds. */
const CANCEL_PATIENCE = 500;
/** How long the reply to a request may take that was answered elsewhere, in milliseconds. */
const LINGER = 1_000;
/** How long the end of a session may take to reach the server, in milliseconds. */
const FAREWELL = 1_000;
/** How long a server may take to show that it speaks HTTP with SSE, in milliseconds. */
const FALLBACK_PATIENCE = 5_000;
/** Refusals of `initialize` that an older server may mean (2025-11-25 basic/transports, Backwards Compatibility). */
const FALLBACK_STATUSES = new Set([400, 404, 405]);
/** For earlier revisions any 4xx may mean it, but for those that close the way to all, or for a while. */
const CLOSED_STATUSES = new Set([401, 403, 407, 408, 429]);
const FIRST_WITH_FEW = '2025-11-25';
/** Requests that ask whether the server lives: they wait for none that it may never answer. */
const SIGNS_OF_LIFE = new Set<string | undefined>(['ping', 'server/discover']);
/** Opens Streamable HTTP, which connects with the first message and no sooner. */
export async function openStreamable(context: TransportContext): Promise<Transport> {
  return new Streamable(context, await openWire(context));
}

/**
 * Streamable HTTP as a client, for every revision: each message is a POST, each reply a JSON body or an event stream.
 * Legacy sessions, their notification stream and resumption are kept here; modern messages need none of them.
 */
class Streamable implements Transport, ReplyHost {
  readonly context: TransportContext;
  readonly wire: Wire;
  readonly intake = new Intake();
  readonly #replies = new Replies(this);
  readonly #session = new Session(this);
  /** The modern version that the last request carried; undefined where it was of an older revision. */
  #spoken: string | undefined;
  readonly #told = new Turns(MOST_TOLD);
  /** Bytes of messages to which the server has not begun to reply. */
  #waiting = 0;
  #room: Promise<void> | undefined;
  #makeRoom: (() => void) | undefined;
  /** Takes over when the server turns out to speak only HTTP with SSE. */
  #fallback: Transport | undefined;
  #closing: Promise<void> | undefined;
  /** True once nothing more may be sent. */
  #over = false;

  constructor(context: TransportContext, wire: Wire) {
    this.context = context;
    this.wire = wire;
  }

  /** A server that names no session keeps none (2025-11-25 basic/transports, Session Management). */
  get stateful(): boolean {
    return this.#fallback !== undefined || this.#session.id !== undefined;
  }

  send(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    if (this.#closing !== undefined) throw closed(this.#label);
    if (this.#fallback !== undefined) return this.#fallback.send(envelope, credentials);
    if (envelope.kind === 'request') return this.#request(envelope, credentials);
    if (envelope.method === 'notifications/cancelled' && this.#cancel(envelope)) return undefined;
    return this.#tell(envelope, credentials);
  }

  withdraw(id: RequestId): boolean {
    if (this.#fallback !== undefined) return this.#fallback.withdraw?.(id) ?? false;
    const pending = this.#replies.find(id);
    if (pending?.request === undefined || pending.request.hasLeft()) return false;
    this.#giveUp(pending);
    return true;
  }

  /** Asks for a pause while messages that the server has not taken up fill more than one message may. */
  drain(): Promise<void> | undefined {
    if (this.#waiting <= this.context.settings.maxMessageSize) return this.#fallback?.drain?.();
    this.#room ??= new Promise((resolve) => (this.#makeRoom = resolve));
    return this.#room;
  }

  /** Connections that are kept and streams that are open may have died; whatever can be taken up again is. */
  wake(): boolean {
    this.wire.rest();
    this.#session.renew();
    for (const { renew } of this.#replies.all()) renew?.();
    return this.#fallback?.wake?.() ?? false;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  headers(challenge?: Challenge): Promise<Record<string, string>> {
    return this.#session.headersOfStream(challenge);
  }

  get #label(): string {
    return this.context.endpoint.label;
  }

  #request(envelope: Envelope, credentials: Credentials): Promise<void> {
    if (envelope.method === 'initialize') this.#session.forget();
    const version = (this.#spoken = modernVersion(envelope));
    // The same request again: the answer to the earlier one is no longer waited for.
    const earlier = this.#replies.find(envelope.key);
    if (earlier !== undefined) this.#giveUp(earlier);
    const headers = this.#postHeaders(envelope, version, credentials);
    const pending = this.#replies.expect(envelope, version !== undefined);
    this.#waiting += envelope.size;
    return new Promise((resolve, reject) => {
      const fail = (error: ConnectorError): void => {
        this.#takenUp(pending);
        this.#replies.forget(pending);
        reject(error);
      };
      pending.request = this.wire.request(
        { method: 'POST', headers, body: envelope.bytes, urgent: SIGNS_OF_LIFE.has(envelope.method) },
        {
          onerror: fail,
          onresponse: (response) => {
            this.#takenUp(pending);
            if (response.statusCode! < 300) {
              this.#onreply(pending, response);
              resolve();
            } else this.#onrefusal(pending, response, headers, credentials).then(resolve, fail);
          },
        },
      );
    });
  }

  #takenUp(pending: Pending): void {
    if (!pending.waiting) return;
    pending.waiting = false;
    this.#taken(pending.envelope.size);
  }

  #taken(bytes: number): void {
    this.#waiting -= bytes;
    if (this.#room === undefined || this.#waiting > this.context.settings.maxMessageSize) return;
    this.#makeRoom?.();
    this.#room = undefined;
  }

  /** Sends what has no answer. After `initialized` the notification stream is asked for before anything else leaves. */
  async #tell(envelope: Envelope, credentials: Credentials): Promise<void> {
    // Only requests have to describe themselves; the headers belong on all that is posted (2026-07-28 streamable-http).
    const version = modernVersion(envelope) ?? (envelope.method === undefined ? undefined : this.#spoken);
    const headers = this.#postHeaders(envelope, version, credentials);
    const { size } = envelope;
    this.#waiting += size;
    try {
      await this.#told.run(() => this.#post(envelope, headers));
    } finally {
      this.#taken(size);
    }
    if (envelope.method === 'notifications/initialized') await this.#session.listen();
  }

  async #post(envelope: Envelope, headers: Record<string, string>): Promise<void> {
    if (this.#over) throw closed(this.#label);
    const session = headers['mcp-session-id'];
    await new Promise<void>((resolve, reject) => {
      const { timeout } = this.context.settings;
      const request = this.wire.request(
        { method: 'POST', headers, body: envelope.bytes, urgent: true },
        {
          onerror: (error) => {
            clearTimeout(late);
            reject(error);
          },
          onresponse: (response) => {
            clearTimeout(late);
            discard(response);
            if (response.statusCode! < 300) return resolve();
            const refusal = this.#refusalOf(response, headers);
            this.#session.noteLoss(refusal, session);
            reject(refusal);
          },
        },
      );
      // A server that never says that it took a message would use up connections without end.
      const late = setTimeout(() => {
        request.abort();
        reject(untaken(this.#label, timeout));
      }, timeout);
    });
  }

  #postHeaders(
    envelope: Envelope,
    modern: string | undefined,
    credentials: Credentials,
  ): Record<string, string> {
    const headers =
      modern === undefined
        ? postHeaders(this.#session.headers(), credentials.headers)
        : postHeaders(modernHeaders(envelope, modern), mirroredHeaders(credentials.headers));
    return signedHeaders(credentials, { method: 'POST', url: this.wire.url, headers, body: envelope.bytes });
  }

  // ── Replies ──────────────────────────────────────────────────────────────────────────────────────────────────

  #onreply(pending: Pending, response: Reply): void {
    if (pending.envelope.method === 'initialize') this.#session.begin(response.headers['mcp-session-id']);
    else this.#session.proven = true;
    this.#replies.read(pending, response);
  }

  drop(outline: Outline, length: number): void {
    this.#replies.drop(outline, length);
  }

  take(envelope: Envelope): void | Promise<void> {
    return this.#replies.take(envelope);
  }

  /** The reply may never end, or not even begin, and would keep its connection. */
  onelsewhere(pending: Pending): void {
    setTimeout(() => this.#letGo(pending), LINGER).unref();
  }

  onsession(answer: Envelope): void {
    this.#session.negotiated(answer);
  }

  /** The server waits for an answer to its request, also where that is too large to be kept. */
  refuse(idText: string): void {
    const { settings, log, credentials } = this.context;
    const refusal = refuseTooLarge(idText, settings.maxMessageSize);
    credentials()
      .then((signed) => this.#tell(refusal, signed))
      .catch((error: unknown) =>
        log.warn?.('%s was not told that its request is too large: %s', this.#label, reasonOf(error)),
      );
  }

  /** Cancels the way of the modern revision, by closing the stream (2026-07-28 patterns/cancellation). */
  #cancel(envelope: Envelope): boolean {
    const pending = this.#replies.find(cancelledId(envelope));
    if (pending === undefined) return false;
    if (pending.modern) this.#giveUp(pending);
    // A server of an older revision may still answer; one that hangs must not keep the connection for ever.
    else setTimeout(() => this.#giveUp(pending), CANCEL_PATIENCE).unref();
    return pending.modern;
  }

  #giveUp(pending: Pending): void {
    if (this.#replies.find(pending.envelope.key) !== pending) return;
    this.#replies.forget(pending);
    this.#letGo(pending);
  }

  #letGo(pending: Pending): void {
    this.#takenUp(pending);
    pending.resumption?.abort();
    pending.request?.abort();
  }

  // ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────────

  #refusalOf(response: Reply, headers: Readonly<Record<string, string>>): ConnectorError {
    return refusalOf(response, {
      label: this.#label,
      session: headers['mcp-session-id'] !== undefined,
      headers,
    });
  }

  /** A refusal that holds a JSON-RPC error for this request is its answer; any other one rejects the sending. */
  async #onrefusal(
    pending: Pending,
    response: Reply,
    headers: Readonly<Record<string, string>>,
    credentials: Credentials,
  ): Promise<void> {
    const { envelope } = pending;
    const session = headers['mcp-session-id'];
    const refusal = this.#refusalOf(response, headers);
    if (bidsAgain(refusal)) {
      discard(response);
      this.#session.noteLoss(refusal, session);
      throw refusal;
    }
    const body = await bodyOfRefusal(response, {
      label: this.#label,
      limit: this.context.settings.maxMessageSize,
      intake: this.intake,
    });
    const answer = errorIn(body, envelope, refusal);
    // What it said is not logged: error pages may hold cookies, codes and the like, which nobody has named to the log.
    this.context.log.debug?.('%s refused %s: %s', this.#label, envelope.method, refusal.message);
    if (session !== undefined && this.#session.proven && isForgotten(answer, refusal)) {
      const lost = sessionLost(this.#label, refusal);
      this.#session.noteLoss(lost, session);
      throw lost;
    }
    const older =
      envelope.method === 'initialize' && mayBeOlder(refusal.status!, envelope) && !isFinal(answer);
    if (older && (await this.#fallBack(pending, credentials))) return;
    if (answer === undefined) throw refusal;
    void this.#replies.deliver(pending, answer);
  }

  /** Tries the transport of 2024-11-05 at the same address. Returns false where the server does not speak it either. */
  async #fallBack(pending: Pending, credentials: Credentials): Promise<boolean> {
    const patience = AbortSignal.timeout(Math.min(FALLBACK_PATIENCE, this.context.settings.timeout));
    try {
      this.#fallback = await openLegacySse({ ...this.context, signal: patience });
    } catch (error) {
      this.context.log.debug?.('%s does not speak HTTP with SSE either: %s', this.#label, reasonOf(error));
      return false;
    }
    this.#replies.forget(pending);
    if (this.#closing !== undefined) await this.#fallback.close();
    this.context.log.debug?.('%s speaks HTTP with SSE', this.#label);
    await this.#fallback.send(pending.envelope, credentials);
    return true;
  }

  async #close(): Promise<void> {
    this.#makeRoom?.();
    this.#session.stopListening();
    for (const { request, resumption } of this.#replies.all()) {
      resumption?.abort();
      request?.abort();
    }
    this.#replies.clear();
    await this.#fallback?.close();
    // What the client has said last still waits for its turn; it begins before this does.
    await atMost(
      FAREWELL,
      this.#told.run(async () => undefined),
    );
    await atMost(FAREWELL, this.#session.end());
    this.#over = true;
    this.wire.close();
  }
}

/** Whether a server that refuses `initialize` so may be one of 2024-11-05, as the client's own revision has it. */
function mayBeOlder(status: number, { message }: Envelope): boolean {
  if (FALLBACK_STATUSES.has(status)) return true;
  const { protocolVersion } = (message as { params?: { protocolVersion?: unknown } }).params ?? {};
  const takesAny = typeof protocolVersion === 'string' && protocolVersion < FIRST_WITH_FEW;
  return takesAny && status >= 400 && status < 500 && !CLOSED_STATUSES.has(status);
}

function closed(label: string): ConnectorError {
  return new ConnectorError('MCPC_CONNECTION_LOST', `The connection to ${label} is closed.`);
}
