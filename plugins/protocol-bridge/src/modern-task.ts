import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Question } from './direction.js';
import { isObject, type Params } from './messages.js';
import { INTERNAL_ERROR } from './modern.js';
import type { InputRequest, Round } from './prompts.js';

/** How long to wait before a task is looked at again where its server does not say, in milliseconds. */
const PACE = 1_000;

/** What a task is while it has no outcome. */
const RUNNING = new Set<unknown>(['working', 'input_required']);

/** How a task is followed. */
export interface TaskHost {
  /** Sends a request of the bridge's own. */
  ask(method: string, params: Params): Question;
  /** Puts questions to the client. */
  prompt(requests: Readonly<Record<string, InputRequest>>): Round;
}

/**
 * Follows a task of a modern server to its end, so that a client which knows nothing of tasks gets its result as that of
 * the call (SEP-2663).
 */
export class ModernTask {
  readonly #host: TaskHost;
  readonly #taskId: unknown;
  /** Keys of the questions that were asked: they stay in the task until the server has taken in their answers. */
  readonly #asked = new Set<string>();
  #task: Params;
  #round: Round | undefined;
  #over = false;

  constructor(host: TaskHost, created: Params) {
    this.#host = host;
    this.#task = created;
    this.#taskId = created['taskId'];
  }

  /**
   * Waits for what the task comes to.
   *
   * @throws ConnectorError, or what {@link Round.answers} throws
   */
  async end(): Promise<Answer> {
    try {
      while (RUNNING.has(this.#task['status'])) {
        await this.#fulfil();
        const { pollIntervalMs } = this.#task;
        const pace = typeof pollIntervalMs === 'number' && pollIntervalMs > 0 ? pollIntervalMs : PACE;
        await pause(pace, undefined, { ref: false });
        if (this.#over) return {};
        const answer = await this.#host.ask('tasks/get', { taskId: this.#taskId }).answer;
        if (!isObject(answer.result)) return answer;
        this.#task = answer.result;
      }
    } finally {
      this.#over = true;
    }
    const { status, result, error } = this.#task;
    if (isObject(result)) return { result };
    if (isObject(error)) return { error: error as Required<Answer>['error'] };
    return { error: { code: INTERNAL_ERROR, message: `The task ended without a result: ${String(status)}` } };
  }

  /** Ends the task at the server: nobody waits for it any more. */
  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#round?.withdraw();
    this.#host.ask('tasks/cancel', { taskId: this.#taskId });
  }

  /** Has the client answer what the task asks and did not ask before. */
  async #fulfil(): Promise<void> {
    const { inputRequests } = this.#task;
    if (!isObject(inputRequests)) return;
    const fresh = Object.entries(inputRequests).filter(([key]) => !this.#asked.has(key));
    if (fresh.length === 0) return;
    for (const [key] of fresh) this.#asked.add(key);
    this.#round = this.#host.prompt(Object.fromEntries(fresh) as Record<string, InputRequest>);
    const inputResponses = await this.#round.answers;
    this.#round = undefined;
    const { error } = await this.#host.ask('tasks/update', { taskId: this.#taskId, inputResponses }).answer;
    // The server asks again for what it could not take in.
    if (error !== undefined) for (const [key] of fresh) this.#asked.delete(key);
  }
}
