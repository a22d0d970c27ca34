/** So many messages without an answer are sent at once: each takes up a connection, of which a system allows few. */
export const MOST_TOLD = 128;

/** Lets only so many steps run at once; the others wait for their turns in the order they came. */
export class Turns {
  readonly #most: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs a step, at once where there is room, and settles as it does. */
  async run<T>(step: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most) this.#running++;
    else await new Promise<void>((begin) => this.#waiting.push(begin));
    try {
      return await step();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
