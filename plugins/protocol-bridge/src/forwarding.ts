import {
  ConnectorError,
  Envelope,
  reasonOf,
  toConnectorError,
  type Credentials,
  type RequestId,
} from '@mcp-connect/core';
import type { Answer, DirectionContext } from './direction.js';
import { fitError, fitResult, required } from './fit-for-modern.js';
import { Push } from './inquiry.js';
import { extended, isLarge } from './large-answer.js';
import { Calls, type Call, type Outcome } from './legacy-calls.js';
import type { LegacySession, Opened } from './legacy-session.js';
import { LegacyTasks, taskIn } from './legacy-task.js';
import { SessionLogLevel } from './log-level.js';
import { answerTo, notificationOf, type Params } from './messages.js';
import { INTERNAL_ERROR } from './modern.js';
import { mayAsk, membersOf, takesTasks, type ModernRequest } from './modern-request.js';
import { OpenTasks } from './open-tasks.js';
import { Rounds } from './rounds.js';

/**
 * How long an answer waits for the log messages of its request, in milliseconds: over HTTP they may travel on another
 * stream, and behind the answer nobody wants them any more.
 */
const LOG_LAG = 50;
/** So many answers wait in vain before none does any more. */
const VAIN_LAGS = 3;

/** Carries requests of a modern client to a legacy server, and what becomes of them back. */
export class Forwarding {
  readonly #context: DirectionContext;
  readonly #session: LegacySession;
  readonly #calls = new Calls();
  readonly #logLevel: SessionLogLevel;
  readonly #tasks: LegacyTasks;
  readonly #openTasks: OpenTasks;
  readonly #rounds: Rounds;
  /** How many answers still wait for log messages before it is clear that none come beside the replies. */
  #lags = 0;

  constructor(context: DirectionContext, session: LegacySession) {
    this.#context = context;
    this.#session = session;
    this.#logLevel = new SessionLogLevel(session, context.client.log);
    this.#tasks = new LegacyTasks(session);
    this.#openTasks = new OpenTasks(session);
    this.#rounds = new Rounds(this.#calls, {
      log: context.client.log,
      answer: (request, body) => this.#answer(request, body),
      cancel: (call, reason) => this.#cancel(call, reason),
      finish: (call) => this.#finish(call),
      lost: (call, error) => void this.#ended(call, error),
    });
    this.#mayLag();
  }

  // ── From the client ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Sends a request to the server, or goes on with the call that it brings answers for.
   *
   * @throws ServerError or ConnectorError as `Transport.send` does, also as a rejection
   */
  send(request: ModernRequest, credentials: Credentials): void | Promise<void> {
    if (!mayAsk(request.method) || request.requestState === undefined)
      return this.#send(request, credentials);
    return this.#rounds.resume(request, () => this.#send(request, credentials, true));
  }

  /**
   * Answers a request about a task that was handed to the client.
   *
   * @throws ConnectorError when the server could not be asked
   */
  task(request: ModernRequest): Promise<Answer> {
    return this.#openTasks.answer(request);
  }

  /** Takes a request back that the client has cancelled. */
  cancel(key: RequestId | undefined): void {
    const call = this.#calls.waitingFor(key);
    if (call !== undefined) this.#cancel(call, 'the client cancelled the request');
  }

  // ── From the server ──────────────────────────────────────────────────────────────────────────────────────────

  /** Takes an answer. */
  answered(envelope: Envelope): void | Promise<void> {
    const call = this.#calls.find(envelope.key);
    if (call === undefined) {
      this.#context.client.log.debug?.('dropped an answer: no request waits under id %s', envelope.idText);
      return undefined;
    }
    // Only lists of tools have to be read whatever their size.
    const asItCame = isLarge(envelope) && call.method !== 'tools/list';
    const answer = asItCame ? envelope : this.#read(envelope);
    const task =
      call.method === 'tools/call' && 'result' in answer ? taskIn(membersOf(answer.result)) : undefined;
    if (task !== undefined) return this.#made(call, task);
    if (call.request?.level === undefined || this.#lags === 0) return this.#ended(call, answer);
    this.#lags--;
    setTimeout(() => void this.#ended(call, answer), LOG_LAG);
    return undefined;
  }

  /** Learns that a request can have no answer any more. Without an error, something came that is none. */
  lost(id: RequestId, error: ConnectorError = this.#unreadable()): void {
    const call = this.#calls.find(id);
    if (call !== undefined) void this.#ended(call, error);
  }

  /** The key of the client's request that waits for a call under way. */
  waiting(id: RequestId): RequestId | undefined {
    return this.#calls.find(id)?.request?.envelope.key;
  }

  /**
   * Takes a question of the server.
   *
   * @param call the key of the request whose reply it came with, where the wire tells
   */
  asked(envelope: Envelope, call: RequestId | undefined): void {
    const reply = async (response: Envelope): Promise<void> => this.#context.upstream.send(response);
    const push = new Push(envelope, { call, reply });
    const unclaimed = this.#calls.asking(push) === undefined;
    if (!this.#openTasks.takes(push, unclaimed)) this.#rounds.ask(push);
  }

  /** Takes back a question of the server. */
  withdrawn(id: unknown): void {
    this.#openTasks.withdraw(id);
    this.#rounds.withdraw(id);
  }

  /** Passes progress on to the request that waits. */
  progressed(params: Params): void | Promise<void> {
    const news = this.#calls.find(params['progressToken'] as RequestId | undefined)?.progress(params);
    return news === undefined ? undefined : this.#context.client.onmessage(news);
  }

  /** Passes a log message on where a request wants to see it. `from` is as the `call` of {@link asked}. */
  logged(envelope: Envelope, params: Params, from: RequestId | undefined): void | Promise<void> {
    if (from === undefined) this.#mayLag();
    return this.#calls.wants(params['level'], from) ? this.#context.client.onmessage(envelope) : undefined;
  }

  /** Brings a new session to where the lost one was. */
  restore(): Promise<void> {
    return this.#logLevel.restore();
  }

  /** Tells that no call that is under way can have an answer, and forgets everything. */
  lose(error: ConnectorError): void {
    for (const call of this.#calls.all()) if (call.sent) void this.#ended(call, error);
    this.clear();
  }

  /** Forgets everything: the server is gone. */
  clear(): void {
    this.#rounds.clear();
    this.#openTasks.clear();
    for (const call of this.#calls.all()) this.#calls.end(call);
  }

  // ── A call ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The server logs beside its replies, or nobody knows yet: answers wait. */
  #mayLag(): void {
    this.#lags = this.#context.upstream.http ? VAIN_LAGS : 0;
  }

  /** Sends a request. With `asked` its client has answered already what the server waits for. */
  async #send(request: ModernRequest, credentials: Credentials, asked = false): Promise<void> {
    const call = this.#calls.begin(request);
    try {
      const opened = await this.#session.ready(request, credentials);
      if (!asked && this.#rounds.hold(call)) return;
      await this.#tasks.listed(call);
      call.sent = true;
      await this.#logLevel.set(this.#calls.level);
      // It may have been cancelled in the meantime.
      if (this.#calls.has(call)) await this.#forward(call, { opened, credentials });
    } catch (error) {
      this.#calls.end(call);
      throw error;
    }
  }

  async #forward(
    call: Call,
    { opened, credentials }: { opened: Opened; credentials: Credentials },
  ): Promise<void> {
    try {
      await this.#context.upstream.send(call.outgoing(this.#tasks.paramsOf(call)), credentials);
    } catch (error) {
      if (error instanceof ConnectorError && error.code === 'MCPC_SESSION_LOST')
        this.#session.forgotten(opened);
      throw error;
    }
  }

  /** Hands a task that the server has made of a call to a client that takes tasks; for all others it is followed. */
  #made(call: Call, task: Readonly<Record<string, unknown>>): void | Promise<void> {
    const { request } = call;
    if (request === undefined || !takesTasks(request)) return void this.#follow(call, task);
    this.#calls.end(call);
    return this.#answer(request, { result: this.#openTasks.handOver(task) });
  }

  /** Waits for the task that the server has made of a call. */
  async #follow(call: Call, task: Readonly<Record<string, unknown>>): Promise<void> {
    call.taskId = task['taskId'] as string;
    try {
      const answer = await this.#tasks.follow(task, call, this.#calls);
      if (this.#calls.has(call)) await this.#ended(call, answer);
    } catch (error) {
      await this.#ended(call, toConnectorError(error, 'MCPC_CONNECTION_LOST', { delivered: 'unknown' }));
    }
  }

  #read(envelope: Envelope): Answer | ConnectorError {
    return (envelope.parsed as Answer | undefined) ?? this.#unreadable();
  }

  #ended(call: Call, outcome: Outcome): void | Promise<void> {
    call.outcome = outcome;
    return this.#finish(call);
  }

  /** Hands the outcome of a call over, when there is one and somebody waits for it. */
  #finish(call: Call): void | Promise<void> {
    const { outcome, request, method } = call;
    if (outcome === undefined || request === undefined || !this.#calls.has(call)) return undefined;
    this.#calls.end(call);
    if (outcome instanceof Envelope) {
      const grown = extended(outcome, request.envelope, required(method));
      if (grown !== undefined) return this.#context.client.onmessage(grown);
    }
    const answer = outcome instanceof Envelope ? this.#read(outcome) : outcome;
    if (answer instanceof ConnectorError) return this.#lose(call, request, answer);
    const { error } = answer;
    if (error === undefined) {
      const result = membersOf(answer.result);
      if (method === 'tools/list') this.#tasks.learn(result);
      return this.#answer(request, { result: fitResult(method, result, this.#session.opened) });
    }
    if (this.#rounds.sendElsewhere(request, error)) return undefined;
    return this.#answer(request, { error: fitError(method, error) });
  }

  /** A request that took several rounds must not be sent again: the one that was lost is another one. */
  #lose(call: Call, request: ModernRequest, cause: ConnectorError): void | Promise<void> {
    if (!call.resumed) return this.#context.client.onlost(request.envelope.key!, cause);
    const { code, message } = cause;
    const data = { source: 'mcp-connect', code, executed: 'unknown', retryable: false };
    return this.#answer(request, { error: { code: INTERNAL_ERROR, message, data } });
  }

  /** Ends a call at the server, and whatever it waits for. */
  #cancel(call: Call, reason: string): void {
    this.#calls.end(call);
    for (const inquiry of call.inquiries) inquiry.refuse(reason);
    if (call.taskId !== undefined) return this.#tasks.cancel(call.taskId);
    if (!call.sent || call.outcome !== undefined) return;
    const cancelled = notificationOf('notifications/cancelled', { requestId: call.id, reason });
    (async () => this.#context.upstream.send(cancelled))().catch((error: unknown) => {
      this.#context.client.log.debug?.('a cancellation did not reach the server: %s', reasonOf(error));
    });
  }

  #answer({ envelope }: ModernRequest, body: Answer): void | Promise<void> {
    return this.#context.client.onmessage(answerTo(envelope, body));
  }

  #unreadable(): ConnectorError {
    const text = `${this.#context.client.endpoint.label} answered with something that is no valid message.`;
    return new ConnectorError('MCPC_BAD_RESPONSE', text, { delivered: 'unknown' });
  }
}
