import type { RequestId } from '@mcp-connect/core';
import type { Answer } from './direction.js';
import { fitError, fitResult } from './fit-for-modern.js';
import { covers, inputRequestOf, withoutTask, type Push } from './inquiry.js';
import { ServerError, type LegacySession } from './legacy-session.js';
import { INVALID_PARAMS } from './modern.js';
import { membersOf, type ModernRequest } from './modern-request.js';

type Members = Readonly<Record<string, unknown>>;

/** Tasks whose clients never come back must not fill memory; the oldest gives way. */
const MOST_OPEN = 1_000;

/** What is known here of a task beside what the server tells when it is asked. */
interface OpenTask {
  /** What the server wants to know, by the keys under which the client knows it. */
  readonly questions: Map<string, Push>;
  /** Questions that there have been: no key is used twice. */
  asked: number;
  /** What the task comes to, once that is asked for. */
  outcome: Promise<Answer> | undefined;
}

/**
 * Tasks of a legacy server in the hands of a modern client that asked for them: it looks at them, answers what they ask
 * and ends them itself, in the words of its own era (SEP-2663; 2025-11-25 basic/utilities/tasks).
 */
export class OpenTasks {
  readonly #session: LegacySession;
  readonly #open = new Map<unknown, OpenTask>();

  constructor(session: LegacySession) {
    this.#session = session;
  }

  /** Takes up a task that the server has made of a call, and returns the result that hands it to the client. */
  handOver(task: Members): Members {
    this.#take(task['taskId']);
    return { resultType: 'task', ...modernTask(task) };
  }

  /**
   * Keeps a question until the client looks at its task. Returns false where it belongs to none.
   *
   * @param unclaimed whether it belongs to no call either: then one that names no task is that of the last one seen
   */
  takes(push: Push, unclaimed: boolean): boolean {
    const isNameless = push.taskId === undefined && unclaimed;
    const task = isNameless ? [...this.#open.values()].at(-1) : this.#open.get(push.taskId);
    task?.questions.set(`q${task.asked++}`, push);
    return task !== undefined;
  }

  /**
   * Answers a request about a task.
   *
   * @throws ConnectorError when the server could not be asked
   */
  async answer(request: ModernRequest): Promise<Answer> {
    const { method, params, envelope } = request;
    const { taskId } = params;
    try {
      switch (method) {
        case 'tasks/get':
          return this.#done(await this.#look(request));
        case 'tasks/update':
          return await this.#update(taskId, membersOf(params['inputResponses']));
        default:
          return await this.#cancel(taskId, envelope.key!);
      }
    } catch (error) {
      if (error instanceof ServerError) return { error: fitError(method, error.error) };
      throw error;
    }
  }

  /** Takes back what the server no longer wants to know. */
  withdraw(id: unknown): void {
    for (const { questions } of this.#open.values()) {
      for (const [key, question] of questions) if (question.key === id) questions.delete(key);
    }
  }

  /** Forgets everything: the server is gone. */
  clear(): void {
    this.#open.clear();
  }

  async #look({ params, envelope, capabilities }: ModernRequest): Promise<Members> {
    const { taskId } = params;
    const task = await this.#session.ask('tasks/get', { taskId }, envelope.key);
    const { status } = task;
    const open = this.#take(taskId);
    if (status === 'completed' || status === 'failed') {
      const { result, error } = await this.#outcome(taskId, open);
      this.#open.delete(taskId);
      // A tool that failed has a result all the same, and its task is complete.
      if (result === undefined) return { ...modernTask(task), status: 'failed', error };
      const fitted = fitResult('tools/call', result, this.#session.opened);
      return { ...modernTask(task), status: 'completed', result: fitted };
    }
    if (status === 'cancelled') this.#open.delete(taskId);
    // Only the request for its result can carry what the server wants to know.
    if (status === 'input_required') this.#outcome(taskId, open).catch(() => undefined);
    for (const [key, question] of open.questions) {
      if (covers(capabilities, question)) continue;
      open.questions.delete(key);
      question.refuse('the client cannot be asked for this');
    }
    if (open.questions.size > 0) return { ...modernTask(task), ...asking(open) };
    return status === 'input_required' ? { ...modernTask(task), status: 'working' } : modernTask(task);
  }

  async #update(taskId: unknown, inputResponses: Members): Promise<Answer> {
    const open = this.#open.get(taskId);
    if (open === undefined) return { error: { code: INVALID_PARAMS, message: 'Unknown task' } };
    for (const [key, response] of Object.entries(inputResponses)) {
      await open.questions.get(key)?.answer(membersOf(response));
      open.questions.delete(key);
    }
    return this.#done({});
  }

  /** Ends a task; one that has its end already is no mistake of the client. */
  async #cancel(taskId: unknown, key: RequestId): Promise<Answer> {
    try {
      await this.#session.ask('tasks/cancel', { taskId }, key);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      await this.#session.ask('tasks/get', { taskId }, key);
    }
    const questions = this.#open.get(taskId)?.questions.values() ?? [];
    this.#open.delete(taskId);
    for (const question of questions) question.refuse('the client cancelled the task');
    return this.#done({});
  }

  /** What a task comes to, which is asked for once; where no answer can come, it is asked for again. */
  #outcome(taskId: unknown, open: OpenTask): Promise<Answer> {
    open.outcome ??= this.#session.ask('tasks/result', { taskId }).then(
      (result) => ({ result: withoutTask(result) }),
      (error: unknown) => {
        if (error instanceof ServerError) return { error: fitError('tools/call', error.error) };
        open.outcome = undefined;
        throw error;
      },
    );
    return open.outcome;
  }

  #take(taskId: unknown): OpenTask {
    const known = this.#open.get(taskId);
    const task = known ?? { questions: new Map<string, Push>(), asked: 0, outcome: undefined };
    this.#open.delete(taskId);
    this.#open.set(taskId, task);
    if (this.#open.size > MOST_OPEN) this.#open.delete(this.#open.keys().next().value);
    return task;
  }

  #done(result: Members): Answer {
    return { result: fitResult('tasks/get', result, this.#session.opened) };
  }
}

/** The client's questions in the middle of a task, as they stand in the task. */
function asking({ questions }: OpenTask): Members {
  const inputRequests = Object.fromEntries([...questions].map(([key, push]) => [key, inputRequestOf(push)]));
  return { status: 'input_required', inputRequests };
}

/** A task of 2025-11-25 in the words of the extension. */
function modernTask({ ttl, pollInterval, ...task }: Members): Members {
  return {
    ...task,
    ttlMs: ttl ?? null,
    ...(pollInterval !== undefined && { pollIntervalMs: pollInterval }),
  };
}
