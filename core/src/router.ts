import type { Aside } from './aside.js';
import { Bonds } from './bonds.js';
import type { Envelope } from './envelope.js';
import { ConnectorError } from './errors.js';
import { HookExchange } from './exchange.js';
import type { Hooks } from './contract.js';
import { after, runHook } from './hooks.js';
import type { Call } from './ledger.js';
import type { Leg } from './leg.js';
import type { LegSet } from './legs.js';
import type { Retry } from './retry.js';

/**
 * What of a legacy session stays on one leg. `session`: all of it. `auto`: what may depend on what the server keeps for
 * the session, tool calls above all. `none`: only what names something that one server gave.
 */
export type Affinity = 'auto' | 'session' | 'none';

/** What a router is made from. */
export interface RouterOptions {
  readonly legs: LegSet;
  readonly hooks: Hooks;
  readonly retry: Retry;
  readonly affinity: Affinity;
  /** Sends messages of strategies' own. */
  readonly aside: Aside;
}

/** Requests that change the session itself. */
const OF_THE_SESSION = /^(?:resources\/(?:un)?subscribe$|logging\/setLevel$|tasks\/)/;

/** Decides to which leg each attempt at a request goes, and remembers which requests belong to one. */
export class Router {
  readonly #legs: LegSet;
  readonly #aside: Aside;
  readonly #hooks: Hooks;
  readonly #retry: Retry;
  readonly #affinity: Affinity;
  readonly #bonds = new Bonds();

  constructor({ legs, hooks, retry, affinity, aside }: RouterOptions) {
    this.#legs = legs;
    this.#aside = aside;
    this.#hooks = hooks;
    this.#retry = retry;
    this.#affinity = affinity;
  }

  /** Notes what a request names before the first attempt at it. */
  look(call: Call): void {
    call.bond = this.#bonds.find(call.outgoing);
    if (!call.outgoing.bytes.includes('"progressToken"')) return;
    const { params } = (call.outgoing.parsed ?? {}) as { params?: { _meta?: { progressToken?: unknown } } };
    call.progressToken = params?._meta?.progressToken;
  }

  /**
   * Chooses the leg for the next attempt.
   *
   * @throws ConnectorError `MCPC_NO_ENDPOINT` when the leg that the request belongs to is gone, or when none answers
   */
  choose(call: Call): Leg | Promise<Leg> {
    const { all } = this.#legs;
    if (call.bond?.firm === true) return this.#bound(call.bond.leg);
    if (all.length === 1) return all[0]!;
    const candidates = this.#legs.candidates(call.attempts);
    if (candidates.length > 0) return this.#chooseFrom(candidates, call);
    return this.#legs.awaken().then((leg) => this.#chooseFrom([leg], call));
  }

  #chooseFrom(candidates: readonly Leg[], call: Call): Leg | Promise<Leg> {
    const affinity = (): Leg | undefined => {
      const leg = this.affinity(call);
      return leg !== undefined && candidates.includes(leg) ? leg : undefined;
    };
    const exchange = new HookExchange({
      id: call.envelope.id,
      method: call.outgoing.method,
      attempts: call.attempts,
      state: call.state,
      aside: this.#aside,
      safe: () => this.isSafe(call),
      affinity,
      onanswer: () => undefined,
      ondrop: () => undefined,
    });
    return after(runHook(this.#hooks.selectTransport, candidates, exchange), (chosen) => {
      const bound = affinity();
      const leg = candidates.find(({ index }) => index === chosen?.index) ?? bound ?? candidates[0]!;
      return leg === bound ? leg : leastBusy(leg, candidates, call);
    });
  }

  /** The legs that may take the request at all. */
  takers(call: Call): readonly Leg[] {
    return call.bond?.firm === true ? [call.bond.leg] : this.#legs.all;
  }

  /** The leg that the request is best sent to: the one that knows what it is about. */
  affinity(call: Call): Leg | undefined {
    if (call.bond !== undefined) return call.bond.leg;
    const { home } = this.#legs;
    const { method } = call.outgoing;
    if (home === undefined || call.modern || method === 'initialize') return undefined;
    if (this.#affinity === 'session' || method === undefined || OF_THE_SESSION.test(method)) return home;
    if (this.#affinity === 'none' || !home.stateful) return undefined;
    return method !== 'tools/call' && this.isSafe(call) ? undefined : home;
  }

  /** Whether carrying the request out twice does no harm. */
  isSafe(call: Call): boolean {
    const { outgoing } = call;
    return this.#retry.isSafe(
      outgoing.method,
      () => (outgoing.parsed as { params?: { name?: unknown } } | undefined)?.params?.name,
    );
  }

  /** A request that depends on the session takes it along: it is complete on the leg before anything is sent. */
  prepare(call: Call, leg: Leg): void {
    if (!leg.joined && this.affinity(call) !== undefined) leg.home = true;
  }

  /** Learns from an answer where requests after it belong. */
  answered(call: Call, leg: Leg, answer: Envelope): void {
    const { all, home } = this.#legs;
    if (all.length === 1) return;
    if (call.modern) this.#legs.met(leg);
    if (call.bond === undefined && leg !== home && this.affinity(call) === home) this.#legs.move(leg);
    this.#bonds.learn(leg, call.outgoing, answer);
    if (call.outgoing.method === 'logging/setLevel') this.#tellOthers(call.outgoing, leg);
  }

  /** The log level holds for all servers of the session; legs that join later are told as they do. */
  #tellOthers(request: Envelope, told: Leg): void {
    for (const leg of this.#legs.all) {
      if (leg !== told && leg.joined && leg.open) leg.ask(request).catch(() => undefined);
    }
  }

  #bound(leg: Leg): Leg {
    if (this.#legs.has(leg)) return leg;
    const text = `${leg.endpoint.label}, which began what the request goes on with, is no longer in use.`;
    throw new ConnectorError('MCPC_NO_ENDPOINT', text, {
      hint: 'Begin again: list from the first page, or start the task anew',
    });
  }
}

/** Of several connections to one endpoint, the one with the least to do; one that failed for the request comes last. */
function leastBusy(chosen: Leg, candidates: readonly Leg[], { attempts }: Call): Leg {
  const load = (leg: Leg): number =>
    attempts.some(({ candidate }) => candidate === leg) ? Infinity : leg.pending;
  return candidates.reduce(
    (best, leg) => (leg.endpoint === chosen.endpoint && load(leg) < load(best) ? leg : best),
    chosen,
  );
}
