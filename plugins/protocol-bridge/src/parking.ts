import { createHash, randomUUID } from 'node:crypto';
import { inputRequestOf, type Inquiry } from './inquiry.js';
import type { Answer } from './direction.js';
import { INVALID_PARAMS } from './modern.js';
import type { ModernRequest } from './modern-request.js';

/** How long a client may take to come back with its answers: people are asked, and may be away. */
const PATIENCE = 10 * 60_000;
/** Requests that wait for their clients must not fill memory; the oldest gives way. */
const MOST_PARKED = 1_000;

/** A request that was answered with questions, until its client comes back with the answers. */
export interface Parked<T> {
  /** What the request was about; the same for every round. */
  readonly fingerprint: string;
  /** The questions that are still open, by the keys under which the client knows them. */
  readonly inquiries: Map<string, Inquiry>;
  /** What the request stands for at the server. */
  readonly subject: T;
}

/**
 * Keeps requests whose clients have been asked for something (2026-07-28 patterns/mrtr). The state that the client
 * brings back is a key to this memory and no more: it works once, for the same request, and in this channel alone.
 */
export class Parking<T> {
  /** Tells the keys of this channel from those of an earlier one, whose server forgot everything. */
  readonly #epoch = randomUUID();
  readonly #parked = new Map<string, { readonly parked: Parked<T>; readonly timer: NodeJS.Timeout }>();
  readonly #onexpired: (parked: Parked<T>) => void;

  /** @param onexpired learns of a request whose client did not come back */
  constructor(onexpired: (parked: Parked<T>) => void) {
    this.#onexpired = onexpired;
  }

  /** Makes the questions of a request that a client is asked for the first time. */
  static ask<S>(request: ModernRequest, inquiries: Iterable<Inquiry>, subject: S): Parked<S> {
    const keyed = [...inquiries].map((inquiry, index) => [`q${index}`, inquiry] as const);
    return { fingerprint: fingerprintOf(request), inquiries: new Map(keyed), subject };
  }

  /** Parks a request and returns the result that asks its client for what is open. */
  park(parked: Parked<T>): Required<Pick<Answer, 'result'>> {
    const requestState = `${this.#epoch}.${randomUUID()}`;
    this.#keep(requestState, parked);
    const inputRequests = Object.fromEntries(
      [...parked.inquiries].map(([key, inquiry]) => [key, inputRequestOf(inquiry)]),
    );
    return { result: { resultType: 'input_required', inputRequests, requestState } };
  }

  /** Takes out what a client comes back for, or says why there is nothing. */
  take(request: ModernRequest): Parked<T> | Required<Pick<Answer, 'error'>> {
    const { requestState } = request;
    const found = typeof requestState === 'string' ? this.#parked.get(requestState) : undefined;
    if (found === undefined) {
      const here = typeof requestState === 'string' && requestState.startsWith(`${this.#epoch}.`);
      return refused(here ? 'it was used before, or has expired' : 'the connection was restarted since');
    }
    if (found.parked.fingerprint !== fingerprintOf(request)) return refused('it belongs to another request');
    this.#release(requestState as string, found.timer);
    return found.parked;
  }

  /** Puts back what was taken out for a request that did not reach the server. */
  restore(request: ModernRequest, parked: Parked<T>): void {
    this.#keep(request.requestState as string, parked);
  }

  /** All that is parked, the oldest first. */
  all(): Parked<T>[] {
    return [...this.#parked.values()].map(({ parked }) => parked);
  }

  /** Forgets everything, telling nobody. */
  clear(): void {
    for (const [key, { timer }] of this.#parked) this.#release(key, timer);
  }

  #keep(key: string, parked: Parked<T>): void {
    const timer = setTimeout(() => this.#expire(key), PATIENCE).unref();
    this.#parked.set(key, { parked, timer });
    if (this.#parked.size > MOST_PARKED) this.#expire(this.#parked.keys().next().value!);
  }

  #expire(key: string): void {
    const { parked, timer } = this.#parked.get(key)!;
    this.#release(key, timer);
    this.#onexpired(parked);
  }

  #release(key: string, timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#parked.delete(key);
  }
}

function refused(why: string): Required<Pick<Answer, 'error'>> {
  const message = `Invalid requestState: ${why}. Send the request anew, without requestState`;
  return { error: { code: INVALID_PARAMS, message } };
}

/** A digest of what a request is about: its method and parameters, whatever the order of their members. */
function fingerprintOf({ method, params }: ModernRequest): string {
  return createHash('sha256')
    .update(method)
    .update(JSON.stringify(sorted(params)))
    .digest('base64');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}
