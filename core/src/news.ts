import type { Envelope } from './envelope.js';

/** How long a change that several servers tell of is waited for, in milliseconds. */
const QUIET = 100;
/** How long a change is kept from the client at most, in milliseconds. */
const LONGEST = 1_000;

const LIST_CHANGED = /^notifications\/(?:tools|prompts|resources)\/list_changed$/;

interface Waiting {
  readonly since: number;
  timer: NodeJS.Timeout;
}

/**
 * Lets the news that a list has changed through once, though every server tells it: the client gets it when no server
 * has repeated it for a moment, and by then any of them has the new list.
 */
export class ListNews {
  readonly #waiting = new Map<string, Waiting>();
  readonly #pass: (news: Envelope) => void;

  /** @param pass takes the news on to the client */
  constructor(pass: (news: Envelope) => void) {
    this.#pass = pass;
  }

  /** Takes a notification if it is such news. Returns false when it is something else. */
  take(notification: Envelope): boolean {
    const { method } = notification;
    if (method === undefined || !LIST_CHANGED.test(method)) return false;
    const now = performance.now();
    const before = this.#waiting.get(method);
    clearTimeout(before?.timer);
    const since = before?.since ?? now;
    const pass = (): void => {
      this.#waiting.delete(method);
      this.#pass(notification);
    };
    const timer = setTimeout(pass, Math.max(0, Math.min(QUIET, since + LONGEST - now)));
    this.#waiting.set(method, { since, timer });
    return true;
  }

  /** Drops what has not been passed on. */
  close(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }
}
