import { setTimeout as pause } from 'node:timers/promises';
import { ConnectorError } from '@mcp-connect/core';

/** How restarts are paced; times in milliseconds. */
export interface LadderSteps {
  /** The wait before the first restart; each further one is twice as long. */
  readonly first: number;
  readonly longest: number;
  /** Restarts in a row after which the program is given up. */
  readonly most: number;
  /** A program that ran this long is stable: its next end is the first one again. */
  readonly stable: number;
}

const STEPS: LadderSteps = { first: 1_000, longest: 16_000, most: 5, stable: 300_000 };

/** Paces the restarts of one program that keeps ending by itself, so that a crash loop does not eat the machine. */
export class RestartLadder {
  readonly #steps: LadderSteps;
  #crashes = 0;
  #startedAt = 0;
  #last: ConnectorError | undefined;

  constructor(steps: LadderSteps = STEPS) {
    this.#steps = steps;
  }

  /**
   * Waits until the program may be started.
   *
   * @throws ConnectorError `MCPC_NO_ENDPOINT` once it has ended too often; an abort error when the signal says so
   */
  async climb(signal: AbortSignal): Promise<void> {
    const { first, longest, most } = this.#steps;
    if (this.#crashes > most) throw this.#givenUp();
    signal.throwIfAborted();
    if (this.#crashes > 0)
      await pause(Math.min(first * 2 ** (this.#crashes - 1), longest), undefined, { signal });
    this.#startedAt = performance.now();
  }

  /** Notes that the program ended by itself. */
  fell(error: ConnectorError): void {
    const stable = performance.now() - this.#startedAt >= this.#steps.stable;
    this.#crashes = stable ? 1 : this.#crashes + 1;
    this.#last = error;
  }

  #givenUp(): ConnectorError {
    const text = `The program was restarted ${this.#steps.most} times and ended each time. ${this.#last?.message ?? ''}`;
    return new ConnectorError('MCPC_NO_ENDPOINT', text.trimEnd(), {
      cause: this.#last,
      hint: 'Run the command by itself to see why it stops, then start the client again',
    });
  }
}
