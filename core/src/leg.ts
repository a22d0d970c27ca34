import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Endpoint } from './endpoint.js';
import { Envelope } from './envelope.js';
import { ConnectorError, reasonOf, toConnectorError, type Challenge } from './errors.js';
import { after, runHook, type Candidate, type Hooks, type OpenTransport } from './hooks.js';
import type { Log } from './log.js';
import { SessionMemory } from './session.js';
import type { Credentials, Settings, Transport } from './transport.js';
import { within } from './waiting.js';

/** What a leg tells the pipeline. */
export interface LegEvents {
  onmessage(leg: Leg, envelope: Envelope): void | Promise<void>;
  onlost(leg: Leg, id: RequestId, error: ConnectorError): void;
  onclose(leg: Leg, error: ConnectorError | undefined): void;
  onalive(leg: Leg, id: RequestId | undefined): void;
}

/** What a leg is made from. */
export interface LegOptions {
  readonly endpoint: Endpoint;
  readonly index: number;
  readonly open: OpenTransport;
  readonly hooks: Hooks;
  readonly settings: Settings;
  readonly log: Log;
  readonly events: LegEvents;
}

interface OwnRequest {
  resolve(answer: Envelope): void;
  reject(error: ConnectorError): void;
}

const FIRST_REVIVAL = 1_000;
const LONGEST_REVIVAL = 30_000;
/** How long a server may take to show that a channel has outlived a sleep, in milliseconds. */
const TRIAL = 5_000;

/** Any answer to these shows that a channel lives, a refusal included. */
const PING = Envelope.of({ jsonrpc: '2.0', id: 'ping', method: 'ping' });
const DISCOVER = Envelope.of({
  jsonrpc: '2.0',
  id: 'discover',
  method: 'server/discover',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
});

/**
 * One endpoint with its channel: opened when first needed, shared by all who wait for it, and healed after a loss. A
 * legacy session that the server lost is begun anew and brought to where it was before anything else is sent.
 */
export class Leg implements Candidate {
  readonly endpoint: Endpoint;
  readonly index: number;
  readonly memory = new SessionMemory();
  readonly #options: LegOptions;
  readonly #prefix = `mcpc-${randomUUID()}-`;
  /** Requests of our own that wait for their answers. */
  readonly #own = new Map<RequestId, OwnRequest>();
  #asked = 0;
  #transport: Transport | undefined;
  #opening: Promise<Transport> | undefined;
  #abort: AbortController | undefined;
  #revival: NodeJS.Timeout | undefined;
  #closed = false;
  /** Counts sessions and channels, so that news of an old one does no harm to its successor. */
  epoch = 0;
  /** When bytes that belong to no single reply last came in, in milliseconds of `performance.now()`. */
  heardAt = 0;
  /** Requests that are waiting for this leg's answer; kept by the dispatcher. */
  pending = 0;

  constructor(options: LegOptions) {
    this.endpoint = options.endpoint;
    this.index = options.index;
    this.#options = options;
  }

  get open(): boolean {
    return this.#transport !== undefined;
  }

  /** The open channel, or undefined while there is none or it is being healed. */
  get transport(): Transport | undefined {
    return this.#transport;
  }

  /**
   * Returns the open channel, opening or healing it first where needed.
   *
   * @throws ConnectorError `MCPC_CONNECT`, `MCPC_TIMEOUT`, `MCPC_SESSION_LOST` or `MCPC_SHUTDOWN`, as a rejection
   */
  ready(): Transport | Promise<Transport> {
    return this.#transport ?? (this.#opening ??= this.#establish(undefined));
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

  /** Sends a message that has no answer. Its loss is logged: there is no one to tell. */
  async tell(envelope: Envelope): Promise<void> {
    try {
      // Sent within this very turn where nothing has to be waited for: messages leave in the order they came.
      await after(this.ready(), (transport) => this.#sendSigned(transport, envelope));
      this.memory.note(envelope);
    } catch (error) {
      const { log } = this.#options;
      log.warn?.(
        '%s did not reach %s: %s',
        envelope.method ?? 'an answer',
        this.endpoint.label,
        reasonOf(error),
      );
      if (error instanceof ConnectorError && error.code === 'MCPC_SESSION_LOST') this.forgotten(this.epoch);
    }
  }

  /** Learns that the server forgot the session which messages of this epoch belonged to. */
  forgotten(epoch: number): void {
    if (epoch !== this.epoch || this.#transport === undefined || !this.memory.started) return;
    const transport = this.#transport;
    this.#transport = undefined;
    this.#options.log.info?.('%s lost the session; it is begun anew', this.endpoint.label);
    this.#opening ??= this.#establish(transport);
    // Whoever needs the channel hears of a failure; where nobody does, the next one tries again.
    this.#opening.catch(() => undefined);
  }

  /** Takes over the session of another leg, unless it has one of its own. */
  adopt(other: Leg): void {
    if (this.memory.started || !other.memory.started) return;
    this.memory.copy(other.memory);
    this.forgotten(this.epoch);
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
      this.epoch++;
      log.debug?.('opened %s', this.endpoint.label);
      if (replayed) queueMicrotask(() => this.#tellMissed());
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
    const timer = setTimeout(() => abort.abort(), TRIAL);
    try {
      await within(abort.signal, this.#ask(transport, this.memory.started ? PING : DISCOVER));
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
    const { hooks, settings, log, events } = this.#options;
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
      credentials: async (challenge) => this.credentials(challenge),
      onmessage: (envelope) => (this.#isOwn(envelope) ? undefined : events.onmessage(this, envelope)),
      onlost: (id, reason) => {
        const error = lossOf(reason);
        const own = this.#own.get(id);
        if (own === undefined) events.onlost(this, id, error);
        else own.reject(error);
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
    for (const own of this.#own.values()) own.reject(gone);
    // A channel that was replaced or closed by us has nothing left to tell.
    if (transport === undefined || this.#transport !== transport) return;
    this.#transport = undefined;
    this.#options.events.onclose(this, error);
    if (this.memory.started) this.#revive(0);
  }

  /** Brings a lost channel back even when no request asks for it: the server may have something to say. */
  #revive(failures: number): void {
    if (this.#closed || this.#transport !== undefined) return;
    const ready = this.ready();
    if (!(ready instanceof Promise)) return;
    ready.catch((error: unknown) => {
      if (this.#closed) return;
      this.#options.log.warn?.('%s is not back: %s', this.endpoint.label, reasonOf(error));
      const wait = Math.min(FIRST_REVIVAL * 2 ** Math.min(failures, 10), LONGEST_REVIVAL);
      this.#revival = setTimeout(() => this.#revive(failures + 1), wait * (0.5 + Math.random() / 2));
    });
  }

  // ── The session ──────────────────────────────────────────────────────────────────────────────────────────────

  async #replay(transport: Transport): Promise<void> {
    const { initialize, initialized } = this.memory;
    const answer = await this.#ask(transport, initialize!);
    if ('error' in answer.message) {
      throw new ConnectorError(
        'MCPC_SESSION_LOST',
        `${this.endpoint.label} lost the session and refuses a new one.`,
      );
    }
    if (initialized !== undefined) await this.#sendSigned(transport, initialized);
    for (const request of this.memory.replay()) {
      await this.#ask(transport, request).catch((error: unknown) => {
        this.#options.log.warn?.('%s was not restored: %s', request.method, reasonOf(error));
      });
    }
  }

  /** Sends a request of our own and returns its answer. */
  async #ask(transport: Transport, request: Envelope): Promise<Envelope> {
    const id = `${this.#prefix}${this.#asked++}`;
    const renamed = request.withId(JSON.stringify(id));
    const answer = new Promise<Envelope>((resolve, reject) => this.#own.set(id, { resolve, reject }));
    // The answer may be refused before anyone awaits it.
    answer.catch(() => undefined);
    try {
      await this.#sendSigned(transport, renamed);
      return await answer;
    } finally {
      this.#own.delete(id);
    }
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

  #isOwn(envelope: Envelope): boolean {
    if (this.#own.size === 0 || envelope.kind !== 'response') return false;
    const own = this.#own.get(envelope.key!);
    own?.resolve(envelope);
    return own !== undefined;
  }

  #tellMissed(): void {
    for (const notification of this.memory.missed()) void this.#options.events.onmessage(this, notification);
  }

  #timedOut(cause: unknown): ConnectorError {
    const seconds = this.#options.settings.timeout / 1000;
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
export function isRefused({ headers, refused }: Credentials): boolean {
  return isDeepStrictEqual(headers, refused);
}

/** A transport of a plugin may report any error; one that says nothing of its effect may have had one. */
function lossOf(reason: unknown): ConnectorError {
  return toConnectorError(reason, 'MCPC_CONNECTION_LOST', { delivered: 'unknown' });
}
