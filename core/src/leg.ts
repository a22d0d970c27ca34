import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Endpoint } from './endpoint.js';
import type { Envelope } from './envelope.js';
import { ConnectorError, reasonOf, toConnectorError, type Challenge } from './errors.js';
import type { Candidate } from './contract.js';
import { after } from './hooks.js';
import { Health } from './health.js';
import { LegChannel, LONGEST_PROBE, type LegChannelEvents } from './leg-channel.js';
import { LegSession, type Introduction } from './leg-session.js';
import type { OpeningOptions } from './opening.js';
import { OwnRequests } from './own.js';
import type { SessionMemory } from './session.js';
import { Signing } from './signing.js';
import type { Credentials, Transport } from './transport.js';
import { within } from './waiting.js';

/** What a leg tells the pipeline. */
export interface LegEvents {
  onmessage(leg: Leg, envelope: Envelope): void | Promise<void>;
  onlost(leg: Leg, id: RequestId, error: ConnectorError): void;
  onclose(leg: Leg, error: ConnectorError | undefined): void;
  /** The server has forgotten the session, and what it asked in it. */
  onforgotten(leg: Leg): void;
  onalive(leg: Leg, id: RequestId | undefined): void;
  /** The client's session was begun on this leg too, by us. */
  onjoined(leg: Leg): void;
  /** The leg failed so often that it gets no requests for a while. */
  onejected(leg: Leg): void;
}

/** What a leg is made from. */
export interface LegOptions extends OpeningOptions {
  readonly index: number;
  /** What the client has told its server; all legs share it. */
  readonly memory: SessionMemory;
  readonly events: LegEvents;
  /** True while there is no other leg. */
  alone(): boolean;
}

/** `initialized` is sent again after so many milliseconds, then after twice as many each time. */
const FIRST_REPEAT = 100;
const MOST_REPEATS = 5;
/** How long a leg that is no longer named may still take to finish, in milliseconds. */
const LONGEST_RETIREMENT = 30_000;

/**
 * One endpoint: its channel, how much of the client's session its server knows, and the books of what it does for the
 * client.
 */
export class Leg implements Candidate {
  readonly endpoint: Endpoint;
  readonly index: number;
  readonly memory: SessionMemory;
  readonly health: Health;
  readonly #options: LegOptions;
  readonly #own = new OwnRequests();
  readonly #signing: Signing;
  readonly #session: LegSession;
  readonly #channel: LegChannel;
  #onidle: (() => void) | undefined;
  /** When bytes that belong to no single reply last came in, in milliseconds of `performance.now()`. */
  heardAt = 0;
  /** Requests that are waiting for this leg's answer; kept by the dispatcher. */
  pending = 0;
  /** Requests that it has answered, and attempts that failed; kept by the dispatcher. */
  answered = 0;
  failed = 0;
  /** The revisions that its last request belonged to; kept by the dispatcher. */
  era: 'legacy' | 'modern' | undefined;
  /** The epoch in which it was last compared in the modern era; kept by the set of legs. */
  comparedIn: number | undefined;
  /** How the server differs from the one that the client was introduced to. */
  difference: string | undefined;
  quarantined: string | undefined;
  /** True until it has been compared, where that decides whether it gets requests. */
  unproven = false;

  constructor(options: LegOptions) {
    this.endpoint = options.endpoint;
    this.index = options.index;
    this.memory = options.memory;
    this.#options = options;
    this.#signing = new Signing(options);
    const ask = (transport: Transport, request: Envelope): Promise<Envelope> => this.#ask(transport, request);
    this.#session = new LegSession({
      label: this.endpoint.label,
      log: options.log,
      memory: this.memory,
      ask,
      send: (transport, message) => this.#signing.send(transport, message),
    });
    this.#channel = new LegChannel({
      ...options,
      session: this.#session,
      ask,
      events: this.#channelEvents(options.events),
    });
    this.health = new Health({
      label: this.endpoint.label,
      log: options.log,
      ejectionTime: options.settings.ejectionTime,
      alone: options.alone,
      probe: () => this.#probe(),
      onejected: () => options.events.onejected(this),
    });
  }

  get state(): Candidate['state'] {
    return this.health.state;
  }

  get failures(): number {
    return this.health.failures;
  }

  get open(): boolean {
    return this.transport !== undefined;
  }

  /** Counts sessions and channels, so that news of an old one does no harm to its successor. */
  get epoch(): number {
    return this.#channel.epoch;
  }

  /** What the server says of itself, where the client's session was begun here. */
  get introduction(): Introduction | undefined {
    return this.#session.introduction;
  }

  /** True while the client's session lives on this leg too. */
  get joined(): boolean {
    return this.#session.joined;
  }

  /** True while the server keeps something for the session, as far as one can tell. */
  get stateful(): boolean {
    return this.transport?.stateful !== false;
  }

  /** True while subscriptions live here, and news of this leg stands for those of all. */
  get home(): boolean {
    return this.#session.home;
  }

  set home(home: boolean) {
    this.#session.home = home;
  }

  /** The open channel, or undefined while there is none or it is being healed. */
  get transport(): Transport | undefined {
    return this.#channel.transport;
  }

  /**
   * Returns the open channel with the client's session in it, opening or healing it first where needed.
   *
   * @throws ConnectorError `MCPC_CONNECT`, `MCPC_TIMEOUT`, `MCPC_SESSION_LOST` or `MCPC_SHUTDOWN`, as a rejection
   */
  ready(): Transport | Promise<Transport> {
    return this.#channel.ready();
  }

  /** Notes that the client itself has begun its session here. */
  begun(answer: Envelope): void {
    this.#session.begun(answer);
  }

  /**
   * Sends a request of our own and returns its answer.
   *
   * @throws ConnectorError as `ready` does and as the transport says, as a rejection
   */
  async ask(request: Envelope): Promise<Envelope> {
    return this.#ask(await this.ready(), request);
  }

  /** Makes this leg the home of the session: subscribes to all that the client is subscribed to. */
  async settle(): Promise<void> {
    if (!this.#session.settle()) return;
    await this.#session.subscribe(await this.ready());
    this.#tellMissed();
  }

  /** Runs `authenticate` for one attempt, or for a stream that the transport opens by itself. */
  credentials(challenge?: Challenge, refused?: Credentials['refused']): Credentials | Promise<Credentials> {
    return this.#signing.credentials(challenge, refused);
  }

  /**
   * Sends a message that has no answer. Its loss is logged: there is no one to tell. Only `initialized` is sent again,
   * for servers refuse all else before it.
   */
  async tell(envelope: Envelope): Promise<void> {
    let { epoch } = this;
    for (let failures = 0; ; failures++) {
      try {
        // Sent within this very turn where nothing has to be waited for: messages leave in the order they came.
        await after(this.ready(), (transport) =>
          // A session that was begun anew meanwhile is complete.
          failures > 0 && this.epoch !== epoch ? undefined : this.#signing.send(transport, envelope),
        );
        this.memory.note(envelope);
        return;
      } catch (error) {
        ({ epoch } = this);
        if (!this.#isWorthAnother(envelope, error, failures)) return;
        await sleep(FIRST_REPEAT * 2 ** failures);
      }
    }
  }

  /** Notes that a message without an answer did not arrive. Returns whether it shall be sent again. */
  #isWorthAnother(envelope: Envelope, error: unknown, failures: number): boolean {
    const { log } = this.#options;
    const what = envelope.method ?? 'an answer';
    // The repeats of one message are no news.
    const line = failures === 0 ? log.warn : log.debug;
    line?.('%s did not reach %s: %s', what, this.endpoint.label, reasonOf(error));
    const initialized = envelope.method === 'notifications/initialized';
    // Whenever the session is begun anew, it is completed too.
    if (initialized) this.memory.note(envelope);
    const { code, delivered } = toConnectorError(error, 'MCPC_CONNECTION_LOST');
    if (code === 'MCPC_SESSION_LOST') this.forgotten(this.epoch);
    else if (initialized && !this.#channel.closed && failures < MOST_REPEATS)
      return delivered !== 'rejected' || code === 'MCPC_RATE_LIMITED';
    return false;
  }

  /** Learns that the server forgot the session which messages of this epoch belonged to. */
  forgotten(epoch: number): void {
    this.#channel.forgotten(epoch);
  }

  /** Notes that a request waits for an answer of this leg no longer. */
  release(): void {
    this.pending--;
    if (this.pending === 0) this.#onidle?.();
  }

  /** Closes the channel for good once all that waits for it is answered, or has taken too long. */
  async retire(): Promise<void> {
    if (this.pending > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#onidle = resolve;
        timer = setTimeout(resolve, LONGEST_RETIREMENT);
      });
      clearTimeout(timer);
    }
    await this.close();
  }

  /** Learns that the machine has slept. Where the channel may be dead, it is tried out before anything is sent. */
  woke(): void {
    this.#channel.woke();
  }

  /** Closes the channel for good. */
  async close(): Promise<void> {
    this.#onidle?.();
    this.health.close();
    await this.#channel.close();
  }

  #channelEvents(events: LegEvents): LegChannelEvents {
    return {
      credentials: async (challenge) => this.credentials(challenge),
      onmessage: (envelope) => (this.#own.take(envelope) ? undefined : events.onmessage(this, envelope)),
      onlost: (id, error) => {
        if (!this.#own.lose(id, error)) events.onlost(this, id, error);
      },
      onalive: (id) => events.onalive(this, id),
      onforgotten: () => events.onforgotten(this),
      onmissed: () => this.#tellMissed(),
      onend: (error) => this.#own.loseAll(error),
      onclose: (error) => events.onclose(this, error),
      onjoined: () => this.#onjoined(),
    };
  }

  #onjoined(): void {
    // Its answer to `initialize` is a sign of life.
    this.health.ok();
    queueMicrotask(() => {
      if (this.home) this.#tellMissed();
      this.#options.events.onjoined(this);
    });
  }

  /** Opens or heals the channel where needed, and asks for an answer to a request that changes nothing. */
  async #probe(): Promise<void> {
    const timeLimit = AbortSignal.timeout(LONGEST_PROBE);
    try {
      await within(timeLimit, this.#answerSomething());
    } catch (error) {
      throw timeLimit.aborted ? this.#channel.timedOut(error, LONGEST_PROBE) : error;
    }
  }

  async #answerSomething(): Promise<void> {
    const transport = await this.ready();
    try {
      await this.#ask(transport, this.memory.question());
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.code !== 'MCPC_SESSION_LOST') throw error;
      this.forgotten(this.epoch);
      await this.ready();
    }
  }

  /** Sends a request of our own and returns its answer. */
  #ask(transport: Transport, request: Envelope): Promise<Envelope> {
    return this.#own.ask(request, (renamed) => this.#signing.send(transport, renamed));
  }

  #tellMissed(): void {
    for (const notification of this.memory.missed()) void this.#options.events.onmessage(this, notification);
  }
}
