import { setTimeout as pause } from 'node:timers/promises';
import { ConnectorError, reasonOf, toConnectorError, type Envelope } from '@mcp-connect/core';
import type { Answer, DirectionContext, Question } from './direction.js';
import { discoveredIn } from './era.js';
import type { LegacyFit } from './fit.js';
import { answerTo, isObject, paramsOf, type Params } from './messages.js';
import type { Mirror } from './mirror.js';
import { HEADER_MISMATCH, INTERNAL_ERROR, MODERN, UNSUPPORTED_VERSION } from './modern.js';
import { ModernTask } from './modern-task.js';
import { bareParamsOf, Skeleton } from './skeleton.js';
import { PromptFailed, Undeclared, type InputRequest, type Prompts, type Round } from './prompts.js';

/** A server that asks more often than this in one request goes round in circles. */
const MOST_ROUNDS = 10;
/** The pace of rounds in which the server asks nothing, in milliseconds. */
const PACE = 250;
/** Requests in which a modern server may ask something (2026-07-28 basic/patterns/mrtr, Supported Requests). */
const ASKING = new Set(['tools/call', 'prompts/get', 'resources/read']);
/** Errors by which a server may mean that it wants a session: one that speaks only older revisions by now. */
const SUSPECT = new Set([-32_000, -32_001, -32_600, UNSUPPORTED_VERSION]);

/** Completes an answer that was made without what is too long to be looked at. */
type Restore = (answer: Envelope) => Envelope;

/** What the requests of one session share. */
export interface Session {
  readonly context: DirectionContext;
  readonly fit: LegacyFit;
  readonly prompts: Prompts;
  /** Only where the server is reached over HTTP. */
  readonly mirror: Mirror | undefined;
  /** Gives parameters what describes the client. */
  stamp(params: Params): Params;
}

/** One request of a legacy client: as many requests to a modern server as it takes to answer the server's questions. */
export class Call {
  readonly envelope: Envelope;
  readonly #session: Session;
  readonly #method: string;
  /** The parameters, with stand-ins for what is long in them. */
  readonly #params: Params;
  /** Learns that the request has its end. */
  readonly #onend: () => void;
  #question: Question | undefined;
  #round: Round | undefined;
  #task: ModernTask | undefined;
  #rounds = 0;
  #progress = Number.NEGATIVE_INFINITY;
  #corrected = false;
  #over = false;

  constructor(session: Session, envelope: Envelope, onend: () => void) {
    this.#session = session;
    this.envelope = envelope;
    this.#method = envelope.method!;
    this.#params = bareParamsOf(envelope);
    this.#onend = onend;
  }

  /** True while the server knows the request under the client's own id. */
  get isFirst(): boolean {
    return this.#question === undefined && this.#rounds === 0;
  }

  /** Under what the server reports progress. */
  get token(): unknown {
    return this.#params._meta?.['progressToken'];
  }

  /** Whether progress goes on to the client: it never falls back, though every round begins anew. */
  advances(progress: unknown): boolean {
    if (typeof progress !== 'number' || (progress <= this.#progress && this.#rounds > 0)) return false;
    this.#progress = progress;
    return true;
  }

  /** Takes an answer of the server as it came in. */
  received(envelope: Envelope): void | Promise<void> {
    const skeleton = Skeleton.of(envelope);
    const { result } = (skeleton?.message ?? {}) as Answer;
    const whole = !isObject(result) || !this.#session.fit.isPlain(result);
    if (skeleton === undefined || whole) return this.answered((envelope.parsed ?? {}) as Answer);
    return this.answered({ result }, (answer) => skeleton.restored(answer));
  }

  /**
   * Takes an answer of the server.
   *
   * @param restore puts what was held aside into the answer to the client
   */
  answered(answer: Answer, restore?: Restore): void | Promise<void> {
    if (this.#over) return undefined;
    const { result, error } = answer;
    if (error !== undefined) return this.#refused(error);
    if (!isObject(result)) return this.#fail('The server answered without a result.');
    switch (result['resultType'] ?? 'complete') {
      case 'complete':
        return this.#complete(result, restore);
      case 'input_required':
        return void this.#goOn(result);
      case 'task':
        return void this.#follow(result);
      default:
        return this.#fail(
          `The server answered with a result of an unknown kind: ${String(result['resultType'])}.`,
        );
    }
  }

  /** Learns that no answer can come. */
  lost(error: ConnectorError): void {
    if (this.#over) return;
    this.#end();
    this.#session.context.client.onlost(this.envelope.key!, error);
  }

  /** Ends the request without a word to the client. */
  abandon(): void {
    if (!this.#over) this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#round?.withdraw();
    this.#task?.cancel();
    this.#question?.cancel();
    this.#onend();
  }

  #deliver(body: Answer, restore: Restore = (answer) => answer): void | Promise<void> {
    if (this.#over) return undefined;
    this.#end();
    return this.#session.context.client.onmessage(restore(answerTo(this.envelope, body)));
  }

  #fail(message: string): void | Promise<void> {
    return this.#deliver({ error: { code: INTERNAL_ERROR, message } });
  }

  #complete(result: Readonly<Record<string, unknown>>, restore?: Restore): void | Promise<void> {
    const { mirror, fit } = this.#session;
    const allowed = this.#method === 'tools/list' ? (mirror?.learn(result, this.#params) ?? result) : result;
    return this.#deliver({ result: fit.result(this.#method, this.#params, allowed) }, restore);
  }

  // ── Errors ───────────────────────────────────────────────────────────────────────────────────────────────────

  #refused(error: NonNullable<Answer['error']>): void | Promise<void> {
    if (!this.#corrected && (this.#isMisread(error) || SUSPECT.has(error.code))) {
      this.#corrected = true;
      return void this.#correct(error);
    }
    // The client knows nothing of headers, so nothing that it could mend is wrong.
    if (error.code === HEADER_MISMATCH) return this.#fail(error.message);
    return this.#deliver({ error: this.#session.fit.error(this.#method, error) });
  }

  #isMisread({ code }: { code: number }): boolean {
    return code === HEADER_MISMATCH && this.#method === 'tools/call' && this.#session.mirror !== undefined;
  }

  /** Reads anew what the request rests on, and sends it once more; the server has not carried it out. */
  async #correct(error: NonNullable<Answer['error']>): Promise<void> {
    const { context, mirror, stamp } = this.#session;
    const options = { inPlaceOf: this.envelope.key! };
    const ask = (method: string, params: Params): Promise<Answer> =>
      context.upstream.ask(method, stamp(params), options).answer;
    try {
      if (this.#isMisread(error)) {
        await mirror!.refresh((params: Params) => ask('tools/list', params));
        return this.#send({});
      }
      const discovered = discoveredIn(await ask('server/discover', {}));
      if (discovered === undefined) return this.#outdated();
      const mutual = discovered.supportedVersions.includes(MODERN);
      if (error.code === UNSUPPORTED_VERSION && mutual) return this.#send({});
    } catch (failure) {
      context.client.log.debug?.('the server could not be asked again: %s', reasonOf(failure));
    }
    await this.#refused(error);
  }

  /** The server has become one that wants a session: beginning it anew finds that out. */
  #outdated(): void {
    const { context } = this.#session;
    const text = `${context.client.endpoint.label} speaks another revision by now.`;
    this.lost(new ConnectorError('MCPC_SESSION_LOST', text, { delivered: 'rejected' }));
    context.misjudged();
  }

  // ── Rounds ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Has the client answer what the server asks, and sends the request again with the answers. */
  async #goOn({ inputRequests, requestState }: Readonly<Record<string, unknown>>): Promise<void> {
    if (!ASKING.has(this.#method)) return this.#fail(`The server asked something in ${this.#method}.`);
    if (++this.#rounds > MOST_ROUNDS) return this.#fail(`The server asked more than ${MOST_ROUNDS} times.`);
    const state = requestState === undefined ? {} : { requestState };
    try {
      if (!isObject(inputRequests) || Object.keys(inputRequests).length === 0) {
        await pause(PACE);
        return this.#send(state);
      }
      this.#round = this.#ask(inputRequests as Record<string, InputRequest>);
      const inputResponses = await this.#round.answers;
      this.#round = undefined;
      this.#send({ inputResponses, ...state });
    } catch (error) {
      await this.#broken(error);
    }
  }

  #ask(requests: Readonly<Record<string, InputRequest>>): Round {
    return this.#session.prompts.ask(requests, this.envelope.key!);
  }

  /** Waits for what the task comes to that the server has made of the request. */
  async #follow(created: Params): Promise<void> {
    const { context, stamp } = this.#session;
    const options = { inPlaceOf: this.envelope.key! };
    const ask = (method: string, params: Params): Question =>
      context.upstream.ask(method, stamp(params), options);
    this.#task = new ModernTask({ ask, prompt: (requests) => this.#ask(requests) }, created);
    try {
      await this.answered(await this.#task.end());
    } catch (error) {
      await this.#broken(error);
    }
  }

  /** Ends the request when a question could not be answered, or the server could not be asked. */
  #broken(error: unknown): void | Promise<void> {
    if (error instanceof PromptFailed) return this.#unanswered(error.message);
    if (error instanceof Undeclared) return this.#fail(error.message);
    return this.lost(toConnectorError(error, 'MCPC_PLUGIN'));
  }

  /** A tool that needed what the client would not give has failed; that is for the model to read. */
  #unanswered(reason: string): void | Promise<void> {
    if (this.#method !== 'tools/call') return this.#fail(reason);
    return this.#deliver({ result: { isError: true, content: [{ type: 'text', text: reason }] } });
  }

  /** Sends the request under a new id, with more parameters than the client gave. */
  #send(more: object, since: number = performance.now()): void {
    if (this.#over) return;
    const { context, mirror, stamp } = this.#session;
    const headers = mirror?.headersOf(this.envelope) ?? {};
    const params = { ...stamp(paramsOf(this.envelope)), ...more };
    const question = context.upstream.ask(this.#method, params, { headers, inPlaceOf: this.envelope.key! });
    this.#question = question;
    question.answer
      .then(
        (answer) => this.answered(answer),
        (error: unknown) => this.#unsent(more, since, error),
      )
      .catch((error: unknown) => this.lost(toConnectorError(error, 'MCPC_PLUGIN')));
  }

  /** What the user has answered is not asked again because the server comes up a little late. */
  async #unsent(more: object, since: number, error: unknown): Promise<void> {
    const failure = toConnectorError(error, 'MCPC_CONNECTION_LOST', { delivered: 'unknown' });
    const late = performance.now() - since > this.#session.context.client.settings.timeout;
    if (late || failure.code !== 'MCPC_CONNECT') return this.lost(failure);
    await pause(PACE);
    this.#send(more, since);
  }
}
