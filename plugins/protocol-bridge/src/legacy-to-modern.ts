import {
  cancelledId,
  ConnectorError,
  InFlight,
  isSeverity,
  type Credentials,
  type Envelope,
  type RequestId,
} from '@mcp-connect/core';
import { Call, type Session } from './call.js';
import type { Answer, Direction, DirectionContext } from './direction.js';
import { isRefusal, type Discovered } from './era.js';
import { LegacyFit } from './fit.js';
import { initializeResult, legacyClientOf, type LegacyClient } from './legacy-client.js';
import { Listening } from './listening.js';
import { answerTo, paramsOf, type Params } from './messages.js';
import { Mirror } from './mirror.js';
import {
  CAPABILITIES_KEY,
  CLIENT_INFO_KEY,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  LOG_LEVEL_KEY,
  METHOD_NOT_FOUND,
  MODERN,
  VERSION_KEY,
} from './modern.js';
import { Prompts } from './prompts.js';
import { withChangedParams } from './skeleton.js';

/** How long a stream of news may hold up the first request, in milliseconds. */
const STREAM_PATIENCE = 500;

/** Notifications of a legacy client that mean nothing to a modern server. */
const SWALLOWED = new Set(['notifications/progress', 'notifications/roots/list_changed']);

/** What a legacy client and the modern server that was found for it say of themselves. */
export interface Introduction {
  readonly discovered: Discovered;
  readonly initialize: Envelope;
}

/**
 * Lets a legacy client use a modern server. The session is kept here, and every request is stamped with what the server
 * would have kept: who the client is, what it can do and what it wants to be told (2026-07-28 basic/index, _meta).
 */
export class LegacyToModern implements Direction {
  /** The session of the client is kept here. */
  readonly stateful = true;
  readonly #context: DirectionContext;
  readonly #discovered: Discovered;
  readonly #client: LegacyClient;
  readonly #session: Session;
  readonly #listening: Listening;
  readonly #calls = new InFlight<Call>();
  /** Calls by the token of their progress. */
  readonly #tokens = new InFlight<Call, unknown>();
  #level: unknown;

  constructor(context: DirectionContext, { discovered, initialize }: Introduction) {
    const { client, upstream } = context;
    this.#context = context;
    this.#discovered = discovered;
    this.#client = legacyClientOf(initialize);
    const stamp = (params: Params): Params => this.#stamp(params);
    this.#session = {
      context,
      stamp,
      fit: new LegacyFit(this.#client.revision),
      prompts: new Prompts(client, this.#client),
      mirror: upstream.http ? new Mirror(client.log) : undefined,
    };
    this.#listening = new Listening({ client, upstream, stamp, capabilities: discovered.capabilities ?? {} });
  }

  send(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    switch (envelope.kind) {
      case 'request':
        return this.#request(envelope, credentials);
      case 'notification':
        return this.#notify(envelope, credentials);
      default:
        return this.#session.prompts.answered(envelope);
    }
  }

  received(envelope: Envelope): void | Promise<void> {
    const { client } = this.#context;
    switch (envelope.kind) {
      case 'response':
        return this.#calls.get(envelope.key!)?.received(envelope);
      case 'notification':
        return this.#notified(envelope);
      default:
        return client.log.warn?.('dropped a message that no modern server sends: %s', envelope.method);
    }
  }

  lost(id: RequestId, error: ConnectorError): void {
    this.#calls.get(id)?.lost(error);
  }

  forgotten(): void {}

  missed(): void {
    this.#context.client.onmissed();
  }

  woke(): void {
    if (this.#context.upstream.http) this.#listening.refresh();
  }

  closed(): void {
    this.#listening.close();
    // What is on its first round is told of by the channel's own end.
    for (const call of this.#calls.values()) call.abandon();
  }

  async close(): Promise<void> {
    this.#listening.close();
    const error = new ConnectorError('MCPC_CONNECTION_LOST', 'The session is over.', {
      delivered: 'unknown',
    });
    for (const call of this.#calls.values()) call.lost(error);
  }

  // ── From the client ──────────────────────────────────────────────────────────────────────────────────────────

  #request(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    const { method } = envelope;
    switch (method) {
      case 'initialize':
        return this.#answer(
          envelope,
          initializeResult(this.#client, this.#discovered, this.#context.client.endpoint.label),
        );
      case 'ping':
        return this.#ping(envelope);
      case 'logging/setLevel':
        return this.#answer(envelope, this.#setLevel(paramsOf(envelope)['level']));
      case 'resources/subscribe':
        return this.#subscribe(envelope);
      case 'resources/unsubscribe':
        return this.#unsubscribe(envelope);
      default:
        if (method!.startsWith('tasks/')) return this.#answer(envelope, unknownMethod(method!));
        return this.#call(envelope, credentials);
    }
  }

  /** On a lasting channel the answer says that the server is still there, for which a modern one has no other request. */
  async #ping(envelope: Envelope): Promise<void> {
    const { upstream } = this.#context;
    if (!upstream.http) await upstream.ask('server/discover', this.#stamp({})).answer;
    await this.#answer(envelope, { result: {} });
  }

  #setLevel(level: unknown): Answer {
    if (this.#discovered.capabilities?.['logging'] === undefined) return unknownMethod('logging/setLevel');
    if (!isSeverity(level)) {
      return { error: { code: INVALID_PARAMS, message: `Unknown log level: ${String(level)}` } };
    }
    this.#level = level;
    return { result: {} };
  }

  async #subscribe(envelope: Envelope): Promise<void> {
    const { uri } = paramsOf(envelope);
    const honoured = await this.#listening.subscribe(String(uri));
    const error = { code: INTERNAL_ERROR, message: `The server does not tell of changes to ${String(uri)}` };
    await this.#answer(envelope, honoured ? { result: {} } : { error });
  }

  async #unsubscribe(envelope: Envelope): Promise<void> {
    await this.#listening.unsubscribe(String(paramsOf(envelope)['uri']));
    await this.#answer(envelope, { result: {} });
  }

  async #call(envelope: Envelope, credentials: Credentials): Promise<void> {
    const key = envelope.key!;
    this.#calls.get(key)?.abandon();
    const call = new Call(this.#session, envelope, () => {
      if (this.#calls.get(key) === call) this.#calls.delete(key);
      if (this.#tokens.get(call.token) === call) this.#tokens.delete(call.token);
    });
    this.#calls.set(key, call);
    if (call.token !== undefined) this.#tokens.set(call.token, call);
    const { headers } = credentials;
    const signed = { headers: { ...headers, ...this.#session.mirror?.headersOf(envelope) } };
    try {
      await this.#context.upstream.send(this.#stamped(envelope), signed);
    } catch (error) {
      call.abandon();
      if (!(error instanceof ConnectorError) || !isRefusal(error)) throw error;
      this.#context.misjudged();
      throw new ConnectorError('MCPC_SESSION_LOST', error.message, { cause: error, delivered: 'rejected' });
    }
  }

  async #notify(envelope: Envelope, credentials: Credentials): Promise<void> {
    const { method } = envelope;
    if (method === 'notifications/initialized') return atMost(STREAM_PATIENCE, this.#listening.start());
    if (SWALLOWED.has(method!)) return undefined;
    if (method === 'notifications/cancelled' && !this.#cancel(envelope)) return undefined;
    return this.#context.upstream.send(this.#stamped(envelope), credentials);
  }

  /** Takes a request back. Returns whether the server has to be told by the client's own message. */
  #cancel(envelope: Envelope): boolean {
    const call = this.#calls.get(cancelledId(envelope) as RequestId);
    if (call === undefined) return false;
    const { isFirst } = call;
    // No answer comes after this, which the line has to know.
    call.lost(new ConnectorError('MCPC_CANCELLED', 'The client took the request back.'));
    return isFirst;
  }

  #answer(envelope: Envelope, body: Answer): void | Promise<void> {
    return this.#context.client.onmessage(answerTo(envelope, body));
  }

  #stamped(envelope: Envelope): Envelope {
    return withChangedParams(envelope, (params) => this.#stamp(params));
  }

  #stamp(params: Params): Params {
    const _meta = {
      ...params._meta,
      [VERSION_KEY]: MODERN,
      [CLIENT_INFO_KEY]: this.#client.info,
      [CAPABILITIES_KEY]: this.#client.capabilities,
      ...(this.#level !== undefined && { [LOG_LEVEL_KEY]: this.#level }),
    };
    return { ...params, _meta };
  }

  // ── From the server ──────────────────────────────────────────────────────────────────────────────────────────

  #notified(envelope: Envelope): void | Promise<void> {
    const { client } = this.#context;
    switch (envelope.method) {
      case 'notifications/progress': {
        const { progressToken, progress } = paramsOf(envelope);
        const goesOn = this.#tokens.get(progressToken)?.advances(progress) ?? true;
        return goesOn ? client.onmessage(envelope) : undefined;
      }
      case 'notifications/message':
        return client.onmessage(envelope);
      default:
        return this.#listening.takes(envelope) ? undefined : client.onmessage(envelope);
    }
  }
}

function unknownMethod(method: string): Answer {
  return { error: { code: METHOD_NOT_FOUND, message: `Method not found: ${method}` } };
}

/** Waits for work, but not for long. */
async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)))]);
  clearTimeout(timer);
}
