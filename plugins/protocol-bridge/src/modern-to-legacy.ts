import { ConnectorError, reasonOf, type Credentials, type Envelope, type RequestId } from '@mcp-connect/core';
import type { Answer, Direction, DirectionContext } from './direction.js';
import { discovery, fitError } from './fit-for-modern.js';
import { Forwarding } from './forwarding.js';
import { covers, isInquiry } from './inquiry.js';
import { LegacySession, ServerError } from './legacy-session.js';
import { answerTo, paramsOf } from './messages.js';
import { runsTasks } from './legacy-task.js';
import { METHOD_NOT_FOUND, TASKS } from './modern.js';
import { lacking, readRequest, takesTasks, undescribed, type ModernRequest } from './modern-request.js';
import { Subscriptions } from './subscriptions.js';

/** Requests of older revisions, which the modern one has no use for (2026-07-28 changelog). */
const REMOVED = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/result',
  'tasks/list',
]);

/** News of older revisions for which the modern one has no word (2026-07-28 changelog). */
const UNHEARD = new Set(['notifications/elicitation/complete', 'notifications/tasks/status']);

/** Lets a modern client use a server that begins with `initialize`. */
export function openModernToLegacy(context: DirectionContext): Direction {
  return new ModernToLegacy(context);
}

/**
 * Joins a modern client to a legacy server. The client's requests need no session, so one is kept here for all of them;
 * what the server asks in the middle of a request is asked as a result of that request.
 */
class ModernToLegacy implements Direction {
  /** The session with the server is kept here. */
  readonly stateful = true;
  readonly #context: DirectionContext;
  readonly #session: LegacySession;
  readonly #forwarding: Forwarding;
  readonly #subscriptions: Subscriptions;

  constructor(context: DirectionContext) {
    this.#context = context;
    this.#session = new LegacySession(context, {
      onrenewed: () => this.#restore(),
      onfailed: (error) => this.#subscriptions.lose(error),
    });
    this.#forwarding = new Forwarding(context, this.#session);
    this.#subscriptions = new Subscriptions(context, this.#session);
  }

  send(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    switch (envelope.kind) {
      case 'request':
        return this.#request(envelope, credentials);
      case 'notification':
        return this.#notification(envelope, credentials);
      default:
        this.#context.client.log.debug?.('dropped an answer of the client: no server asks a modern one');
        return undefined;
    }
  }

  #request(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    const request = readRequest(envelope);
    if ('error' in request) return this.#answer(envelope, request);
    if (REMOVED.has(request.method)) return this.#answer(envelope, unknownMethod(envelope));
    switch (request.method) {
      case 'server/discover':
        return this.#refusable(request, () => this.#discover(request, credentials));
      case 'subscriptions/listen':
        return this.#refusable(request, () => this.#subscriptions.open(request, credentials));
      case 'tasks/get':
      case 'tasks/update':
      case 'tasks/cancel':
        return this.#refusable(request, () => this.#task(request, credentials));
      default:
        return this.#refusable(request, async () => this.#forwarding.send(request, credentials));
    }
  }

  async #discover(request: ModernRequest, credentials: Credentials): Promise<void> {
    const opened = await this.#session.ready(request, credentials);
    await this.#answer(request.envelope, { result: discovery(opened) });
  }

  /** What concerns tasks is for clients that say so with this very request (SEP-2663). */
  async #task(request: ModernRequest, credentials: Credentials): Promise<void> {
    const { envelope } = request;
    const opened = await this.#session.ready(request, credentials);
    if (!runsTasks(opened.capabilities)) return this.#answer(envelope, unknownMethod(envelope));
    if (!takesTasks(request)) return this.#answer(envelope, lacking({ extensions: { [TASKS]: {} } }));
    try {
      await this.#answer(envelope, await this.#forwarding.task(request));
    } catch (error) {
      if (error instanceof ConnectorError && error.code === 'MCPC_SESSION_LOST')
        this.#session.forgotten(opened);
      throw error;
    }
  }

  /** A server that refuses the session has refused the request for which it was to be begun. */
  async #refusable(request: ModernRequest, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      const message = `${this.#context.client.endpoint.label} refused to begin a session: ${error.message}`;
      await this.#answer(request.envelope, { error: { ...fitError('initialize', error.error), message } });
    }
  }

  #notification(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    if (envelope.method !== 'notifications/cancelled') {
      // What belongs to no session has nobody to hear it.
      return this.#session.opened === undefined
        ? undefined
        : this.#context.upstream.send(undescribed(envelope), credentials);
    }
    const { requestId } = paramsOf(envelope) as { requestId?: RequestId };
    if (!this.#subscriptions.close(requestId)) this.#forwarding.cancel(requestId);
    return undefined;
  }

  received(envelope: Envelope, from?: RequestId): void | Promise<void> {
    switch (envelope.kind) {
      case 'response':
        return this.#forwarding.answered(envelope);
      case 'request':
        return this.#asked(envelope, from);
      case 'notification':
        return this.#told(envelope, from);
      default:
        return envelope.key === undefined ? undefined : this.#forwarding.lost(envelope.key);
    }
  }

  lost(id: RequestId, error: ConnectorError): void {
    this.#forwarding.lost(id, error);
  }

  standsFor(id: RequestId): RequestId | undefined {
    return this.#forwarding.waiting(id);
  }

  forgotten(): void {
    this.#session.forgotten(this.#session.opened);
  }

  missed(): void {
    this.#subscriptions.missed();
  }

  closed(): void {
    this.#forwarding.clear();
  }

  /** Nobody else will tell of what is under way: the channel itself may go on in another direction. */
  async close(): Promise<void> {
    const text = 'The session with the server is over.';
    const error = new ConnectorError('MCPC_CONNECTION_LOST', text, { delivered: 'unknown' });
    this.#forwarding.lose(error);
    this.#subscriptions.lose(error);
  }

  #asked(envelope: Envelope, from: RequestId | undefined): void {
    const method = envelope.method!;
    const inquiry = { method, params: paramsOf(envelope) };
    // What nobody promised to answer is refused as any client does that knows no such question.
    const promised = isInquiry(method) && covers(this.#session.declared, inquiry);
    if (promised) return this.#forwarding.asked(envelope, from);
    const body = method === 'ping' ? { result: {} } : unknownMethod(envelope);
    (async () => this.#context.upstream.send(answerTo(envelope, body)))().catch((error: unknown) => {
      this.#context.client.log.debug?.('an answer did not reach the server: %s', reasonOf(error));
    });
  }

  #told(envelope: Envelope, from: RequestId | undefined): void | Promise<void> {
    const params = paramsOf(envelope);
    switch (envelope.method) {
      case 'notifications/progress':
        return this.#forwarding.progressed(params);
      case 'notifications/message':
        return this.#forwarding.logged(envelope, params, from);
      case 'notifications/cancelled':
        return this.#forwarding.withdrawn(params['requestId']);
      default:
        if (Subscriptions.areNews(envelope)) return this.#subscriptions.relay(envelope);
        return UNHEARD.has(envelope.method!) ? undefined : this.#context.client.onmessage(envelope);
    }
  }

  async #restore(): Promise<void> {
    await this.#forwarding.restore();
    await this.#subscriptions.restore();
    this.#subscriptions.missed();
  }

  #answer(request: Envelope, body: Answer): void | Promise<void> {
    return this.#context.client.onmessage(answerTo(request, body));
  }
}

function unknownMethod({ method }: Envelope): Required<Pick<Answer, 'error'>> {
  return { error: { code: METHOD_NOT_FOUND, message: `Method not found: ${method}` } };
}
