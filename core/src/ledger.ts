import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Bond } from './bonds.js';
import type { Envelope } from './envelope.js';
import type { Challenge } from './errors.js';
import type { Attempt } from './contract.js';
import { InFlight } from './in-flight.js';
import type { Leg } from './leg.js';

/** One request of the client, from its arrival to its one answer. */
export class Call {
  /** The request as the client sent it. */
  readonly envelope: Envelope;
  /** The request as it goes out: a hook may have changed it. */
  outgoing: Envelope;
  /** Where the answer goes; undefined when the client took the request back and waits for none. */
  readonly deliver: (answer: Envelope | undefined) => void | Promise<void>;
  /** The leg of the current attempt. */
  leg: Leg | undefined;
  /** True from the moment the current attempt may have reached the server. */
  sent = false;
  /** The leg's epoch in which the current attempt was sent. */
  epoch = 0;
  /** The header fields with which the request was last sent. */
  signedWith: Readonly<Record<string, string>> | undefined;
  /** True once the client took the request back: nothing is sent again, and no error is made up for it. */
  cancelled = false;
  /** What the request goes on with, where it does: a list, a task, or a question of the server. */
  bond: Bond | undefined;
  /** What names the request in news of its progress. */
  progressToken: unknown;
  /** True for a request of a plugin, whose answer is the plugin's and passes no hook. */
  aside = false;
  /** True for a request of 2026-07-28, which belongs to no session. */
  modern = false;
  readonly attempts: Attempt[] = [];
  /** True once a server has opened the stream of news that the request asks for. */
  acknowledged = false;
  /** Counts the attempts that have ended, so that late news of one does no harm to the next. */
  tries = 0;
  /** When the current attempt began, in milliseconds of `performance.now()`. */
  startedAt = 0;
  /** When the last bytes of the reply came in, in milliseconds of `performance.now()`. */
  heardAt = 0;
  /** When connecting for this request ends at the latest, in milliseconds of `performance.now()`. */
  deadline = 0;
  /** The wait for the next attempt. */
  pause: NodeJS.Timeout | undefined;
  /** The limit for a request that opens a session. */
  limit: NodeJS.Timeout | undefined;
  /** The limit for silence, where there is one. */
  silence: NodeJS.Timeout | undefined;
  /** The limit for the request as a whole, where there is one. */
  total: NodeJS.Timeout | undefined;
  /** Runs once when the call leaves the books. */
  onsettled: (() => void) | undefined;
  #state: Map<unknown, unknown> | undefined;

  constructor(envelope: Envelope, deliver: Call['deliver']) {
    this.envelope = envelope;
    this.outgoing = envelope;
    this.deliver = deliver;
  }

  /** Values that plugins keep while the request lives. */
  get state(): Map<unknown, unknown> {
    return (this.#state ??= new Map());
  }

  /** Why the last attempt was refused, when it was for want of rights. */
  get challenge(): Challenge | undefined {
    return this.attempts.at(-1)?.error.challenge;
  }
}

/** A cancelled call is kept for a late answer, but no server can make this list grow without end. */
const MOST_CANCELLED = 1_000;

/**
 * The books of requests in flight: every request that is opened here is settled exactly once, and only what is on
 * the books can be answered. Late and second answers find nothing and are dropped.
 */
export class Ledger {
  readonly #calls = new InFlight<Call>();
  readonly #cancelled = new Set<Call>();
  readonly #idle: (() => void)[] = [];

  /** Puts a request on the books. Returns undefined when its id is in flight already. */
  open(envelope: Envelope, deliver: Call['deliver']): Call | undefined {
    const key = envelope.key!;
    const holder = this.#calls.get(key);
    if (holder !== undefined && !holder.cancelled) return undefined;
    if (holder !== undefined) this.#cancelled.delete(holder);
    const call = new Call(envelope, deliver);
    this.#calls.set(key, call);
    return call;
  }

  /** The call under this key, whether or not it was cancelled. */
  find(key: RequestId | undefined): Call | undefined {
    return key === undefined ? undefined : this.#calls.get(key);
  }

  /** True while the call's answer is still welcome. */
  has(call: Call): boolean {
    return this.#calls.get(call.envelope.key!) === call;
  }

  /** Takes a call off the books. Returns false when it was off already: its answer was given. */
  settle(call: Call): boolean {
    if (!this.has(call)) return false;
    this.#calls.delete(call.envelope.key!);
    this.#cancelled.delete(call);
    this.#release(call);
    return true;
  }

  /** Marks a call that its client no longer wants answered; a late answer still finds it. */
  cancel(call: Call): void {
    call.cancelled = true;
    this.#cancelled.add(call);
    this.#release(call);
    if (this.#cancelled.size > MOST_CANCELLED) this.settle(this.#cancelled.values().next().value!);
  }

  /** The call whose progress news with this token tells of. */
  findByToken(token: unknown): Call | undefined {
    if (token === undefined) return undefined;
    for (const call of this.#calls.values()) if (call.progressToken === token) return call;
    return undefined;
  }

  /** All calls on the books, in the order of their arrival. */
  calls(): Call[] {
    return [...this.#calls.values()];
  }

  /** Settles when no call owes an answer. */
  idle(): Promise<void> {
    return this.#owing === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  get #owing(): number {
    return this.#calls.size - this.#cancelled.size;
  }

  #release(call: Call): void {
    clearTimeout(call.pause);
    clearTimeout(call.limit);
    clearTimeout(call.silence);
    clearTimeout(call.total);
    call.onsettled?.();
    call.onsettled = undefined;
    if (this.#owing === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
