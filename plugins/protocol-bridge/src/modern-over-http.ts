import {
  cancelledId,
  InFlight,
  toConnectorError,
  type ConnectorError,
  type Credentials,
  type Envelope,
  type RequestId,
} from '@mcp-connect/core';
import type { Answer, Direction, DirectionContext, Question } from './direction.js';
import { answerTo, paramsOf } from './messages.js';
import { Mirror } from './mirror.js';
import { HEADER_MISMATCH } from './modern.js';

/** Answers above this size are none of the short errors that are looked for, in bytes. */
const LONGEST_ERROR = 16_384;

/** A request whose answer is looked at on its way. */
interface Watched {
  readonly envelope: Envelope;
  /** Set once the request is sent anew under an id of the bridge's own. */
  question?: Question;
}

/**
 * Carries a modern client's messages to a modern HTTP server as they are, and adds what a client behind stdio need not
 * know of: mirrored arguments of tool calls, and lists without the tools that may not be called.
 */
export class ModernOverHttp implements Direction {
  readonly #context: DirectionContext;
  readonly #mirror: Mirror;
  readonly #watched = new InFlight<Watched>();

  constructor(context: DirectionContext) {
    this.#context = context;
    this.#mirror = new Mirror(context.client.log);
  }

  get stateful(): boolean {
    return this.#context.upstream.stateful;
  }

  send(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    const { upstream } = this.#context;
    switch (envelope.method) {
      case 'tools/list':
        this.#watched.set(envelope.key!, { envelope });
        return upstream.send(envelope, credentials);
      case 'tools/call': {
        this.#watched.set(envelope.key!, { envelope });
        const mirrored = this.#mirror.headersOf(envelope);
        const signed = mirrored ? { headers: { ...credentials.headers, ...mirrored } } : credentials;
        return upstream.send(envelope, signed);
      }
      case 'notifications/cancelled':
        if (this.#forget(cancelledId(envelope))) return undefined;
        return upstream.send(envelope, credentials);
      default:
        return upstream.send(envelope, credentials);
    }
  }

  received(envelope: Envelope): void | Promise<void> {
    const { client } = this.#context;
    if (envelope.kind !== 'response') return client.onmessage(envelope);
    const watched = this.#watched.get(envelope.key!);
    if (watched === undefined) return client.onmessage(envelope);
    this.#watched.delete(envelope.key!);
    if (watched.envelope.method === 'tools/list')
      return client.onmessage(this.#listed(watched.envelope, envelope));
    const { error } = envelope.size > LONGEST_ERROR ? {} : ((envelope.parsed ?? {}) as Answer);
    return error?.code === HEADER_MISMATCH
      ? void this.#correct(watched, envelope)
      : client.onmessage(envelope);
  }

  lost(id: RequestId, error: ConnectorError): void {
    this.#watched.delete(id);
    this.#context.client.onlost(id, error);
  }

  forgotten(): void {
    this.#context.client.onforgotten();
  }

  missed(): void {
    this.#context.client.onmissed();
  }

  closed(): void {
    this.#watched.clear();
  }

  async close(): Promise<void> {
    this.#watched.clear();
  }

  #listed(request: Envelope, envelope: Envelope): Envelope {
    const { result } = (envelope.parsed ?? {}) as Answer;
    if (result === undefined) return envelope;
    const allowed = this.#mirror.learn(result, paramsOf(request));
    // A changed list is no longer the server's own word, by which others may go (2026-07-28 server/utilities/caching).
    return allowed === result
      ? envelope
      : answerTo(request, { result: { ...allowed, ttlMs: 0, cacheScope: 'private' } });
  }

  /** Reads the tools anew and sends a call once more whose headers the server has found wrong. */
  async #correct(watched: Watched, refusal: Envelope): Promise<void> {
    const { client, upstream } = this.#context;
    const { envelope } = watched;
    const key = envelope.key!;
    const params = paramsOf(envelope);
    const { _meta } = params;
    const options = { inPlaceOf: key };
    this.#watched.set(key, watched);
    try {
      await this.#mirror.refresh((page) => upstream.ask('tools/list', { ...page, _meta }, options).answer);
      if (!this.#watched.has(key)) return;
      const headers = this.#mirror.headersOf(envelope) ?? {};
      watched.question = upstream.ask('tools/call', params, { ...options, headers });
    } catch {
      if (this.#watched.delete(key)) void client.onmessage(refusal);
      return;
    }
    try {
      const answer = await watched.question.answer;
      if (this.#watched.delete(key)) await client.onmessage(answerTo(envelope, answer));
    } catch (error) {
      if (this.#watched.delete(key))
        client.onlost(key, toConnectorError(error, 'MCPC_CONNECTION_LOST', { delivered: 'unknown' }));
    }
  }

  /** Takes back a call that is on its second way. Returns whether the server has been told. */
  #forget(id: RequestId | undefined): boolean {
    const watched = this.#watched.get(id!);
    this.#watched.delete(id!);
    watched?.question?.cancel();
    return watched?.question !== undefined;
  }
}
