import { toConnectorError, type ConnectorError, type ErrorCode } from './errors.js';
import type { Candidate } from './contract.js';
import type { Log } from './log.js';

/** What the health of one endpoint is made from. */
export interface HealthOptions {
  /** How messages name the endpoint. */
  readonly label: string;
  readonly log: Log;
  /** Milliseconds of the first ejection; each further one in a row lasts as much longer. */
  readonly ejectionTime: number;
  /** True while there is no other endpoint: then it is never ejected, and nothing is asked of it. */
  alone(): boolean;
  /** Asks for a sign of life with a request that changes nothing; rejects when there is none. */
  probe(): Promise<void>;
  /** Learns that the endpoint was ejected. */
  onejected(): void;
}

/** So many transport failures in a row eject an endpoint. */
const MOST_FAILURES = 3;
const LONGEST_EJECTION = 300_000;
/** Ejections vary by this share either way, so that endpoints which failed together do not return together. */
const SPREAD = 0.2;
/** After so many milliseconds without an ejection, the next one is a step shorter. */
const DECAY = 60_000;
/** How long an endpoint rests that asks to slow down and does not say how long, in milliseconds. */
const COOL_DOWN = 1_000;

/** Failures of the way to the server, or of the server as a whole; all other errors are answers of a healthy one. */
const TRANSPORT_FAILURES = new Set<ErrorCode>([
  'MCPC_CONNECT',
  'MCPC_TIMEOUT',
  'MCPC_CONNECTION_LOST',
  'MCPC_NO_ANSWER',
  'MCPC_BAD_RESPONSE',
]);

/**
 * Watches over one endpoint by what becomes of its requests: three transport failures in a row eject it for a while,
 * a harmless request decides whether it comes back, and a server that asks to slow down is left alone until then.
 */
export class Health {
  readonly #options: HealthOptions;
  #state: Candidate['state'] = 'up';
  /** Ejections in a row, which fade while all goes well. */
  #streak = 0;
  #upSince = performance.now();
  #dueAt = 0;
  #coolUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | undefined;
  #closed = false;
  /** Transport failures since the last sign of life. */
  failures = 0;
  /** How often it was ejected in all. */
  ejections = 0;
  lastError: ConnectorError | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  get state(): Candidate['state'] {
    return this.#state === 'up' && this.isCooling ? 'ejected' : this.#state;
  }

  /** When it may be tried again, in milliseconds of `performance.now()`; 0 while it is up. */
  get dueAt(): number {
    return Math.max(this.#state === 'up' ? 0 : this.#dueAt, this.isCooling ? this.#coolUntil : 0);
  }

  /** Notes a sign of life. */
  ok(): void {
    if (this.failures === 0 && this.#state === 'up') return;
    this.failures = 0;
    this.#stopTimer();
    if (this.#state === 'up') return;
    this.#state = 'up';
    this.#upSince = performance.now();
    this.#options.log.info?.('%s is back', this.#options.label);
  }

  /**
   * Notes how an attempt failed. What is no failure of the transport counts for nothing, and the same error once: a
   * channel that ends with a hundred requests in it has failed once.
   */
  failed(error: ConnectorError): void {
    if (error === this.lastError) return;
    this.lastError = error;
    if (error.code === 'MCPC_RATE_LIMITED') {
      const wait = Math.min(error.retryAfter ?? COOL_DOWN, LONGEST_EJECTION);
      this.#coolUntil = Math.max(this.#coolUntil, performance.now() + wait);
      return;
    }
    if (!isTransportFailure(error)) return;
    this.failures++;
    // News of attempts that began before the ejection changes nothing.
    if (this.#closed || this.#state !== 'up' || this.#options.alone()) return;
    if (this.failures >= MOST_FAILURES) this.#eject();
    // A single failure may go unnoticed by later requests, which go elsewhere: then nobody else would ask.
    else this.#askIn(varied(this.#options.ejectionTime));
  }

  /** Asks for a sign of life now, and notes what comes of it. Who asks meanwhile waits for the same answer. */
  check(): Promise<void> {
    return (this.#checking ??= this.#check().finally(() => (this.#checking = undefined)));
  }

  /** Stops watching. */
  close(): void {
    this.#closed = true;
    this.#stopTimer();
  }

  /** True while the server rests that asked to slow down. */
  get isCooling(): boolean {
    return this.#coolUntil !== 0 && performance.now() < this.#coolUntil;
  }

  async #check(): Promise<void> {
    if (this.#closed) return;
    if (this.#state === 'ejected') this.#state = 'probing';
    try {
      await this.#options.probe();
      this.ok();
    } catch (error) {
      const reason = toConnectorError(error, 'MCPC_CONNECT');
      this.#options.log.debug?.('%s gives no sign of life: %s', this.#options.label, reason.message);
      if (!isTransportFailure(reason)) this.ok();
      this.failed(reason);
      if (this.#state !== 'probing' || this.#closed) return;
      // Who asks before the time is up does not make it longer.
      if (this.#timer === undefined) this.#eject();
      else this.#state = 'ejected';
    }
  }

  #eject(): void {
    const { label, log, ejectionTime, onejected } = this.#options;
    if (this.#state === 'up') {
      this.#streak = Math.max(0, this.#streak - Math.floor((performance.now() - this.#upSince) / DECAY));
    }
    this.#streak++;
    this.ejections++;
    this.#state = 'ejected';
    const wait = Math.min(varied(ejectionTime * this.#streak), LONGEST_EJECTION);
    this.#dueAt = performance.now() + wait;
    this.#askIn(wait);
    const last = this.lastError === undefined ? '' : `: ${this.lastError.message}`;
    log.warn?.('%s gets no requests for %d s%s', label, Math.round(wait / 1000), last);
    onejected();
  }

  #askIn(wait: number): void {
    this.#stopTimer();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.check();
    }, wait);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Whether an error tells of trouble with the server as a whole (JSON-RPC errors and other statuses do not). */
function isTransportFailure({ code, status = 0 }: ConnectorError): boolean {
  return TRANSPORT_FAILURES.has(code) || (code === 'MCPC_HTTP_STATUS' && status >= 500);
}

function varied(milliseconds: number): number {
  return milliseconds * (1 - SPREAD + 2 * SPREAD * Math.random());
}
