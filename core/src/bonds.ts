import type { Envelope } from './envelope.js';
import type { Leg } from './leg.js';

/** A request that belongs to one leg. */
export interface Bond {
  readonly leg: Leg;
  /** False where another leg may do as well. */
  readonly firm: boolean;
}

/** Lists that come in pages, each with the cursor of the next one (MCP server/utilities/pagination). */
const PAGED = new Set<string | undefined>([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'tasks/list',
]);

/** Requests whose answer may be a task, or a question that the next request answers (2026-07-28 patterns/mrtr). */
const ONGOING = new Set<string | undefined>(['tools/call', 'prompts/get', 'resources/read']);

/** Answers that are no result yet are small; larger ones are not searched. */
const LONGEST_ANSWER = 16_384;

/** A client that never comes back must not fill memory; the oldest bond gives way. */
const MOST_BONDS = 10_000;

interface Names {
  readonly cursor?: unknown;
  readonly nextCursor?: unknown;
  readonly taskId?: unknown;
  readonly task?: { readonly taskId?: unknown };
  readonly requestState?: unknown;
}

/**
 * Remembers what only the leg that issued it understands: the cursor of a next page, a task, and the state of a
 * request that a server wants to see again. None of it is changed or looked into.
 */
export class Bonds {
  readonly #legs = new Map<string, Leg>();

  /** Learns from an answer what later requests will name. */
  learn(leg: Leg, { method }: Envelope, answer: Envelope): void {
    if (PAGED.has(method)) {
      if (answer.bytes.includes('"nextCursor"'))
        this.#bind(keyOfCursor(method, resultOf(answer)?.nextCursor), leg);
    } else if (ONGOING.has(method) && answer.size <= LONGEST_ANSWER && namesSomething(answer.bytes)) {
      const { task, taskId, requestState } = resultOf(answer) ?? {};
      this.#bind(keyOf('task', task?.taskId ?? taskId), leg);
      this.#bind(keyOf('state', requestState), leg);
    }
  }

  /** Finds the leg that a request belongs to by what it names. */
  find(request: Envelope): Bond | undefined {
    if (this.#legs.size === 0) return undefined;
    const { method } = request;
    if (PAGED.has(method)) {
      return request.bytes.includes('"cursor"')
        ? this.#firm(keyOfCursor(method, paramsOf(request)?.cursor))
        : undefined;
    }
    if (method?.startsWith('tasks/')) return this.#firm(keyOf('task', paramsOf(request)?.taskId));
    if (!ONGOING.has(method) || !request.bytes.includes('"requestState"')) return undefined;
    const leg = this.#find(keyOf('state', paramsOf(request)?.requestState));
    return leg && { leg, firm: false };
  }

  #firm(key: string | undefined): Bond | undefined {
    const leg = this.#find(key);
    return leg && { leg, firm: true };
  }

  #find(key: string | undefined): Leg | undefined {
    return key === undefined ? undefined : this.#legs.get(key);
  }

  #bind(key: string | undefined, leg: Leg): void {
    if (key === undefined) return;
    this.#legs.delete(key);
    this.#legs.set(key, leg);
    if (this.#legs.size > MOST_BONDS) this.#legs.delete(this.#legs.keys().next().value!);
  }
}

function namesSomething(answer: Buffer): boolean {
  return answer.includes('"taskId"') || answer.includes('"requestState"');
}

/** An empty cursor is a cursor like any other (2026-07-28 server/utilities/pagination). */
function keyOfCursor(method: string | undefined, cursor: unknown): string | undefined {
  return keyOf(method ?? '', cursor);
}

function keyOf(kind: string, name: unknown): string | undefined {
  return typeof name === 'string' ? `${kind} ${name}` : undefined;
}

function resultOf(answer: Envelope): Names | undefined {
  return (answer.parsed as { result?: Names } | undefined)?.result;
}

function paramsOf(request: Envelope): Names | undefined {
  return (request.parsed as { params?: Names } | undefined)?.params;
}
