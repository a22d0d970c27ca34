import type { Endpoint } from './endpoint.js';
import type { Envelope } from './envelope.js';
import { ConnectorError, reasonOf } from './errors.js';
import type { Equivalence } from './equivalence.js';
import type { Attempt } from './contract.js';
import type { Leg, LegEvents, LegOptions } from './leg.js';
import type { Log } from './log.js';
import { SessionMemory } from './session.js';

/** What a set of legs gives to each of them. */
export type LegParts = Pick<LegOptions, 'endpoint' | 'index' | 'memory' | 'events' | 'hurry' | 'alone'>;

/** What a set of legs is made from. */
export interface LegSetOptions {
  make(parts: LegParts): Leg;
  readonly events: Omit<LegEvents, 'onjoined' | 'onejected'>;
  readonly equivalence: Equivalence;
  /** Whether the client's session is begun on every leg as soon as it is on one. */
  readonly warm: boolean;
  /** Aborts when there is no time left for an orderly end. */
  readonly hurry: AbortSignal;
  readonly log: Log;
}

/** What is going on at one endpoint. */
export interface LegStatus {
  readonly endpoint: string;
  readonly state: 'up' | 'ejected' | 'probing';
  readonly open: boolean;
  /** Whether the client's session has its home here. */
  readonly home: boolean;
  readonly era: 'legacy' | 'modern' | undefined;
  /** Requests that wait for its answer. */
  readonly pending: number;
  readonly answered: number;
  /** Attempts that failed. */
  readonly failed: number;
  /** How often it was ejected. */
  readonly ejections: number;
  readonly quarantined: string | undefined;
  readonly lastError: string | undefined;
}

/**
 * The legs of one client. They share its session, which has its home on one of them; which of them get requests depends
 * on their health, and on whether they are alike.
 */
export class LegSet {
  readonly memory = new SessionMemory();
  readonly #options: LegSetOptions;
  readonly #events: LegEvents;
  #legs: readonly Leg[] = [];
  /** Legs whose endpoints are gone, while they still finish what they have begun. */
  readonly #retired = new Set<Leg>();
  #home: Leg | undefined;
  /** True once a server has answered a request of 2026-07-28: the others are compared with that one. */
  #met = false;
  #made = 0;
  #closed = false;

  constructor(options: LegSetOptions) {
    this.#options = options;
    this.#events = {
      ...options.events,
      onclose: (leg, error) => {
        // What is sent again goes where the session is then.
        if (leg === this.#home && !this.#closed) this.#leave();
        options.events.onclose(leg, error);
      },
      onjoined: (leg) => {
        void options.equivalence.judge(leg);
        if (this.#home?.open === false) this.move(leg);
      },
      onejected: (leg) => this.#onejected(leg),
    };
  }

  get all(): readonly Leg[] {
    return this.#legs;
  }

  /** The leg where the client's session has its home: subscriptions live there, and all that depends on the session. */
  get home(): Leg | undefined {
    return this.#home;
  }

  /** True while the leg's endpoint is one of those in use. */
  has(leg: Leg): boolean {
    return this.#legs.includes(leg);
  }

  /**
   * The legs that a request may go to: those that are up and alike. Where they have failed for it, also those that have
   * not been compared yet; where there are none, all that are up. None while all are out.
   */
  candidates(attempts: readonly Attempt[]): readonly Leg[] {
    const legs = this.#legs;
    const fit = legs.every(isFit) ? legs : legs.filter(isFit);
    const isUntried = (leg: Leg): boolean => attempts.every(({ candidate }) => candidate !== leg);
    if (fit.length === legs.length || (fit.length > 0 && (attempts.length === 0 || fit.some(isUntried))))
      return fit;
    const up = legs.filter(({ state }) => state === 'up');
    const alike = up.filter(({ quarantined }) => quarantined === undefined);
    return alike.length > 0 ? alike : up;
  }

  /**
   * Asks all legs at once for a sign of life, and returns the first that gives one; one that only asked to slow down is
   * taken as it is.
   *
   * @throws ConnectorError `MCPC_NO_ENDPOINT` when none does, or `MCPC_CONNECT` when all lead to one endpoint
   */
  async awaken(): Promise<Leg> {
    // A leg may have been asked a moment ago, before it came back.
    const leg = (await this.#firstAwake()) ?? (await this.#firstAwake());
    if (leg !== undefined) return leg;
    const due = this.#legs.toSorted((a, b) => a.health.dueAt - b.health.dueAt);
    const resting = due.find(({ health }) => health.isCooling);
    if (resting !== undefined) return resting;
    throw this.#nobody();
  }

  /** Makes legs for new endpoints, one each time that it is named, and retires those of endpoints that no longer are. */
  follow(endpoints: readonly Endpoint[]): void {
    const left = [...this.#legs];
    this.#legs = endpoints.map((endpoint) => {
      const at = left.findIndex((leg) => isSame(leg.endpoint, endpoint));
      return at === -1 ? this.#make(endpoint) : left.splice(at, 1)[0]!;
    });
    for (const leg of left) this.#retire(leg);
  }

  /** Notes that the client's own `initialize` was answered by this leg. */
  begun(leg: Leg, answer: Envelope): void {
    if (this.#home !== undefined) this.#home.home = false;
    this.#home = leg;
    leg.home = true;
    leg.begun(answer);
  }

  /** Begins the session on the other legs too, once the client's own is complete. */
  warm(): void {
    const { equivalence, warm } = this.#options;
    const home = this.#home;
    if (home === undefined || this.#legs.length < 2) return;
    equivalence.model(home);
    if (warm) for (const leg of this.#legs) if (leg !== home) this.#greet(leg);
  }

  /**
   * Notes that a leg has answered a request of 2026-07-28. No session begins there, so the first answer of all shows
   * the server that the client goes by, and the first one of each channel has its server compared.
   */
  met(leg: Leg): void {
    if (leg.comparedIn === leg.epoch || this.memory.started) return;
    leg.comparedIn = leg.epoch;
    const { equivalence, warm } = this.#options;
    if (this.#met) return void equivalence.judge(leg);
    this.#met = true;
    equivalence.model(leg);
    if (warm) for (const other of this.#legs) if (other !== leg) this.#compare(other);
  }

  /** Moves the session's home to this leg. */
  move(leg: Leg): void {
    if (this.#home === undefined || this.#home === leg) return;
    this.#options.log.debug?.('the session moves to %s', leg.endpoint.label);
    this.#home.home = false;
    this.#home = leg;
    leg.settle().catch((error: unknown) => {
      this.#options.log.warn?.('%s was not restored: %s', leg.endpoint.label, reasonOf(error));
    });
  }

  /** Tells what is going on at each endpoint. */
  status(): LegStatus[] {
    const { log } = this.#options;
    return this.#legs.map((leg) => ({
      endpoint: leg.endpoint.label,
      state: leg.state,
      open: leg.open,
      home: leg === this.#home,
      era: leg.era,
      pending: leg.pending,
      answered: leg.answered,
      failed: leg.failed,
      ejections: leg.health.ejections,
      quarantined: leg.difference,
      lastError: leg.health.lastError && log.redact(leg.health.lastError.message),
    }));
  }

  /** Closes every leg for good. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#legs, ...this.#retired].map((leg) => leg.close()));
  }

  async #firstAwake(): Promise<Leg | undefined> {
    const checks = this.#legs.map(async (leg) => {
      if (!leg.health.isCooling) await leg.health.check();
      return leg.state === 'up' ? leg : Promise.reject(new Error(leg.state));
    });
    return Promise.any(checks).catch(() => undefined);
  }

  #nobody(): ConnectorError {
    const [first, ...others] = new Set(this.#legs.map(({ endpoint }) => endpoint));
    const { lastError } = this.#legs[0]!.health;
    // The one endpoint may come up late, as with a single connection.
    if (others.length === 0) {
      return lastError?.code === 'MCPC_CONNECT'
        ? lastError
        : new ConnectorError('MCPC_CONNECT', `No connection to ${first!.label}.`, { cause: lastError });
    }
    return new ConnectorError(
      'MCPC_NO_ENDPOINT',
      `No endpoint answers: ${this.#legs.map(reasonOfLeg).join('; ')}.`,
      {
        cause: lastError,
        hint: 'Check that at least one of the servers is up; the next request tries all of them again',
        lasting: this.#legs.every(({ health }) => health.lastError?.lasting),
      },
    );
  }

  #make(endpoint: Endpoint): Leg {
    const leg = this.#options.make({
      endpoint,
      index: this.#made++,
      memory: this.memory,
      events: this.#events,
      hurry: this.#options.hurry,
      alone: () => this.#legs.length === 1,
    });
    if (!this.#options.warm) return leg;
    if (this.memory.started) this.#greet(leg);
    else if (this.#met) this.#compare(leg);
    return leg;
  }

  /** Compares a leg before it gets requests of 2026-07-28. */
  #compare(leg: Leg): void {
    const { equivalence } = this.#options;
    equivalence.expect(leg);
    void equivalence.judge(leg).then(() => (leg.comparedIn = leg.epoch));
  }

  /** Begins the session on a leg; how that goes is its first test. */
  #greet(leg: Leg): void {
    this.#options.equivalence.expect(leg);
    // A leg that is being made is not in its set yet.
    queueMicrotask(() => void leg.health.check());
  }

  #retire(leg: Leg): void {
    this.#options.log.info?.('%s is no longer named', leg.endpoint.label);
    if (leg === this.#home) this.#leave();
    this.#retired.add(leg);
    void leg.retire().then(() => this.#retired.delete(leg));
  }

  #onejected(leg: Leg): void {
    // Another server may come back in its place.
    leg.comparedIn = undefined;
    if (leg === this.#home && !this.#closed) this.#leave();
  }

  /** Takes the session to another leg that has it, where there is one: its news would be missed otherwise. */
  #leave(): void {
    const next = this.#legs.find((leg) => leg !== this.#home && leg.joined && isFit(leg));
    if (next !== undefined) this.move(next);
  }
}

/** Why a leg is down; most reasons name the endpoint by themselves. */
function reasonOfLeg({ endpoint: { label }, health: { lastError } }: Leg): string {
  const reason = lastError?.message.replace(/\.$/, '') ?? 'no answer';
  return reason.includes(label) ? reason : `${label}: ${reason}`;
}

function isFit({ state, quarantined, unproven }: Leg): boolean {
  return state === 'up' && quarantined === undefined && !unproven;
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  if (one === other) return true;
  return (
    one.scheme === other.scheme &&
    one.address === other.address &&
    one.ip === other.ip &&
    one.argv === other.argv
  );
}
