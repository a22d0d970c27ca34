import { atMost, type Challenge, type ConnectorError, type Envelope } from '@mcp-connect/core';
import { sessionHeaders, signedHeaders, streamHeaders } from './headers.js';
import type { Reply } from './reply.js';
import { NotificationStream, type StreamHost } from './notification-stream.js';
import { discard } from './wire.js';

/** How long the first request may wait for the notification stream, in milliseconds. */
const STREAM_PATIENCE = 500;
/** Session ids are visible ASCII; anything else could forge headers (2025-11-25 basic/transports). */
const SESSION_ID = /^[\x21-\x7e]+$/;

/** A legacy session as the server named it. */
interface Named {
  readonly id: string | undefined;
  /** The negotiated revision; known once `initialize` is answered. */
  readonly version: string | undefined;
}

const NO_SESSION: Named = { id: undefined, version: undefined };

/**
 * The legacy session of a channel, from the answer to `initialize` to its end, with its notification stream
 * (2025-11-25 basic/transports, Session Management).
 */
export class Session {
  readonly #host: StreamHost;
  #named: Named = NO_SESSION;
  /** True once the server has served a message in this session. */
  proven = false;
  /** True once the server has said that it no longer knows the session. */
  #over = false;
  /** The ends of earlier sessions, which are on their way to the server. */
  #left: Promise<unknown> | undefined;
  #notifications: NotificationStream | undefined;

  constructor(host: StreamHost) {
    this.#host = host;
  }

  /** The id that the server gave it; undefined where the server keeps no session, or none is begun. */
  get id(): string | undefined {
    return this.#named.id;
  }

  /** Makes the header fields by which a message belongs to the session. */
  headers(): Record<string, string> {
    return sessionHeaders(this.#named.id, this.#named.version);
  }

  /** Makes all header fields of a GET in the session. */
  headersOfStream(challenge?: Challenge): Promise<Record<string, string>> {
    return this.#signed('GET', () => this.#named, challenge);
  }

  /** Begins under the id that the server names, if it names one. */
  begin(id: string | string[] | undefined): void {
    this.proven = this.#over = false;
    if (typeof id !== 'string' || !SESSION_ID.test(id)) return;
    this.#host.context.log.hide(id);
    this.#named = { id, version: undefined };
  }

  /** Notes the revision that the answer to `initialize` settles on. */
  negotiated(answer: Envelope): void {
    const { result } = answer.message as { result?: { protocolVersion?: unknown } };
    const version = result?.protocolVersion;
    if (typeof version === 'string') this.#named = { id: this.#named.id, version };
  }

  /** Notes that the server has forgotten the session of this id. Late news of an earlier one says nothing of this one. */
  noteLoss({ code }: ConnectorError, id: string | undefined): void {
    if (code === 'MCPC_SESSION_LOST' && id === this.#named.id) this.#over = true;
  }

  /** Makes way for a new session; a server that still has the old one is told that it is over. */
  forget(): void {
    const left = this.#tellEnd();
    this.#left = Promise.all([this.#left, left]);
    this.#named = NO_SESSION;
    this.stopListening();
  }

  /**
   * Asks for the notification stream and waits for the answer: a server drops requests of its own for which it has no
   * stream yet.
   */
  async listen(): Promise<void> {
    this.#notifications?.close();
    const stream = new NotificationStream(this.#host);
    this.#notifications = stream;
    await atMost(STREAM_PATIENCE, stream.open());
  }

  /** Takes the notification stream up again, which may have died without a sign. */
  renew(): void {
    this.#notifications?.renew();
  }

  /** Ends the notification stream. */
  stopListening(): void {
    this.#notifications?.close();
    this.#notifications = undefined;
  }

  /** Tells the server that this session is over, and waits for the ends of earlier ones. */
  end(): Promise<unknown> {
    return Promise.all([this.#left, this.#tellEnd()]);
  }

  /** Tells the server that the session is over; one that does not allow it answers 405, which is fine too. */
  async #tellEnd(): Promise<void> {
    const named = this.#named;
    if (named.id === undefined || this.#over) return;
    const headers = await this.#signed('DELETE', () => named).catch(() => undefined);
    if (headers === undefined) return;
    await new Promise<void>((done) => {
      const onresponse = (response: Reply): void => {
        response.once('close', done);
        discard(response);
      };
      this.#host.wire.request(
        { method: 'DELETE', headers, urgent: true },
        { onerror: () => done(), onresponse },
      );
    });
  }

  /** Makes the header fields of a message without a body. The session is the one that lasts once it is signed. */
  async #signed(
    method: 'GET' | 'DELETE',
    session: () => Named,
    challenge?: Challenge,
  ): Promise<Record<string, string>> {
    const { context, wire } = this.#host;
    const credentials = await context.credentials(challenge);
    const { id, version } = session();
    const headers = streamHeaders(sessionHeaders(id, version), credentials.headers);
    return signedHeaders(credentials, { method, url: wire.url, headers });
  }
}
