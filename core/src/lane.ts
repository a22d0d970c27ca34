/** Runs steps one after another in the order they came, and at once while none of them waits. */
export class Lane {
  #busy = false;
  readonly #waiting: { step: () => void | Promise<void>; weight: number; done: () => void }[] = [];
  #weight = 0;
  #idle: (() => void)[] = [];

  /** The weights of all waiting steps together. */
  get weight(): number {
    return this.#weight;
  }

  /**
   * Runs a step, or queues it behind those that wait. A step that returns a promise holds back all later ones until
   * it settles; its failure is the step's own affair and releases the lane.
   *
   * @param weight what the step holds in memory while it waits, in bytes
   * @returns nothing when the step is done, else a promise of its end
   */
  run(step: () => void | Promise<void>, weight = 0): void | Promise<void> {
    if (this.#busy) {
      this.#weight += weight;
      return new Promise((done) => this.#waiting.push({ step, weight, done }));
    }
    const running = step();
    return running === undefined ? undefined : this.#hold(running);
  }

  /** Settles when nothing runs or waits. */
  idle(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }

  async #hold(running: Promise<void>): Promise<void> {
    this.#busy = true;
    await running.catch(() => undefined);
    // The steps behind must not wait for whoever awaits this one.
    void this.#drain();
  }

  async #drain(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#weight -= next.weight;
      try {
        const running = next.step();
        if (running !== undefined) await running;
      } catch {
        // A step's failure is its own affair; whoever waits behind it must not be stuck.
      }
      next.done();
    }
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
