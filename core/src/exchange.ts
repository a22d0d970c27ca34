import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Answer, Attempt, Candidate, Exchange, OwnMessage } from './contract.js';

/** What an exchange is made from. */
export interface ExchangeFacts {
  readonly id: RequestId | undefined;
  readonly method: string | undefined;
  readonly attempts: readonly Attempt[];
  readonly state: Map<unknown, unknown>;
  /** Sends messages of the plugin's own. */
  readonly aside: Pick<Exchange, 'request' | 'notifyClient' | 'notifyServer'>;
  /** Worked out on demand: it may need the request to be parsed. */
  safe(): boolean;
  affinity(): Candidate | undefined;
  /** Carries an answer to whoever asked. */
  onanswer(answer: Answer): void;
  /** Learns which plugin took the message off the line, and why. */
  ondrop(plugin: string, reason: string | undefined): void;
}

/** The exchange that hooks see. `handled` tells the pipeline that a tap has settled the matter. */
export class HookExchange implements Exchange {
  readonly #facts: ExchangeFacts;
  handled = false;
  /** The plugin whose tap runs, or ran last. */
  plugin = '';
  /** The plugin that last returned something else than it was given. */
  changedBy = '';

  constructor(facts: ExchangeFacts) {
    this.#facts = facts;
  }

  get id(): RequestId | undefined {
    return this.#facts.id;
  }

  get method(): string | undefined {
    return this.#facts.method;
  }

  get safe(): boolean {
    return this.#facts.safe();
  }

  get affinity(): Candidate | undefined {
    return this.#facts.affinity();
  }

  get attempts(): readonly Attempt[] {
    return this.#facts.attempts;
  }

  get state(): Map<unknown, unknown> {
    return this.#facts.state;
  }

  answer(answer: Answer): void {
    if (this.handled) return;
    checkAnswer(answer);
    this.handled = true;
    this.#facts.onanswer(answer);
  }

  request(request: OwnMessage): Promise<Answer> {
    return this.#facts.aside.request(request);
  }

  notifyClient(notification: OwnMessage): void {
    this.#facts.aside.notifyClient(notification);
  }

  notifyServer(notification: OwnMessage): void {
    this.#facts.aside.notifyServer(notification);
  }

  drop(reason?: string): void {
    if (this.handled) return;
    this.handled = true;
    this.#facts.ondrop(this.plugin, reason);
  }
}

/** What is no answer would reach the client as one (JSON-RPC 2.0 section 5). */
function checkAnswer(answer: unknown): void {
  const { result, error } = (answer ?? {}) as { result?: unknown; error?: unknown };
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const isResult = typeof result === 'object' && result !== null && error === undefined;
  const isError = Number.isInteger(code) && typeof message === 'string' && result === undefined;
  if (isResult || isError) return;
  throw new TypeError(
    'answer() takes { result: {…} }, or { error: { code, message } } with a whole number and a text',
  );
}
