import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Endpoint } from './endpoint.js';
import type { Envelope } from './envelope.js';
import { ConnectorError, reasonOf, toConnectorError, type Challenge } from './errors.js';
import { after, runHook, type Candidate, type Hooks, type OpenTransport } from './hooks.js';
import { Health } from './health.js';
import type { Log } from './log.js';
import { OwnRequests } from './own.js';
import type { SessionMemory } from './session.js';
import type { Credentials, Settings, Transport } from './transport.js';
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

/** What a server says of itself in its answer to `initialize`. */
export interface Introduction {
  readonly protocolVersion?: unknown;
  readonly capabilities?: Readonly<Record<string, unknown>>;
}

/** What a leg is made from. */
export interface LegOptions {
  readonly endpoint: Endpoint;
  readonly index: number;
  readonly open: OpenTransport;
  readonly hooks: Hooks;
  readonly settings: Settings;
  readonly log: Log;
  /** What the client has told its server; all legs share it. */
  readonly memory: SessionMemory;
  readonly events: LegEvents;
  /** Aborts when there is no time left for an orderly end. */
  readonly hurry: AbortSignal;
  /** True while there is no other leg. */
  alone(): boolean;
}

/** `initialized` is sent again after so many milliseconds, then after twice as many each time. */
const FIRST_REPEAT = 100;
const MOST_REPEATS = 5;
const FIRST_REVIVAL = 1_000;
const LONGEST_REVIVAL = 30_000;
/** A channel that ends sooner lived shortly, in milliseconds. */
const SHORT_LIFE = 5_000;
/** How long a leg that is no longer named may still take to finish, in milliseconds. */
const LONGEST_RETIREMENT = 30_000;
/** How long a server may take to give a sign of life, in milliseconds. */
const LONGEST_PROBE = 5_000;

/**
 * One endpoint with its channel: opened when first needed, shared by all who wait for it, and healed after a loss. A
 * legacy session that the server lost is begun anew and brought to where it was before anything else is sent.
 */
export class Leg implements Candidate {
  readonly endpoint: Endpoint;
  readonly index: number;
  readonly memory: SessionMemory;
  readonly health: Health;
  readonly #options: LegOptions;
  readonly #own = new OwnRequests();
  #transport: Transport | undefined;
  #opening: Promise<Transport> | undefined;
  #abort: AbortController | undefined;
  #revival: NodeJS.Timeout | undefined;
  /** When the channel was opened, in milliseconds of `performance.now()`. */
  #openedAt = 0;
  /** Channels in a row that the server closed soon after. */
  #shortLives = 0;
  #closed = false;
  /** The session that the server has been told of, by `SessionMemory.generation`. */
  #generation = 0;
  #home = false;
  /** True while the server of this channel knows the subscriptions. */
  #subscribed = false;
  #onidle: (() => void) | undefined;
  /** Counts sessions and channels, so that news of an old one does no harm to its successor. */
  epoch = 0;
  /** When bytes that belong to no single reply last came in, in milliseconds of `performance.now()`. */
  heardAt = 0;
  /** Requests that are waiting for this leg's answer; kept by the dispatcher. */
  pending = 0;
  /** Requests that it has answered, and attempts that failed; kept by the dispatcher. */
  answered = 0;
  failed = 0;
  /** The revisions that its last request belonged to; kept by the dispatcher. */
  era: 'legacy' | 'modern' | undefined;
  /** How the server differs from the one that the client was introduced to. */
  difference: string | undefined;
  quarantined: string | undefined;
  /** True until it has been compared, where that decides whether it gets requests. */
  unproven = false;
  introduction: Introduction | undefined;

  constructor(options: LegOptions) {
    this.endpoint = options.endpoint;
    this.index = options.index;
    this.memory = options.memory;
    this.#options = options;
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
    return this.#transport !== undefined;
  }

  /** True while the client's session lives on this leg too. */
  get joined(): boolean {
    return this.memory.started && this.#generation === this.memory.generation;
  }

  /** True while the server keeps something for the session, as far as one can tell. */
  get stateful(): boolean {
    return this.#transport?.stateful !== false;
  }

  /** True while subscriptions live here, and news of this leg stands for those of all. */
  get home(): boolean {
    return this.#home;
  }

  set home(home: boolean) {
    this.#home = home;
    if (!home) this.#subscribed = false;
  }

  /** The open channel, or undefined while there is none or it is being healed. */
  get transport(): Transport | undefined {
    return this.#transport;
  }

  /**
   * Returns the open channel with the client's session in it, opening or healing it first where needed.
   *
   * @throws ConnectorError `MCPC_CONNECT`, `MCPC_TIMEOUT`, `MCPC_SESSION_LOST` or `MCPC_SHUTDOWN`, as a rejection
   */
  ready(): Transport | Promise<Transport> {
    const transport = this.#transport;
    if (transport !== undefined && (this.joined || !this.memory.started)) return transport;
    this.#transport = undefined;
    return (this.#opening ??= this.#establish(transport));
  }

  /** Notes that the client itself has begun its session here. */
  begun(answer: Envelope): void {
    this.#generation = this.memory.generation;
    this.#subscribed = true;
    this.introduction = introductionIn(answer);
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
    this.home = true;
    if (!this.joined || this.#subscribed) return;
    this.#subscribed = true;
    await this.#repeat(await this.ready(), this.memory.subscriptions);
    this.#tellMissed();
  }

  /** Runs `authenticate` for one attempt, or for a stream that the transport opens by itself. */
  credentials(challenge?: Challenge, refused?: Credentials['refused']): Credentials | Promise<Credentials> {
    const credentials: Credentials =
      challenge === undefined
        ? { headers: {} }
        : { headers: {}, challenge, ...(refused !== undefined && { refused }) };
    const { hooks } = this.#options;
    if (hooks.authenticate.taps.length === 0) return credentials;
    const ran = runHook(hooks.authenticate, credentials, this.endpoint);
    return ran instanceof Promise ? ran.then(() => credentials) : credentials;
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
          failures > 0 && this.epoch !== epoch ? undefined : this.#sendSigned(transport, envelope),
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
    log.warn?.('%s did not reach %s: %s', what, this.endpoint.label, reasonOf(error));
    const initialized = envelope.method === 'notifications/initialized';
    // Whenever the session is begun anew, it is completed too.
    if (initialized) this.memory.note(envelope);
    const { code, delivered } = toConnectorError(error, 'MCPC_CONNECTION_LOST');
    if (code === 'MCPC_SESSION_LOST') this.forgotten(this.epoch);
    else if (initialized && !this.#closed && failures < MOST_REPEATS)
      return delivered !== 'rejected' || code === 'MCPC_RATE_LIMITED';
    return false;
  }

  /** Learns that the server forgot the session which messages of this epoch belonged to. */
  forgotten(epoch: number): void {
    if (epoch !== this.epoch || this.#transport === undefined || !this.joined) return;
    const transport = this.#transport;
    this.#transport = undefined;
    this.#options.log.info?.('%s lost the session; it is begun anew', this.endpoint.label);
    this.#options.events.onforgotten(this);
    this.#opening ??= this.#establish(transport);
    // Whoever needs the channel hears of a failure; where nobody does, the next one tries again.
    this.#opening.catch(() => undefined);
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
    const transport = this.#transport;
    if (transport?.wake?.() !== true) return;
    this.#transport = undefined;
    this.#opening ??= this.#tryOut(transport);
    this.#opening.catch(() => undefined);
  }

  /** Closes the channel for good. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#onidle?.();
    this.health.close();
    clearTimeout(this.#revival);
    this.#abort?.abort();
    const transport = this.#transport ?? (await this.#opening?.catch(() => undefined));
    this.#transport = undefined;
    await transport?.close();
  }

  /** Brings up a channel with a session in it: a new one, or an old channel whose session is gone. */
  async #establish(old: Transport | undefined): Promise<Transport> {
    const { settings, log } = this.#options;
    const abort = new AbortController();
    this.#abort = abort;
    const timer = setTimeout(() => abort.abort(), settings.timeout);
    let transport = old;
    try {
      if (this.#closed) throw new ConnectorError('MCPC_SHUTDOWN', 'mcp-connect is stopping.');
      transport ??= await this.#openWithin(abort.signal);
      const replayed = this.memory.started;
      if (replayed) await within(abort.signal, this.#replay(transport));
      if (this.#closed) throw new ConnectorError('MCPC_SHUTDOWN', 'mcp-connect is stopping.');
      this.#transport = transport;
      this.#openedAt = performance.now();
      this.epoch++;
      log.debug?.('opened %s', this.endpoint.label);
      if (replayed) this.#rejoined();
      return transport;
    } catch (cause) {
      await transport?.close();
      const timedOut = abort.signal.aborted && !this.#closed;
      const error = timedOut ? this.#timedOut(cause) : toConnectorError(cause, 'MCPC_CONNECT');
      // What was under way in the old channel ended with it.
      if (old !== undefined) this.#options.events.onclose(this, error);
      throw error;
    } finally {
      clearTimeout(timer);
      this.#opening = undefined;
    }
  }

  /** Returns the channel if its server still answers there, else a new one. */
  async #tryOut(transport: Transport): Promise<Transport> {
    const abort = new AbortController();
    this.#abort = abort;
    const timer = setTimeout(() => abort.abort(), LONGEST_PROBE);
    try {
      await within(abort.signal, this.#ask(transport, this.memory.question()));
      this.#transport = transport;
      this.#opening = undefined;
      return transport;
    } catch (cause) {
      const text = `The connection to ${this.endpoint.label} did not outlive a sleep of this machine.`;
      const error = new ConnectorError('MCPC_CONNECTION_LOST', text, { cause, delivered: 'unknown' });
      this.#options.events.onclose(this, error);
      // A dead connection may take its time to end.
      void transport.close();
      return await this.#establish(undefined);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A transport that ignores the signal and opens too late is closed again. */
  async #openWithin(signal: AbortSignal): Promise<Transport> {
    const opening = this.#open(signal);
    try {
      return await within(signal, opening);
    } catch (error) {
      opening.then((late) => late.close()).catch(() => undefined);
      throw error;
    }
  }

  async #open(signal: AbortSignal): Promise<Transport> {
    const { hooks, settings, log, events, hurry } = this.#options;
    // A channel may close before it is handed over.
    const opened: { transport?: Transport } = {};
    let lost: { error: ConnectorError | undefined } | undefined;
    const open =
      (await runHook(hooks.openTransport, this.#options.open, this.endpoint)) ?? this.#options.open;
    const transport = await open({
      endpoint: this.endpoint,
      settings,
      log,
      signal,
      hurry,
      credentials: async (challenge) => this.credentials(challenge),
      onmessage: (envelope) => (this.#own.take(envelope) ? undefined : events.onmessage(this, envelope)),
      onlost: (id, reason) => {
        const error = lossOf(reason);
        if (!this.#own.lose(id, error)) events.onlost(this, id, error);
      },
      onforgotten: () => {
        if (this.#transport === opened.transport) this.forgotten(this.epoch);
      },
      onmissed: () => this.#tellMissed(),
      ...(settings.requestTimeout !== undefined && { onalive: (id) => events.onalive(this, id) }),
      onclose: (reason) => {
        const error = reason === undefined ? undefined : lossOf(reason);
        lost = { error };
        this.#onclose(opened.transport, error);
      },
    });
    opened.transport = transport;
    if (lost === undefined) return transport;
    await transport.close();
    throw (
      lost.error ??
      new ConnectorError('MCPC_CONNECT', `${this.endpoint.label} closed the connection at once.`)
    );
  }

  #onclose(transport: Transport | undefined, error: ConnectorError | undefined): void {
    const gone =
      error ?? new ConnectorError('MCPC_CONNECTION_LOST', `${this.endpoint.label} closed the connection.`);
    this.#own.loseAll(gone);
    // A channel that was replaced or closed by us has nothing left to tell.
    if (transport === undefined || this.#transport !== transport) return;
    this.#transport = undefined;
    this.#shortLives = performance.now() - this.#openedAt < SHORT_LIFE ? this.#shortLives + 1 : 0;
    this.#options.events.onclose(this, error);
    if (!this.joined) return;
    // A server that closes one channel after the other is not to be kept busy with that.
    if (this.#shortLives < 2) this.#revive(0);
    else this.#reviveLater(this.#shortLives - 2);
  }

  /** Brings a lost channel back even when no request asks for it: the server may have something to say. */
  #revive(failures: number): void {
    if (this.#closed || this.#transport !== undefined) return;
    const ready = this.ready();
    if (!(ready instanceof Promise)) return;
    ready.catch((error: unknown) => {
      if (this.#closed) return;
      this.#options.log.warn?.('%s is not back: %s', this.endpoint.label, reasonOf(error));
      this.#reviveLater(failures);
    });
  }

  #reviveLater(failures: number): void {
    const wait = Math.min(FIRST_REVIVAL * 2 ** Math.min(failures, 10), LONGEST_REVIVAL);
    clearTimeout(this.#revival);
    this.#revival = setTimeout(() => this.#revive(failures + 1), wait * (0.5 + Math.random() / 2));
  }

  // ── The session ──────────────────────────────────────────────────────────────────────────────────────────────

  async #replay(transport: Transport): Promise<void> {
    const { initialize, initialized, generation, level } = this.memory;
    const answer = await this.#ask(transport, initialize!);
    if ('error' in answer.message) {
      throw new ConnectorError(
        'MCPC_SESSION_LOST',
        `${this.endpoint.label} lost the session and refuses a new one.`,
      );
    }
    this.introduction = introductionIn(answer);
    if (initialized !== undefined) await this.#sendSigned(transport, initialized);
    if (level !== undefined) await this.#repeat(transport, [level]);
    this.#subscribed = this.home;
    if (this.home) await this.#repeat(transport, this.memory.subscriptions);
    this.#generation = generation;
  }

  /** Asks again what the client once asked; what is refused now is not worth failing for. */
  async #repeat(transport: Transport, requests: readonly Envelope[]): Promise<void> {
    for (const request of requests) {
      await this.#ask(transport, request).catch((error: unknown) => {
        this.#options.log.warn?.('%s was not restored: %s', request.method, reasonOf(error));
      });
    }
  }

  #rejoined(): void {
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
      throw timeLimit.aborted ? this.#timedOut(error, LONGEST_PROBE) : error;
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
    return this.#own.ask(request, (renamed) => this.#sendSigned(transport, renamed));
  }

  /** Sends once more when the credentials are refused and there are others. */
  #sendSigned(transport: Transport, envelope: Envelope): void | Promise<void> {
    return after(this.credentials(), (first) => {
      const again = async (error: unknown): Promise<void> => {
        if (!(error instanceof ConnectorError) || error.challenge === undefined) throw error;
        const second = await this.credentials(error.challenge, first.headers);
        if (isRefused(second)) throw error;
        await transport.send(envelope, second);
      };
      try {
        return transport.send(envelope, first)?.catch(again);
      } catch (error) {
        return again(error);
      }
    });
  }

  #tellMissed(): void {
    for (const notification of this.memory.missed()) void this.#options.events.onmessage(this, notification);
  }

  #timedOut(cause: unknown, time = this.#options.settings.timeout): ConnectorError {
    const seconds = time / 1000;
    return new ConnectorError(
      'MCPC_TIMEOUT',
      `No connection to ${this.endpoint.label} within ${seconds} s.`,
      {
        cause,
        hint: 'Check that the server runs and can be reached, or allow more time with --timeout SECONDS',
      },
    );
  }
}

/** Whether credentials are those that were refused: nothing that signs in had any others. */
export function isRefused({ headers, refused, prove }: Credentials): boolean {
  // A proof is another one every time.
  return prove === undefined && isDeepStrictEqual(headers, refused);
}

function introductionIn(answer: Envelope): Introduction | undefined {
  return (answer.parsed as { result?: Introduction } | undefined)?.result;
}

/** A transport of a plugin may report any error; one that says nothing of its effect may have had one. */
function lossOf(reason: unknown): ConnectorError {
  return toConnectorError(reason, 'MCPC_CONNECTION_LOST', { delivered: 'unknown' });
}
