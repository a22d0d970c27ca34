import { randomUUID } from 'node:crypto';
import { cancellation, type Envelope, type RequestId, type TransportContext } from '@mcp-connect/core';
import type { Answer } from './direction.js';
import { fitElicitation, fitSampling } from './fit-prompts.js';
import { isObject, requestOf } from './messages.js';
import type { LegacyClient } from './legacy-client.js';

/** A question that a modern server asks in the middle of a request (2026-07-28 basic/patterns/mrtr). */
export interface InputRequest {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Says that the client did not answer a question without which the request cannot go on. */
export class PromptFailed extends Error {}

/** Says that a server asked what the client has not declared to answer. */
export class Undeclared extends Error {}

/** How often a request that waits for the client shows a sign of life, in milliseconds. */
const TICK = 500;

/** Questions that were put to the client together. */
export interface Round {
  /**
   * Settles with the client's results, by the keys of the questions.
   *
   * @throws PromptFailed when one of them failed and its kind knows no answer that says so
   */
  readonly answers: Promise<Readonly<Record<string, unknown>>>;
  /** Takes back what is still open. */
  withdraw(): void;
}

/** Puts a modern server's questions to a legacy client, as the requests that it knows. */
export class Prompts {
  readonly #context: TransportContext;
  readonly #client: LegacyClient;
  readonly #prefix = `mcpc-prompt-${randomUUID()}-`;
  readonly #open = new Map<RequestId, (answer: Answer) => void>();
  #asked = 0;

  constructor(context: TransportContext, client: LegacyClient) {
    this.#context = context;
    this.#client = client;
  }

  /**
   * Asks all questions at once.
   *
   * @param waiting the key of the client's request that waits for the answers
   * @throws Undeclared when the client has not said that it answers such questions
   */
  ask(requests: Readonly<Record<string, InputRequest>>, waiting: RequestId): Round {
    const { onalive } = this.#context;
    const fitted = Object.entries(requests).map(([key, asked]) => [key, asked, this.#fit(asked)] as const);
    const ids: RequestId[] = [];
    const answers = fitted.map(async ([key, { method }, params]) => {
      if (params === undefined) return [key, failure(method, 'the client cannot show the question')] as const;
      const id = `${this.#prefix}${this.#asked++}`;
      ids.push(id);
      const answer = new Promise<Answer>((resolve) => this.#open.set(id, resolve));
      void this.#context.onmessage(requestOf(id, method, params));
      const { result, error } = await answer;
      return [key, result ?? failure(method, error?.message ?? 'the client gave no answer')] as const;
    });
    // While a person thinks, the server is not silent: it has nothing to say.
    const ticking = onalive && setInterval(() => onalive(waiting), TICK);
    const withdraw = (): void => {
      clearInterval(ticking);
      for (const id of ids) {
        if (!this.#open.delete(id)) continue;
        void this.#context.onmessage(cancellation(JSON.stringify(id), 'the request that asked is over'));
      }
    };
    return {
      withdraw,
      answers: Promise.all(answers).then(
        (entries) => {
          clearInterval(ticking);
          return Object.fromEntries<unknown>(entries);
        },
        (error: unknown) => {
          withdraw();
          throw error;
        },
      ),
    };
  }

  /** Takes the client's answer to a question. One that nobody asked is dropped. */
  answered(envelope: Envelope): void {
    const resolve = this.#open.get(envelope.key!);
    this.#open.delete(envelope.key!);
    resolve?.((envelope.parsed ?? {}) as Answer);
  }

  /** The question as the client's revision has it, or undefined when it has no form for it. */
  #fit({ method, params = {} }: InputRequest): object | undefined {
    const { capabilities, revision } = this.#client;
    switch (method) {
      case 'elicitation/create': {
        const declared = capabilities['elicitation'];
        if (!isObject(declared) || !shows(declared, params['mode'])) throw undeclared(method);
        return fitElicitation(params, revision);
      }
      case 'sampling/createMessage': {
        const declared = capabilities['sampling'];
        if (!isObject(declared) || ('tools' in params && !('tools' in declared))) throw undeclared(method);
        return fitSampling(params, revision);
      }
      case 'roots/list':
        if (!isObject(capabilities['roots'])) throw undeclared(method);
        return params;
      default:
        throw undeclared(method);
    }
  }
}

/** Links have to be declared; forms need not where nothing is (2025-11-25 client/elicitation, Capabilities). */
function shows(declared: Readonly<Record<string, unknown>>, mode: unknown): boolean {
  if (mode === 'url') return 'url' in declared;
  return 'form' in declared || !('url' in declared);
}

/** What a server is told of a question that failed: for a form that the user left, for all else there is no such answer. */
function failure(method: string, reason: string): object {
  if (method === 'elicitation/create') return { action: 'cancel' };
  throw new PromptFailed(`${method}: ${reason}`);
}

function undeclared(method: string): Undeclared {
  return new Undeclared(`The server asked for ${method}, which the client has not declared.`);
}
