import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Envelope } from './envelope.js';
import { ConnectorError, toConnectorError, type Delivered } from './errors.js';
import { after, type Attempt } from './hooks.js';
import type { Call, Ledger } from './ledger.js';
import { isRefused, type Leg } from './leg.js';
import type { LegSet } from './legs.js';
import { endOfNews, LISTEN, missedNews, subscriptionOf } from './listen.js';
import type { Log } from './log.js';
import { cancellation, errorReply } from './reply.js';
import type { Retry } from './retry.js';
import { Router, type RouterOptions } from './router.js';
import type { Credentials, Settings } from './transport.js';
import { atMost } from './waiting.js';

/** What a dispatcher is made from. */
export interface DispatcherOptions extends RouterOptions {
  readonly ledger: Ledger;
  readonly settings: Settings;
  readonly log: Log;
}

/** Requests whose first answer `--timeout` bounds: they open a session or ask what the server is. */
const OPENERS = new Set<string | undefined>(['initialize', 'server/discover']);

/** Requests whose success is remembered: for retries, or for a session that may have to be begun anew. */
const NOTED = new Set<string | undefined>([
  'initialize',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tools/list',
]);

/** How long a server may take to hear that an answer is no longer wanted, in milliseconds. */
const FAREWELL = 500;

/** How long a sign-in may hold up a request that opens a session, in milliseconds: a person may be asked. */
const SIGN_IN = 15 * 60_000;

/** A request that is sent again for ever keeps only its last attempts. */
const MOST_ATTEMPTS_KEPT = 100;

/** Where a modern request carries its protocol version (2026-07-28 basic/index, _meta). */
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';

/**
 * Carries each request of the client to its one answer: attempt after attempt, over whichever legs it takes, until a
 * server has answered or an error of ours says why not.
 */
export class Dispatcher {
  readonly #ledger: Ledger;
  readonly #legs: LegSet;
  readonly #router: Router;
  readonly #retry: Retry;
  readonly #settings: Settings;
  readonly #log: Log;
  #stopped = false;

  constructor(options: DispatcherOptions) {
    this.#ledger = options.ledger;
    this.#legs = options.legs;
    this.#router = new Router(options);
    this.#retry = options.retry;
    this.#settings = options.settings;
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
    call.deadline = performance.now() + this.#settings.timeout;
    const { maxRequestTime } = this.#settings;
    if (maxRequestTime !== undefined && outgoing.method !== LISTEN) {
      call.total = setTimeout(() => this.#overdue(call, maxRequestTime), maxRequestTime);
    }
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
    const call = this.#ledger.findByToken(paramsOf(progress)?.['progressToken']);
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
    if (OPENERS.has(call.outgoing.method)) this.#limit(call);
    try {
      if (this.#stopped) throw stopping();
      const sent = after(stay ?? this.#router.choose(call), (leg) => {
        this.#assign(call, leg);
        this.#router.prepare(call, leg);
        return after(leg.ready(), (transport) =>
          after(this.#credentials(call, leg), (credentials) => {
            if (call.cancelled || call.tries !== attempt || !this.#ledger.has(call)) return undefined;
            if (isRefused(credentials)) return this.#stayRefused(call);
            call.signedWith = credentials.headers;
            call.sent = true;
            call.epoch = leg.epoch;
            this.#tellWhere(call, leg);
            this.#listenFor(call);
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
      opening: OPENERS.has(call.outgoing.method),
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

  #giveUp(call: Call, error: ConnectorError): void {
    const unclear = isUnclear(error) && !this.isSafe(call);
    this.fail(call, unclear ? outcomeUnknown(call, error) : error);
  }

  // ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Runs `authenticate`. A sign-in waits for a person, so the clock of `--timeout` stands still meanwhile. */
  #credentials(call: Call, leg: Leg): Credentials | Promise<Credentials> {
    const credentials = leg.credentials(call.challenge, call.signedWith);
    if (!(credentials instanceof Promise)) return credentials;
    const attempt = call.tries;
    const since = performance.now();
    call.deadline += SIGN_IN;
    if (call.limit !== undefined) this.#limit(call);
    const goOn = (): void => {
      call.deadline -= SIGN_IN - (performance.now() - since);
      if (call.limit !== undefined && call.tries === attempt && this.#ledger.has(call)) this.#limit(call);
    };
    return credentials.finally(goOn);
  }

  /** Begins to measure the server's silence. A stream of news may be silent for as long as there are none. */
  #listenFor(call: Call): void {
    const { requestTimeout } = this.#settings;
    if (requestTimeout === undefined || call.outgoing.method === LISTEN) return;
    clearTimeout(call.silence);
    const left = (): number =>
      Math.max(call.startedAt, call.heardAt, call.leg?.heardAt ?? 0) + requestTimeout - performance.now();
    const { tries } = call;
    const judge = (): void => {
      if (call.tries !== tries || !this.#ledger.has(call)) return;
      if (left() <= 0) void this.#silent(call, requestTimeout);
      else wait();
    };
    const wait = (): void => {
      // Where this process itself was held up, what has come in meanwhile is read first.
      call.silence = setTimeout(() => setImmediate(judge), left());
    };
    wait();
  }

  /** Ends an attempt whose server says nothing. It hears so before the same id may come again. */
  async #silent(call: Call, milliseconds: number): Promise<void> {
    const { leg, tries } = call;
    if (leg === undefined || !call.sent) return;
    const left = this.#hasLeft(call);
    const text = `${leg.endpoint.label} was silent for ${milliseconds / 1000} s after ${call.outgoing.method}.`;
    const hint = 'Allow more time with --request-timeout SECONDS';
    const error = new ConnectorError('MCPC_TIMEOUT', text, { delivered: left ? 'unknown' : 'no', hint });
    if (left) await atMost(FAREWELL, this.#takeBack(call, leg));
    if (call.leg === leg && call.sent === left) this.#failed(call, tries, error);
  }

  /** Ends a request that has taken too long altogether. */
  #overdue(call: Call, milliseconds: number): void {
    const { leg, outgoing, attempts } = call;
    const sent = this.#hasLeft(call);
    const last = attempts.at(-1)?.error;
    const reason = last === undefined ? '.' : `; before: ${last.message}`;
    const text = `${outgoing.method} was not answered within ${milliseconds / 1000} s${reason}`;
    const error = new ConnectorError('MCPC_TIMEOUT', text, {
      cause: last,
      delivered: sent ? 'unknown' : 'no',
      hint: 'Allow more time with --max-request-time SECONDS',
    });
    this.#giveUp(call, error);
    if (leg !== undefined && sent) void this.#takeBack(call, leg);
  }

  /** Tells a server that an answer is no longer wanted. `initialize` must not be cancelled (MCP basic/lifecycle). */
  async #takeBack({ envelope }: Call, leg: Leg): Promise<void> {
    if (envelope.method !== 'initialize') await leg.tell(cancellation(envelope.idText, 'it took too long'));
  }

  /** Gives the attempt its share of the time: endpoints that were not tried yet get as much. */
  #limit(call: Call): void {
    clearTimeout(call.limit);
    const tried = new Set(call.attempts.map(({ candidate }) => candidate));
    const untried = this.#legs.all.length - tried.size;
    const left = call.deadline - performance.now();
    call.limit = setTimeout(() => this.#expire(call, untried > 1), Math.max(0, left / Math.max(1, untried)));
  }

  /** Ends an attempt at a request that opens a session and, where no endpoint is left to try, the request. */
  #expire(call: Call, othersLeft: boolean): void {
    const { leg, envelope, attempts, tries } = call;
    const sent = this.#hasLeft(call);
    const last = attempts.at(-1);
    const { label } = (leg ?? last?.candidate ?? this.#legs.all[0]!).endpoint;
    // All attempts at the one endpoint there is count together.
    const since = this.#legs.all.length === 1 ? call.deadline - this.#settings.timeout : call.startedAt;
    const seconds = Number(((performance.now() - since) / 1000).toFixed(1));
    const reason = last === undefined ? '.' : `; before: ${last.error.message}`;
    const text = `${label} did not answer ${envelope.method} within ${seconds} s${reason}`;
    const error = new ConnectorError('MCPC_TIMEOUT', text, {
      cause: last?.error,
      delivered: sent ? 'unknown' : 'no',
      hint: last?.error.hint ?? 'Check that the server is up, or allow more time with --timeout SECONDS',
    });
    if (othersLeft) this.#failed(call, tries, error);
    else {
      if (leg !== undefined) this.#note(leg, error);
      this.fail(call, error);
    }
    if (leg !== undefined && sent) void this.#takeBack(call, leg);
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

/** The authors of a plugin look for the place where it failed. */
function detailOf({ code, message, cause }: ConnectorError): string {
  return code === 'MCPC_PLUGIN' && cause instanceof Error && cause.stack
    ? `${message}\n${cause.stack}`
    : message;
}

function stopping(delivered: Delivered = 'no'): ConnectorError {
  return new ConnectorError('MCPC_SHUTDOWN', 'mcp-connect is stopping.', { delivered });
}

/** An error that says nothing of its effect may have had one, once the message had left. */
function judged(error: unknown, sent: boolean): ConnectorError {
  if (sent) return toConnectorError(error, 'MCPC_CONNECTION_LOST', { delivered: 'unknown' });
  const failure = toConnectorError(error, 'MCPC_CONNECT');
  if (failure.delivered !== 'unknown') return failure;
  // What got lost was a request of our own, to begin the session anew: the client's never left.
  const { code, message, hint, status } = failure;
  return new ConnectorError(code, message, {
    cause: failure,
    ...(hint !== undefined && { hint }),
    ...(status !== undefined && { status }),
  });
}

/** Whether any attempt at a request may have had its effect, the one that the error ended included. */
function mayHaveRun(error: ConnectorError, attempts: readonly Attempt[]): boolean {
  return error.delivered === 'unknown' || attempts.some((attempt) => attempt.error.delivered === 'unknown');
}

/** An answer that is merely too large was given, and says more than that its outcome is unknown. */
function isUnclear({ delivered, code }: ConnectorError): boolean {
  return delivered === 'unknown' && code !== 'MCPC_TOO_LARGE';
}

function outcomeUnknown(call: Call, cause: ConnectorError): ConnectorError {
  const what = `${call.envelope.method} was sent, but its outcome is unknown`;
  return new ConnectorError('MCPC_OUTCOME_UNKNOWN', `${what}: ${cause.message}`, {
    cause,
    delivered: 'unknown',
    hint: 'Check at the server whether it was carried out before sending it again',
  });
}

function paramsOf(envelope: Envelope): Record<string, unknown> | undefined {
  return (envelope.parsed as { params?: Record<string, unknown> } | undefined)?.params;
}

/** What a request of 2026-07-28 says of itself; undefined for one of a legacy session. */
function modernMeta(envelope: Envelope): Record<string, unknown> | undefined {
  // A search of the bytes is cheaper than a parse, and most messages do not hold the key.
  if (!envelope.bytes.includes(VERSION_KEY)) return undefined;
  const meta = paramsOf(envelope)?.['_meta'];
  const named = typeof meta === 'object' && meta !== null && VERSION_KEY in meta;
  return named ? (meta as Record<string, unknown>) : undefined;
}
