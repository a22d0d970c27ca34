import { reasonOf } from './errors.js';
import type { Log } from './log.js';
import type { Transport } from './transport.js';

/** What a revival is made from. */
export interface RevivalOptions {
  /** What the server is called in messages. */
  readonly label: string;
  readonly log: Log;
  /** Opens the channel, unless it is open. */
  reopen(): Transport | Promise<Transport> | undefined;
}

/** A lost channel is opened again after so many milliseconds, then after twice as many each time. */
const FIRST_REVIVAL = 1_000;
const LONGEST_REVIVAL = 30_000;
/** A channel that ends sooner lived shortly, in milliseconds. */
const SHORT_LIFE = 5_000;

/** Brings a lost channel back even when no request asks for it: the server may have something to say. */
export class Revival {
  readonly #options: RevivalOptions;
  #timer: NodeJS.Timeout | undefined;
  /** When the channel was opened, in milliseconds of `performance.now()`. */
  #openedAt = 0;
  /** Channels in a row that the server closed soon after. */
  #shortLives = 0;
  #closed = false;

  constructor(options: RevivalOptions) {
    this.#options = options;
  }

  /** Notes that the channel is open. */
  opened(): void {
    this.#openedAt = performance.now();
  }

  /** Notes that the channel is gone. */
  ended(): void {
    this.#shortLives = performance.now() - this.#openedAt < SHORT_LIFE ? this.#shortLives + 1 : 0;
  }

  /** Sets about it. A server that closes one channel after the other is not to be kept busy with that. */
  begin(): void {
    if (this.#shortLives < 2) this.#try(0);
    else this.#tryLater(this.#shortLives - 2);
  }

  /** Gives it up for good. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #try(failures: number): void {
    if (this.#closed) return;
    const ready = this.#options.reopen();
    if (!(ready instanceof Promise)) return;
    ready.catch((error: unknown) => {
      if (this.#closed) return;
      this.#options.log.warn?.('%s is not back: %s', this.#options.label, reasonOf(error));
      this.#tryLater(failures);
    });
  }

  #tryLater(failures: number): void {
    const wait = Math.min(FIRST_REVIVAL * 2 ** Math.min(failures, 10), LONGEST_REVIVAL);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#try(failures + 1), wait * (0.5 + Math.random() / 2));
  }
}
