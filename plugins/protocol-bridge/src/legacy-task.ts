import { setTimeout as pause } from 'node:timers/promises';
import type { RequestId } from '@mcp-connect/core';
import type { Answer } from './direction.js';
import type { Call, Calls } from './legacy-calls.js';
import { withoutTask } from './inquiry.js';
import { ServerError, type LegacySession } from './legacy-session.js';
import { membersOf } from './modern-request.js';

type Members = Readonly<Record<string, unknown>>;

/** How long a server is asked to keep what a task came to, in milliseconds. */
const KEPT = 60 * 60_000;
/** How long to wait before a task is looked at again where its server does not say, in milliseconds. */
const PACE = 1_000;
/** A list of tools without end must not hold up a call for ever. */
const MOST_PAGES = 100;

/**
 * Lets tools that a legacy server runs as tasks only be called by clients that know nothing of them: the task is
 * followed to its end within the call (2025-11-25 basic/utilities/tasks).
 */
export class LegacyTasks {
  readonly #session: LegacySession;
  /** The tools that can be called in no other way. */
  readonly #tools = new Set<unknown>();
  /** Settles when all tools were listed, by the client or for its first call. */
  #listed: Promise<void> | undefined;

  constructor(session: LegacySession) {
    this.#session = session;
  }

  /**
   * Has the tools listed before the first call, where it may be one of a task and the client has not listed them: what a
   * server says of a plain call is for people to read.
   */
  async listed({ method, request }: Call): Promise<void> {
    if (method === 'tools/call' && this.#offered) await (this.#listed ??= this.#list(request?.envelope.key));
  }

  /** Learns from a list of tools which ones are called as tasks. */
  learn({ tools, nextCursor }: Members): void {
    if (!Array.isArray(tools)) return;
    if (typeof nextCursor !== 'string') this.#listed = Promise.resolve();
    for (const tool of tools.map(membersOf)) {
      if (membersOf(tool['execution'])['taskSupport'] === 'required') this.#tools.add(tool['name']);
      else this.#tools.delete(tool['name']);
    }
  }

  /**
   * The parameters of a call, which ask for a task where the tool wants one. Whether they do is not for a modern client to
   * say (SEP-2663).
   */
  paramsOf({ method, request }: Call): Members {
    if (method !== 'tools/call') return request!.params;
    const { task: _hint, ...params } = request!.params;
    const isTask = this.#tools.has(params['name']) && this.#offered;
    return isTask ? { ...params, task: { ttl: KEPT } } : params;
  }

  /**
   * Waits for what the task of a call comes to.
   *
   * @throws ConnectorError when the server could not be asked
   */
  async follow(created: Members, call: Call, calls: Calls): Promise<Answer> {
    const wanted = (): boolean => calls.has(call);
    const ask = (method: string): Promise<Members> =>
      this.#session.ask(method, { taskId: created['taskId'] }, call.request?.envelope.key);
    let task = created;
    try {
      // While it wants to know something, only the request for its result can carry the question.
      while (task['status'] === 'working' && wanted()) {
        const pace = task['pollInterval'];
        await pause(typeof pace === 'number' && pace > 0 ? pace : PACE, undefined, { ref: false });
        if (wanted()) task = await ask('tasks/get');
      }
      if (!wanted()) return {};
      return { result: withoutTask(await ask('tasks/result')) };
    } catch (error) {
      if (error instanceof ServerError) return { error: error.error };
      throw error;
    }
  }

  /** Ends a task that nobody waits for any more. */
  cancel(taskId: string): void {
    this.#session.ask('tasks/cancel', { taskId }).catch(() => undefined);
  }

  /** A server that does not list its tools is called as it is: nothing is sent again because of what it says then. */
  async #list(key: RequestId | undefined): Promise<void> {
    try {
      let cursor: unknown;
      for (let page = 0; page < MOST_PAGES; page++) {
        const result = await this.#session.ask('tools/list', cursor === undefined ? {} : { cursor }, key);
        this.learn(result);
        cursor = result['nextCursor'];
        if (typeof cursor !== 'string') return;
      }
    } catch (error) {
      // What is wrong with the connection shows in the call itself; the next one has the tools listed again.
      if (!(error instanceof ServerError)) this.#listed = undefined;
    }
  }

  get #offered(): boolean {
    return runsTasks(this.#session.opened?.capabilities);
  }
}

/** True for a server that runs calls of tools as tasks where it is asked to. */
export function runsTasks(capabilities: Members = {}): boolean {
  const { requests } = membersOf(capabilities['tasks']);
  return 'call' in membersOf(membersOf(requests)['tools']);
}

/** The task that a server made of a request, or undefined where its result is one like any other. */
export function taskIn(result: Members): Members | undefined {
  const task = membersOf(result['task']);
  return typeof task['taskId'] === 'string' ? task : undefined;
}
