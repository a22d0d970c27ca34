import type { Envelope } from './envelope.js';
import { ConnectorError } from './errors.js';
import type { Call, Ledger } from './ledger.js';
import type { Leg } from './leg.js';
import type { LegSet } from './legs.js';
import { LISTEN } from './listen.js';
import { cancellation } from './reply.js';
import type { Credentials, Settings } from './transport.js';
import { atMost } from './waiting.js';

/** What timeouts are made from. */
export interface TimeoutsOptions {
  readonly ledger: Ledger;
  readonly legs: LegSet;
  readonly settings: Settings;
  /** Whether the server may get the current attempt. One that has not left its transport yet is taken back. */
  hasLeft(call: Call): boolean;
  /** The attempt of this number took too long; there may be another one. */
  onattempt(call: Call, attempt: number, error: ConnectorError): void;
  /** No time is left to open a session, whichever endpoint is tried. */
  onexpired(call: Call, error: ConnectorError): void;
  /** The request took too long altogether. */
  onoverdue(call: Call, error: ConnectorError): void;
}

/** Requests whose first answer `--timeout` bounds: they open a session or ask what the server is. */
const OPENERS = new Set<string | undefined>(['initialize', 'server/discover']);

/** How long a server may take to hear that an answer is no longer wanted, in milliseconds. */
const FAREWELL = 500;

/** How long a sign-in may hold up a request that opens a session, in milliseconds: a person may be asked. */
const SIGN_IN = 15 * 60_000;

/** Tells whether `--timeout` bounds the wait for the answer to a request, which opens a session. */
export function isOpener({ method }: Envelope): boolean {
  return OPENERS.has(method);
}

/** Ends what takes too long: an attempt whose server is silent, the opening of a session, or a request as a whole. */
export class Timeouts {
  readonly #options: TimeoutsOptions;
  readonly #ledger: Ledger;
  readonly #legs: LegSet;
  readonly #settings: Settings;

  constructor(options: TimeoutsOptions) {
    this.#options = options;
    this.#ledger = options.ledger;
    this.#legs = options.legs;
    this.#settings = options.settings;
  }

  /** Begins to measure a request as a whole. A stream of news never ends by itself. */
  begin(call: Call): void {
    call.deadline = performance.now() + this.#settings.timeout;
    const { maxRequestTime } = this.#settings;
    if (maxRequestTime !== undefined && call.outgoing.method !== LISTEN) {
      call.total = setTimeout(() => this.#overdue(call, maxRequestTime), maxRequestTime);
    }
  }

  /** Gives the attempt its share of the time: endpoints that were not tried yet get as much. */
  limit(call: Call): void {
    clearTimeout(call.limit);
    const tried = new Set(call.attempts.map(({ candidate }) => candidate));
    const untried = this.#legs.all.length - tried.size;
    const left = call.deadline - performance.now();
    call.limit = setTimeout(() => this.#expire(call, untried > 1), Math.max(0, left / Math.max(1, untried)));
  }

  /** Runs `authenticate`. A sign-in waits for a person, so the clock of `--timeout` stands still meanwhile. */
  credentials(call: Call, leg: Leg): Credentials | Promise<Credentials> {
    const credentials = leg.credentials(call.challenge, call.signedWith);
    if (!(credentials instanceof Promise)) return credentials;
    const attempt = call.tries;
    const since = performance.now();
    call.deadline += SIGN_IN;
    if (call.limit !== undefined) this.limit(call);
    const goOn = (): void => {
      call.deadline -= SIGN_IN - (performance.now() - since);
      if (call.limit !== undefined && call.tries === attempt && this.#ledger.has(call)) this.limit(call);
    };
    return credentials.finally(goOn);
  }

  /** Begins to measure the server's silence. A stream of news may be silent for as long as there are none. */
  listenFor(call: Call): void {
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
    const left = this.#options.hasLeft(call);
    const text = `${leg.endpoint.label} was silent for ${milliseconds / 1000} s after ${call.outgoing.method}.`;
    const hint = 'Allow more time with --request-timeout SECONDS';
    const error = new ConnectorError('MCPC_TIMEOUT', text, { delivered: left ? 'unknown' : 'no', hint });
    if (left) await atMost(FAREWELL, this.#takeBack(call, leg));
    if (call.leg === leg && call.sent === left) this.#options.onattempt(call, tries, error);
  }

  /** Ends a request that has taken too long altogether. */
  #overdue(call: Call, milliseconds: number): void {
    const { leg, outgoing, attempts } = call;
    const sent = this.#options.hasLeft(call);
    const last = attempts.at(-1)?.error;
    const reason = last === undefined ? '.' : `; before: ${last.message}`;
    const text = `${outgoing.method} was not answered within ${milliseconds / 1000} s${reason}`;
    const error = new ConnectorError('MCPC_TIMEOUT', text, {
      cause: last,
      delivered: sent ? 'unknown' : 'no',
      hint: 'Allow more time with --max-request-time SECONDS',
    });
    this.#options.onoverdue(call, error);
    if (leg !== undefined && sent) void this.#takeBack(call, leg);
  }

  /** Tells a server that an answer is no longer wanted. `initialize` must not be cancelled (MCP basic/lifecycle). */
  async #takeBack({ envelope }: Call, leg: Leg): Promise<void> {
    if (envelope.method !== 'initialize') await leg.tell(cancellation(envelope.idText, 'it took too long'));
  }

  /** Ends an attempt at a request that opens a session and, where no endpoint is left to try, the request. */
  #expire(call: Call, othersLeft: boolean): void {
    const { leg, envelope, attempts, tries } = call;
    const sent = this.#options.hasLeft(call);
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
    if (othersLeft) this.#options.onattempt(call, tries, error);
    else this.#options.onexpired(call, error);
    if (leg !== undefined && sent) void this.#takeBack(call, leg);
  }
}
