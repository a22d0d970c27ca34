import { ConnectorError, stopping, toConnectorError } from './errors.js';
import type { Envelope } from './envelope.js';
import type { LegSession } from './leg-session.js';
import { openChannel, type ChannelEvents, type OpeningOptions } from './opening.js';
import { Revival } from './revival.js';
import { CONNECT_BACKOFF } from './retry.js';
import type { SessionMemory } from './session.js';
import type { Transport } from './transport.js';
import { within } from './waiting.js';

/** What the channel of a leg tells it. */
export interface LegChannelEvents extends Omit<ChannelEvents, 'onforgotten' | 'onclose'> {
  /** The server has forgotten the session, and what it asked in it. */
  onforgotten(): void;
  /** A channel is gone, be it in use or not: it gives no answer any more. */
  onend(error: ConnectorError): void;
  /** The channel in use is gone, and what was under way in it. */
  onclose(error: ConnectorError | undefined): void;
  /** The client's session was begun here, by us. */
  onjoined(): void;
}

/** What the channel of a leg is made from. */
export interface LegChannelOptions extends OpeningOptions {
  readonly memory: SessionMemory;
  readonly session: LegSession;
  readonly events: LegChannelEvents;
  /** True while there is no other leg. */
  alone(): boolean;
  /** Sends a request of our own and returns its answer. */
  ask(transport: Transport, request: Envelope): Promise<Envelope>;
}

/** How long a server may take to give a sign of life, in milliseconds. */
export const LONGEST_PROBE = 5_000;

/**
 * The channel to one endpoint: opened when first needed, shared by all who wait for it, and healed after a loss. A
 * legacy session that the server lost is begun anew and brought to where it was before anything else is sent.
 */
export class LegChannel {
  readonly #options: LegChannelOptions;
  readonly #memory: SessionMemory;
  readonly #session: LegSession;
  readonly #revival: Revival;
  #transport: Transport | undefined;
  #opening: Promise<Transport> | undefined;
  #abort: AbortController | undefined;
  /** What the last opening failed with, and when, in milliseconds of `performance.now()`. */
  #failure: { readonly error: ConnectorError; readonly at: number } | undefined;
  #closed = false;
  /** Counts sessions and channels, so that news of an old one does no harm to its successor. */
  epoch = 0;

  constructor(options: LegChannelOptions) {
    this.#options = options;
    this.#memory = options.memory;
    this.#session = options.session;
    this.#revival = new Revival({
      label: options.endpoint.label,
      log: options.log,
      reopen: () => (this.#transport === undefined ? this.ready() : undefined),
    });
  }

  /** The open channel, or undefined while there is none or it is being healed. */
  get transport(): Transport | undefined {
    return this.#transport;
  }

  /** True once it is closed for good. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Returns the open channel with the client's session in it; see `Leg.ready`. */
  ready(): Transport | Promise<Transport> {
    const transport = this.#transport;
    if (transport !== undefined && (this.#session.joined || !this.#memory.started)) return transport;
    this.#transport = undefined;
    const isFresh = transport === undefined && this.#opening === undefined;
    if (isFresh && this.#hasJustFailed()) return Promise.reject(this.#failure!.error);
    return (this.#opening ??= this.#establish(transport));
  }

  /** Learns that the server forgot the session which messages of this epoch belonged to. */
  forgotten(epoch: number): void {
    if (epoch !== this.epoch || this.#transport === undefined || !this.#session.joined) return;
    const transport = this.#transport;
    this.#transport = undefined;
    this.#options.log.info?.('%s lost the session; it is begun anew', this.#label);
    this.#options.events.onforgotten();
    this.#opening ??= this.#establish(transport);
    // Whoever needs the channel hears of a failure; where nobody does, the next one tries again.
    this.#opening.catch(() => undefined);
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
    this.#revival.close();
    this.#abort?.abort();
    const transport = this.#transport ?? (await this.#opening?.catch(() => undefined));
    this.#transport = undefined;
    await transport?.close();
  }

  /** Words the failure of a server that has not answered in time. */
  timedOut(cause: unknown, time = this.#options.settings.timeout): ConnectorError {
    const seconds = time / 1000;
    return new ConnectorError('MCPC_TIMEOUT', `No connection to ${this.#label} within ${seconds} s.`, {
      cause,
      hint: 'Check that the server runs and can be reached, or allow more time with --timeout SECONDS',
    });
  }

  /**
   * True for less time than any request waits before it tries again: however many wait, each at a time of its own, the
   * one server there is is not asked more often than that. Of several, one that fails gets no requests anyway.
   */
  #hasJustFailed(): boolean {
    if (!this.#options.alone()) return false;
    const least = Math.min(CONNECT_BACKOFF, this.#options.settings.retryDelay) / 2;
    return this.#failure !== undefined && performance.now() - this.#failure.at < least;
  }

  get #label(): string {
    return this.#options.endpoint.label;
  }

  /** Brings up a channel with a session in it: a new one, or an old channel whose session is gone. */
  async #establish(old: Transport | undefined): Promise<Transport> {
    const { settings, log, events } = this.#options;
    const abort = new AbortController();
    this.#abort = abort;
    const timer = setTimeout(() => abort.abort(), settings.timeout);
    let transport = old;
    try {
      if (this.#closed) throw stopping();
      transport ??= await this.#open(abort.signal);
      const replayed = this.#memory.started;
      if (replayed) await within(abort.signal, this.#session.replay(transport));
      if (this.#closed) throw stopping();
      this.#transport = transport;
      this.#failure = undefined;
      this.#revival.opened();
      this.epoch++;
      log.debug?.('opened %s', this.#label);
      if (replayed) events.onjoined();
      return transport;
    } catch (cause) {
      await transport?.close();
      const timedOut = abort.signal.aborted && !this.#closed;
      const error = timedOut ? this.timedOut(cause) : toConnectorError(cause, 'MCPC_CONNECT');
      this.#failure = { error, at: performance.now() };
      // What was under way in the old channel ended with it.
      if (old !== undefined) events.onclose(error);
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
      await within(abort.signal, this.#options.ask(transport, this.#memory.question()));
      this.#transport = transport;
      this.#opening = undefined;
      return transport;
    } catch (cause) {
      const text = `The connection to ${this.#label} did not outlive a sleep of this machine.`;
      const error = new ConnectorError('MCPC_CONNECTION_LOST', text, { cause, delivered: 'unknown' });
      this.#options.events.onclose(error);
      // A dead connection may take its time to end.
      void transport.close();
      return await this.#establish(undefined);
    } finally {
      clearTimeout(timer);
    }
  }

  #open(signal: AbortSignal): Promise<Transport> {
    const events: ChannelEvents = {
      ...this.#options.events,
      onforgotten: (transport) => {
        if (this.#transport === transport) this.forgotten(this.epoch);
      },
      onclose: (transport, error) => this.#onclose(transport, error),
    };
    return openChannel(this.#options, events, signal);
  }

  #onclose(transport: Transport | undefined, error: ConnectorError | undefined): void {
    const { events } = this.#options;
    const text = `${this.#label} closed the connection.`;
    events.onend(error ?? new ConnectorError('MCPC_CONNECTION_LOST', text));
    // A channel that was replaced or closed by us has nothing left to tell.
    if (transport === undefined || this.#transport !== transport) return;
    this.#transport = undefined;
    this.#revival.ended();
    events.onclose(error);
    if (this.#session.joined) this.#revival.begin();
  }
}
