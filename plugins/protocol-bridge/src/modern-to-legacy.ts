import { ConnectorError, reasonOf, type Credentials, type Envelope, type RequestId } from '@mcp-connect/core';
import { Calls, type Call } from './legacy-calls.js';
import type { Answer, Direction, DirectionContext } from './direction.js';
import { discovery, fitError, fitResult } from './fit-for-modern.js';
import { isInquiry, Push } from './inquiry.js';
import { LegacySession, ServerError, type Opened } from './legacy-session.js';
import { SessionLogLevel } from './log-level.js';
import { INTERNAL_ERROR, METHOD_NOT_FOUND } from './modern.js';
import { answerTo, notification, paramsOf } from './messages.js';
import { mayAsk, membersOf, readRequest, type ModernRequest } from './modern-request.js';
import { Rounds } from './rounds.js';
import { Subscriptions } from './subscriptions.js';

/** Requests of older revisions, which the modern one has no use for (2026-07-28 changelog). */
const REMOVED = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/get',
  'tasks/result',
  'tasks/list',
  'tasks/cancel',
]);

/**
 * How long an answer waits for the log messages of its request, in milliseconds: over HTTP they may travel on another
 * stream, and behind the answer nobody wants them any more.
 */
const LOG_LAG = 50;

/** Lets a modern client use a server that begins with `initialize`. */
export function openModernToLegacy(context: DirectionContext): Direction {
  return new ModernToLegacy(context);
}

/**
 * Joins a modern client to a legacy server. The client's requests need no session, so one is kept here for all of them;
 * what the server asks in the middle of a request is asked as a result of that request.
 */
class ModernToLegacy implements Direction {
  readonly #context: DirectionContext;
  readonly #calls = new Calls();
  readonly #session: LegacySession;
  readonly #logLevel: SessionLogLevel;
  readonly #subscriptions: Subscriptions;
  readonly #rounds: Rounds;

  constructor(context: DirectionContext) {
    this.#context = context;
    this.#session = new LegacySession(context, () => this.#restore());
    this.#logLevel = new SessionLogLevel(this.#session, context.client.log);
    this.#subscriptions = new Subscriptions(context, this.#session);
    this.#rounds = new Rounds(this.#calls, {
      log: context.client.log,
      answer: (request, body) => this.#answer(request.envelope, body),
      cancel: (call, reason) => this.#cancel(call, reason),
      finish: (call) => this.#finish(call),
      lost: (call, error) => this.lost(call.id, error),
    });
  }

  // ── From the client ──────────────────────────────────────────────────────────────────────────────────────────

  send(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    switch (envelope.kind) {
      case 'request':
        return this.#request(envelope, credentials);
      case 'notification':
        return this.#notification(envelope, credentials);
      default:
        this.#log?.('dropped an answer of the client: no server asks a modern one');
        return undefined;
    }
  }

  #request(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    const request = readRequest(envelope);
    if ('error' in request) return this.#answer(envelope, request);
    const { method } = request;
    if (REMOVED.has(method)) {
      return this.#answer(envelope, { error: unknownMethod(method) });
    }
    if (method === 'subscriptions/listen')
      return this.#refusable(request, () => this.#subscriptions.open(request, credentials));
    if (method === 'server/discover')
      return this.#refusable(request, () => this.#discover(request, credentials));
    if (mayAsk(method) && request.requestState !== undefined) {
      return this.#rounds.resume(request, () => this.#call(request, credentials, true));
    }
    return this.#call(request, credentials);
  }

  async #discover(request: ModernRequest, credentials: Credentials): Promise<void> {
    const opened = await this.#session.ready(request, credentials);
    await this.#answer(request.envelope, { result: discovery(opened) });
  }

  /** Sends a request to the server. With `answered` its client has been asked already what the server waits for. */
  #call(request: ModernRequest, credentials: Credentials, answered = false): Promise<void> {
    const call = this.#calls.begin(request);
    return this.#refusable(request, async () => {
      try {
        const opened = await this.#session.ready(request, credentials);
        if (!answered && this.#rounds.hold(call)) return;
        call.sent = true;
        await this.#logLevel.set(this.#calls.level);
        // It may have been cancelled in the meantime.
        if (this.#calls.has(call)) await this.#forward(call, opened, credentials);
      } catch (error) {
        this.#calls.end(call);
        throw error;
      }
    });
  }

  async #forward(call: Call, opened: Opened, credentials: Credentials): Promise<void> {
    try {
      await this.#context.upstream.send(call.outgoing, credentials);
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
      const { label } = this.#context.client.endpoint;
      const message = `${label} refused to begin a session: ${error.message}`;
      await this.#answer(request.envelope, { error: { ...fitError('initialize', error.error), message } });
    }
  }

  #notification(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    if (envelope.method !== 'notifications/cancelled') {
      // What belongs to no session has nobody to hear it.
      return this.#session.opened === undefined
        ? undefined
        : this.#context.upstream.send(envelope, credentials);
    }
    const { requestId } = paramsOf(envelope) as { requestId?: RequestId };
    if (this.#subscriptions.close(requestId)) return undefined;
    const call = this.#calls.waitingFor(requestId);
    if (call !== undefined) this.#cancel(call, 'the client cancelled the request');
    return undefined;
  }

  // ── From the server ──────────────────────────────────────────────────────────────────────────────────────────

  received(envelope: Envelope, from?: RequestId): void | Promise<void> {
    switch (envelope.kind) {
      case 'response':
        return this.#response(envelope);
      case 'request':
        return this.#inquiry(envelope, from);
      case 'notification':
        return this.#news(envelope, from);
      case 'batch':
        for (const part of envelope.parts()) void this.received(part, from);
        return undefined;
      case 'invalid':
        if (envelope.key !== undefined) this.lost(envelope.key, unreadable(this.#context));
        return undefined;
    }
  }

  lost(id: RequestId, error: ConnectorError): void {
    const call = this.#calls.find(id);
    if (call === undefined) return;
    call.outcome = error;
    void this.#finish(call);
  }

  forgotten(): void {
    this.#session.forgotten(this.#session.opened);
  }

  missed(): void {
    this.#subscriptions.missed();
  }

  closed(): void {
    this.#rounds.clear();
    for (const call of this.#calls.all()) this.#calls.end(call);
  }

  async close(): Promise<void> {
    this.closed();
  }

  #response(envelope: Envelope): void | Promise<void> {
    const call = this.#calls.find(envelope.key);
    if (call === undefined) {
      this.#log?.('dropped an answer: no request waits under id %s', envelope.idText);
      return undefined;
    }
    call.outcome = envelope;
    if (!this.#context.upstream.http || call.request?.level === undefined) return this.#finish(call);
    setTimeout(() => void this.#finish(call), LOG_LAG);
    return undefined;
  }

  /** Hands the outcome of a call over, when there is one and somebody waits for it. */
  #finish(call: Call): void | Promise<void> {
    const { outcome, request } = call;
    if (outcome === undefined || request === undefined || !this.#calls.has(call)) return undefined;
    this.#calls.end(call);
    const { envelope, method } = request;
    if (outcome instanceof ConnectorError) return this.#lose(call, request, outcome);
    const { parsed } = outcome;
    if (parsed === undefined) return this.#lose(call, request, unreadable(this.#context));
    const { result, error } = parsed as Answer;
    if (error === undefined) {
      return this.#answer(envelope, { result: fitResult(method, membersOf(result), this.#session.opened!) });
    }
    if (this.#rounds.sendElsewhere(request, error)) return undefined;
    return this.#answer(envelope, { error: fitError(method, error) });
  }

  /** A request that took several rounds must not be sent again: the one that was lost is another one. */
  #lose(call: Call, { envelope }: ModernRequest, cause: ConnectorError): void | Promise<void> {
    if (!call.resumed) return this.#context.client.onlost(envelope.key!, cause);
    const data = { source: 'mcp-connect', code: cause.code, executed: 'unknown', retryable: false };
    return this.#answer(envelope, { error: { code: INTERNAL_ERROR, message: cause.message, data } });
  }

  #inquiry(envelope: Envelope, call: RequestId | undefined): void {
    const { method } = envelope;
    if (method === 'ping') return this.#tell(answerTo(envelope, { result: {} }));
    if (!isInquiry(method!)) {
      return this.#tell(answerTo(envelope, { error: unknownMethod(method!) }));
    }
    this.#rounds.ask(
      new Push(envelope, { call, reply: async (response) => this.#context.upstream.send(response) }),
    );
  }

  #news(envelope: Envelope, from: RequestId | undefined): void | Promise<void> {
    const params = paramsOf(envelope);
    switch (envelope.method) {
      case 'notifications/progress': {
        const news = this.#calls.find(params['progressToken'] as RequestId | undefined)?.progress(params);
        return news === undefined ? undefined : this.#context.client.onmessage(news);
      }
      case 'notifications/message':
        return this.#calls.wants(params['level'], from)
          ? this.#context.client.onmessage(envelope)
          : undefined;
      case 'notifications/cancelled':
        return this.#rounds.withdraw(params['requestId']);
      case 'notifications/elicitation/complete':
      case 'notifications/tasks/status':
        return undefined;
      default:
        return this.#subscriptions.relay(envelope);
    }
  }

  // ── Both ways ────────────────────────────────────────────────────────────────────────────────────────────────

  #answer(request: Envelope, body: Answer): void | Promise<void> {
    return this.#context.client.onmessage(answerTo(request, body));
  }

  /** Tells the server what it can do without if need be. */
  #tell(envelope: Envelope): void {
    (async () => this.#context.upstream.send(envelope))().catch((error: unknown) => {
      this.#log?.('%s did not reach the server: %s', envelope.method ?? 'an answer', reasonOf(error));
    });
  }

  /** Ends a call at the server, and whatever it waits for. */
  #cancel(call: Call, reason: string): void {
    this.#calls.end(call);
    for (const inquiry of call.inquiries) inquiry.refuse(reason);
    if (call.outcome !== undefined) return;
    this.#tell(notification('notifications/cancelled', { requestId: call.id, reason }));
  }

  async #restore(): Promise<void> {
    await this.#logLevel.restore();
    await this.#subscriptions.restore();
    this.#subscriptions.missed();
  }

  get #log(): DirectionContext['client']['log']['debug'] {
    return this.#context.client.log.debug;
  }
}

function unknownMethod(method: string): Required<Answer>['error'] {
  return { code: METHOD_NOT_FOUND, message: `Method not found: ${method}` };
}

function unreadable({ client }: DirectionContext): ConnectorError {
  const text = `${client.endpoint.label} answered with something that is no valid message.`;
  return new ConnectorError('MCPC_BAD_RESPONSE', text, { delivered: 'unknown' });
}
