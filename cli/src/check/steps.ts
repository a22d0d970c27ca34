import { performance } from 'node:perf_hooks';
import { failureOf, type Failure } from './failure.js';

/** One thing that a check looked at. */
export interface Step {
  readonly name: string;
  /** `skipped` is what the server does not offer, or what nobody asks of a server of its era. */
  readonly status: 'ok' | 'failed' | 'skipped';
  /** How long it took, in milliseconds; left out for what is merely read off. */
  readonly ms?: number;
  /** What was found, in a few words. */
  readonly text: string;
  readonly error?: Failure;
}

/** Notes the steps of one check, each with its time. */
export class Steps {
  readonly all: Step[] = [];
  readonly #redact: (text: string) => string;
  readonly #onstep: ((name: string) => void) | undefined;

  /**
   * @param redact hides secrets in what a server or the system said
   * @param onstep is told the name of each step as it is taken
   */
  constructor(redact: (text: string) => string, onstep?: (name: string) => void) {
    this.#redact = redact;
    this.#onstep = onstep;
  }

  /** The first step that failed. */
  get failed(): Step | undefined {
    return this.all.find(({ status }) => status === 'failed');
  }

  /**
   * Takes a step and notes how it ended.
   *
   * @param words words what was found
   * @returns what the step found, or undefined when it failed
   */
  async take<T>(name: string, work: () => Promise<T>, words: (found: T) => string): Promise<T | undefined> {
    const since = performance.now();
    this.#onstep?.(name);
    try {
      const found = await work();
      this.all.push({ name, status: 'ok', ms: elapsed(since), text: this.#redact(words(found)) });
      return found;
    } catch (thrown) {
      this.fail(name, thrown, elapsed(since));
      return undefined;
    }
  }

  /** Notes what needed no step of its own. */
  note(name: string, text: string, status: Step['status'] = 'ok'): void {
    this.all.push({ name, status, text: this.#redact(text) });
  }

  /** Takes back that the last step failed, since what came after shows that it need not work. */
  forgive(text: string): void {
    const { error: _, ...last } = this.all.pop()!;
    this.all.push({ ...last, status: 'skipped', text: this.#redact(text) });
  }

  /** Gives the last step, which failed, a hint that says more. */
  advise(hint: string): void {
    const { error, ...last } = this.all.pop()!;
    this.all.push({ ...last, ...(error && { error: { ...error, hint: this.#redact(hint) } }) });
  }

  /** Notes a failure, whatever was thrown. */
  fail(name: string, thrown: unknown, ms?: number): void {
    const failure = failureOf(thrown);
    const error: Failure = {
      ...failure,
      message: this.#redact(failure.message),
      ...(failure.hint !== undefined && { hint: this.#redact(failure.hint) }),
    };
    this.all.push({ name, status: 'failed', ...(ms !== undefined && { ms }), text: error.message, error });
  }
}

function elapsed(since: number): number {
  return Math.round(performance.now() - since);
}
