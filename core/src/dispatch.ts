import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Envelope } from './envelope.js';
import { stopping, type ConnectorError } from './errors.js';
import { after } from './hooks.js';
import type { Call, Ledger } from './ledger.js';
import type { Leg } from './leg.js';
import type { LegSet } from './legs.js';
import { endOfNews, LISTEN, missedNews, subscriptionOf } from './listen.js';
import type { Log } from './log.js';
import { modernMeta } from './modern.js';
import { detailOf, isUnclear, judged, mayHaveRun, outcomeUnknown } from './outcome.js';
import { cancellation, errorReply } from './reply.js';
import type { Retry } from './retry.js';
import { Router, type RouterOptions } from './router.js';
import { isRefused } from './signing.js';
import { isOpener, Timeouts } from './timeouts.js';
import type { Settings } from './transport.js';

/** What a dispatcher is made from. */
export interface DispatcherOptions extends RouterOptions {
  readonly ledger: Ledger;
  readonly settings: Settings;
  readonly log: Log;
}

/** Requests whose success is remembered: for retries, or for a session that may have to be begun anew. */
const NOTED = new Set<string | undefined>([
  'initialize',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tools/list',
]);

/** A request that is sent again for ever keeps only its last attempts. */
const MOST_ATTEMPTS_KEPT = 100;

/**
 * Carries each request of the client to its one answer: attempt after attempt, over whichever legs it takes, until a
 * server has answered or an error of ours says why not.
 */
export class Dispatcher {
  readonly #ledger: Ledger;
  readonly #legs: LegSet;
  readonly #router: Router;
  readonly #retry: Retry;
  readonly #timeouts: Timeouts;
  readonly #log: Log;
  #stopped = false;

  constructor(options: DispatcherOptions) {
    this.#ledger = options.ledger;
    this.#legs = options.legs;
    this.#router = new Router(options);
    this.#retry = options.retry;
    this.#timeouts = new Timeouts({
      ...options,
      hasLeft: (call) => this.#hasLeft(call),
      onattempt: (call, attempt, error) => this.#failed(call, attempt, error),
      onexpired: (call, error) => {
        if (call.leg !== undefined) this.#note(call.leg, error);
        this.fail(call, error);
      },
      onoverdue: (call, error) => this.#giveUp(call, error),
    });
    this.#log = options.log;
  }

  /** Starts on a request. */
  send(call: Call, outgoing: Envelope): void {
    this.#retry.count();
    call.outgoing = outgoing;
    const meta = modernMeta(outgoing);
    call.modern = meta !== undefined;
    if (meta !== undefined) this.#legs.memory.meta = meta;
    if (this.#legs.all.length > 1) this.#router.look(call);
    this.#timeouts.begin(call);
    this.#attempt(call);
  }

  /** Notes that the answer of a request has come in, and from where: nothing that happens to the leg can spoil it. */
  answered(call: Call, answer: Envelope): void {
    const leg = call.leg!;
    this.#assign(call, undefined);
    leg.answered++;
    leg.era = call.modern ? 'modern' : 'legacy';
    leg.health.ok();
    this.#log.debug?.(
      '%s %s was answered by %s in %d ms',
      call.outgoing.method,
      call.envelope.idText,
      leg.endpoint.label,
      Math.round(performance.now() - call.startedAt),
    );
    this.#router.answered(call, leg, answer);
    call.sent = false;
    const { method } = call.outgoing;
    if (!NOTED.has(method)) return;
    const { parsed } = answer;
    if (parsed === undefined || !('result' in parsed)) return;
    if (method === 'tools/list') this.#retry.learn(parsed.result);
    else this.#legs.memory.note(call.outgoing, answer);
    if (method === 'initialize') this.#legs.begun(leg, answer);
  }

  /** Gives a call its answer, unless it has one. */
  answer(call: Call, envelope: Envelope): void | Promise<void> {
    return this.#settle(call) ? call.deliver(envelope) : undefined;
  }

  /** Gives a call an error of ours, unless it has an answer or the client no longer wants one. */
  fail(call: Call, error: ConnectorError): void {
    const { attempts, cancelled, envelope, leg } = call;
    // What ends a running attempt is how that attempt ended.
    if (leg !== undefined) attempts.push({ candidate: leg, error, ms: performance.now() - call.startedAt });
    if (!this.#settle(call) || cancelled) return;
    this.#log.debug?.('%s failed: %s', envelope.method, detailOf(error));
    const redact = (text: string): string => this.#log.redact(text);
    const executed = mayHaveRun(error, attempts) ? 'unknown' : 'no';
    const retryable = executed === 'no' || this.isSafe(call);
    void call.deliver(errorReply(envelope.idText, error, { attempts, executed, retryable, redact }));
  }

  /** Bytes of the reply to a request came in or, without an id, bytes of all that a leg replies. */
  alive(leg: Leg, id?: RequestId): void {
    const heard = id === undefined ? leg : this.#ledger.find(id);
    if (heard !== undefined) heard.heardAt = performance.now();
  }

  /** The channel of one request ended without its answer. */
  lost(leg: Leg, id: RequestId, error: ConnectorError): void {
    const call = this.#ledger.find(id);
    if (call?.leg === leg && call.sent) this.#failed(call, call.tries, error);
  }

  /** The channel of a leg is gone, and with it the answers of all that was sent over it. */
  lostAll(leg: Leg, error: ConnectorError): void {
    for (const call of this.#ledger.calls()) {
      if (call.leg === leg && call.sent) this.#failed(call, call.tries, error);
    }
  }

  /**
   * Notes that a stream of news runs. Where it was down before, returns what the client has to be told of: anything may
   * have happened in between.
   */
  resumed(acknowledgement: Envelope): Envelope[] {
    const call = this.#ledger.find(subscriptionOf(acknowledgement));
    if (call?.outgoing.method !== LISTEN) return [];
    const before = call.acknowledged;
    call.acknowledged = true;
    call.attempts.length = 0;
    return before ? missedNews(call.outgoing) : [];
  }

  /** Ends the streams of news: they would keep an orderly end waiting for nothing. */
  endNews(): void {
    for (const call of this.#ledger.calls()) {
      if (call.outgoing.method !== LISTEN) continue;
      const { leg, envelope } = call;
      const left = this.#hasLeft(call);
      void this.answer(call, endOfNews(envelope));
      if (leg !== undefined && left) void leg.tell(cancellation(envelope.idText, 'the client is gone'));
    }
  }

  /** Takes a request back. Returns the leg that has to be told, if any. */
  cancel(call: Call): Leg | undefined {
    const told = this.#hasLeft(call) ? call.leg : undefined;
    this.#ledger.cancel(call);
    void call.deliver(undefined);
    // In the modern era, and before the request left, nothing more can come (2026-07-28 patterns/cancellation).
    if (told === undefined || call.modern) this.#settle(call);
    return told;
  }

  /** Answers what is left with an error and tells the servers. From here on no request is sent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const told: Promise<void>[] = [];
    for (const call of this.#ledger.calls()) {
      const { leg, cancelled, envelope } = call;
      const left = this.#hasLeft(call);
      const owed = leg !== undefined && left && !cancelled && envelope.method !== 'initialize';
      if (owed) told.push(leg.tell(cancellation(envelope.idText, 'the client is gone')));
      this.fail(call, stopping(left ? 'unknown' : 'no'));
    }
    await Promise.all(told);
  }

  /** Whether carrying the request out twice does no harm. */
  isSafe(call: Call): boolean {
    return this.#router.isSafe(call);
  }

  /** Whether news of progress comes from an attempt that is over: only the current one may tell of it. */
  isStale(leg: Leg, progress: Envelope): boolean {
    const { params } = (progress.parsed ?? {}) as { params?: { progressToken?: unknown } };
    const call = this.#ledger.findByToken(params?.progressToken);
    return call !== undefined && call.leg !== leg;
  }

  /** The leg that the request is best sent to. */
  affinity(call: Call): Leg | undefined {
    return this.#router.affinity(call);
  }

  /** Whether the server may get the current attempt. One that has not left its transport yet is taken back. */
  #hasLeft(call: Call): boolean {
    if (call.sent && call.leg?.transport?.withdraw?.(call.envelope.key!) === true) call.sent = false;
    return call.sent;
  }

  /** One attempt, straight down the line. */
  #attempt(call: Call, stay?: Leg): void {
    const attempt = call.tries;
    const failed = (error: unknown): void => this.#failed(call, attempt, judged(error, call.sent));
    call.startedAt = performance.now();
    call.sent = false;
    if (isOpener(call.outgoing)) this.#timeouts.limit(call);
    try {
      if (this.#stopped) throw stopping();
      const sent = after(stay ?? this.#router.choose(call), (leg) => {
        this.#assign(call, leg);
        this.#router.prepare(call, leg);
        return after(leg.ready(), (transport) =>
          after(this.#timeouts.credentials(call, leg), (credentials) => {
            if (call.cancelled || call.tries !== attempt || !this.#ledger.has(call)) return undefined;
            if (isRefused(credentials)) return this.#stayRefused(call);
            call.signedWith = credentials.headers;
            call.sent = true;
            call.epoch = leg.epoch;
            this.#tellWhere(call, leg);
            this.#timeouts.listenFor(call);
            return transport.send(call.outgoing, credentials);
          }),
        );
      });
      if (sent !== undefined) sent.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** One attempt went wrong: another one, or the end. */
  #failed(call: Call, attempt: number, error: ConnectorError): void {
    if (attempt !== call.tries || !this.#ledger.has(call)) return;
    call.tries++;
    clearTimeout(call.silence);
    const candidate = call.leg ?? this.#legs.all[0]!;
    if (call.leg !== undefined) this.#note(call.leg, error);
    call.attempts.push({ candidate, error, ms: performance.now() - call.startedAt });
    if (call.attempts.length > MOST_ATTEMPTS_KEPT) call.attempts.shift();
    if (error.code === 'MCPC_SESSION_LOST') call.leg?.forgotten(call.epoch);
    this.#assign(call, undefined);
    // Whatever became of this attempt is told by its error; the wait for the next one is on nobody's account.
    call.sent = false;
    const safe = this.isSafe(call);
    const left = call.deadline - performance.now();
    const given = this.#stopped || call.cancelled;
    // A stream that never ran is a request like any other; one that did is opened again for ever.
    const question = {
      attempts: call.attempts,
      safe,
      endless: call.acknowledged,
      candidates: this.#router.takers(call),
      opening: isOpener(call.outgoing),
      left,
    };
    const next = given ? undefined : this.#retry.next(question);
    if (next === undefined) return this.#giveUp(call, error);
    const { wait, stay } = next;
    this.#log.debug?.('%s is sent again in %d ms: %s', call.envelope.method, Math.round(wait), error.message);
    const again = (): void => this.#attempt(call, stay ? candidate : undefined);
    if (wait === 0) again();
    else call.pause = setTimeout(again, wait);
  }

  /** Answers a request that was refused for want of rights, and for which no other credentials came up. */
  #stayRefused(call: Call): void {
    this.#assign(call, undefined);
    this.fail(call, call.attempts.at(-1)!.error);
  }

  /** Ends a request for which there is no other attempt. */
  #giveUp(call: Call, error: ConnectorError): void {
    const unclear = isUnclear(error) && !this.isSafe(call);
    this.fail(call, unclear ? outcomeUnknown(call, error) : error);
  }

  #note(leg: Leg, error: ConnectorError): void {
    leg.failed++;
    leg.health.failed(error);
  }

  #tellWhere({ outgoing, envelope, attempts }: Call, leg: Leg): void {
    const line = attempts.length > 0 || this.#legs.all.length > 1 ? this.#log.debug : this.#log.trace;
    line?.(
      '%s %s goes to %s (attempt %d)',
      outgoing.method,
      envelope.idText,
      leg.endpoint.label,
      attempts.length + 1,
    );
  }

  #settle(call: Call): boolean {
    this.#assign(call, undefined);
    return this.#ledger.settle(call);
  }

  #assign(call: Call, leg: Leg | undefined): void {
    // A stream of news waits for ever, and is no load.
    const counts = call.outgoing.method !== LISTEN;
    if (counts) call.leg?.release();
    call.leg = leg;
    if (counts && leg !== undefined) leg.pending++;
  }
}
