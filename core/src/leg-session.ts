import type { Envelope } from './envelope.js';
import { ConnectorError, reasonOf } from './errors.js';
import type { Log } from './log.js';
import type { SessionMemory } from './session.js';
import type { Transport } from './transport.js';

/** What a server says of itself in its answer to `initialize`. */
export interface Introduction {
  readonly protocolVersion?: unknown;
  readonly capabilities?: Readonly<Record<string, unknown>>;
}

/** What the session on a leg is made from. */
export interface LegSessionOptions {
  /** What the server is called in messages. */
  readonly label: string;
  readonly log: Log;
  /** What the client has told its server; all legs share it. */
  readonly memory: SessionMemory;
  /** Sends a request of our own and returns its answer. */
  ask(transport: Transport, request: Envelope): Promise<Envelope>;
  /** Sends a message that has no answer. */
  send(transport: Transport, message: Envelope): void | Promise<void>;
}

/** How much of the client's legacy session the server of one leg has been told. */
export class LegSession {
  readonly #options: LegSessionOptions;
  readonly #memory: SessionMemory;
  /** The session that the server has been told of, by `SessionMemory.generation`. */
  #generation = 0;
  #home = false;
  /** True while the server of this channel knows the subscriptions. */
  #subscribed = false;
  introduction: Introduction | undefined;

  constructor(options: LegSessionOptions) {
    this.#options = options;
    this.#memory = options.memory;
  }

  /** True while the client's session lives on this leg too. */
  get joined(): boolean {
    return this.#memory.started && this.#generation === this.#memory.generation;
  }

  /** True while subscriptions live here, and news of this leg stands for those of all. */
  get home(): boolean {
    return this.#home;
  }

  set home(home: boolean) {
    this.#home = home;
    if (!home) this.#subscribed = false;
  }

  /** Notes that the client itself has begun its session here. */
  begun(answer: Envelope): void {
    this.#generation = this.#memory.generation;
    this.#subscribed = true;
    this.introduction = introductionIn(answer);
  }

  /** Makes this leg the home of the session. Returns whether its server is still to be told of the subscriptions. */
  settle(): boolean {
    this.home = true;
    const owed = this.joined && !this.#subscribed;
    if (owed) this.#subscribed = true;
    return owed;
  }

  /** Subscribes to all that the client is subscribed to. */
  subscribe(transport: Transport): Promise<void> {
    return this.#repeat(transport, this.#memory.subscriptions);
  }

  /**
   * Begins the client's session anew and brings it to where it was.
   *
   * @throws ConnectorError `MCPC_SESSION_LOST` when the server refuses it, or as the transport says, as a rejection
   */
  async replay(transport: Transport): Promise<void> {
    const { label, ask, send } = this.#options;
    const { initialize, initialized, generation, level } = this.#memory;
    const answer = await ask(transport, initialize!);
    if ('error' in answer.message) {
      throw new ConnectorError('MCPC_SESSION_LOST', `${label} lost the session and refuses a new one.`);
    }
    this.introduction = introductionIn(answer);
    if (initialized !== undefined) await send(transport, initialized);
    if (level !== undefined) await this.#repeat(transport, [level]);
    this.#subscribed = this.#home;
    if (this.#home) await this.subscribe(transport);
    this.#generation = generation;
  }

  /** Asks again what the client once asked; what is refused now is not worth failing for. */
  async #repeat(transport: Transport, requests: readonly Envelope[]): Promise<void> {
    const { ask, log } = this.#options;
    for (const request of requests) {
      await ask(transport, request).catch((error: unknown) => {
        log.warn?.('%s was not restored: %s', request.method, reasonOf(error));
      });
    }
  }
}

function introductionIn(answer: Envelope): Introduction | undefined {
  return (answer.parsed as { result?: Introduction } | undefined)?.result;
}
