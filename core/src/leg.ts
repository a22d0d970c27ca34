import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Endpoint } from './endpoint.js';
import type { Envelope } from './envelope.js';
import { ConnectorError, toConnectorError, type Challenge } from './errors.js';
import { runHook, type Candidate, type Hooks, type OpenTransport } from './hooks.js';
import type { Log } from './log.js';
import type { Credentials, Settings, Transport } from './transport.js';

/** What a leg tells the pipeline. */
export interface LegEvents {
  onmessage(leg: Leg, envelope: Envelope): void | Promise<void>;
  onlost(leg: Leg, id: RequestId, error: ConnectorError): void;
  onclose(leg: Leg, error: ConnectorError | undefined): void;
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

/** One endpoint with its channel: opened when first needed, shared by all who wait for it, opened anew after a loss. */
export class Leg implements Candidate {
  readonly endpoint: Endpoint;
  readonly index: number;
  readonly #options: LegOptions;
  #transport: Transport | undefined;
  #opening: Promise<Transport> | undefined;
  #abort: AbortController | undefined;
  #closed = false;
  /** Requests that are waiting for this leg's answer; kept by the pipeline. */
  pending = 0;

  constructor(options: LegOptions) {
    this.endpoint = options.endpoint;
    this.index = options.index;
    this.#options = options;
  }

  get open(): boolean {
    return this.#transport !== undefined;
  }

  /** The open channel, or undefined. */
  get transport(): Transport | undefined {
    return this.#transport;
  }

  /**
   * Returns the open channel, opening it first where needed.
   *
   * @throws ConnectorError `MCPC_CONNECT`, `MCPC_TIMEOUT` or `MCPC_SHUTDOWN`, as a rejection
   */
  ready(): Transport | Promise<Transport> {
    return this.#transport ?? (this.#opening ??= this.#open());
  }

  /** Runs `authenticate` for one attempt, or for a stream that the transport opens by itself. */
  credentials(challenge?: Challenge): Credentials | Promise<Credentials> {
    const credentials: Credentials = challenge === undefined ? { headers: {} } : { headers: {}, challenge };
    const { hooks } = this.#options;
    if (hooks.authenticate.taps.length === 0) return credentials;
    const ran = runHook(hooks.authenticate, credentials, this.endpoint);
    return ran === undefined ? credentials : ran.then(() => credentials);
  }

  /** Closes the channel for good. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#abort?.abort();
    const transport = this.#transport ?? (await this.#opening?.catch(() => undefined));
    this.#transport = undefined;
    await transport?.close();
  }

  async #open(): Promise<Transport> {
    const { hooks, settings, log, events, endpoint } = this.#options;
    const abort = new AbortController();
    this.#abort = abort;
    const timer = setTimeout(() => abort.abort(), settings.timeout);
    let lost: { error: ConnectorError | undefined } | undefined;
    let transport: Transport | undefined;
    try {
      if (this.#closed) throw new ConnectorError('MCPC_SHUTDOWN', 'mcp-connect is stopping.');
      const open = (await runHook(hooks.openTransport, this.#options.open, endpoint)) ?? this.#options.open;
      transport = await open({
        endpoint,
        settings,
        log,
        signal: abort.signal,
        credentials: async (challenge) => this.credentials(challenge),
        onmessage: (envelope) => events.onmessage(this, envelope),
        onlost: (id, error) => events.onlost(this, id, error),
        onclose: (error) => {
          lost = { error };
          // A channel that was replaced or closed by us has nothing left to tell.
          if (transport === undefined || this.#transport !== transport) return;
          this.#transport = undefined;
          events.onclose(this, error);
        },
      });
      if (lost !== undefined || this.#closed) {
        await transport.close();
        throw (
          (lost as { error: ConnectorError | undefined } | undefined)?.error ??
          new ConnectorError('MCPC_CONNECT', `${endpoint.label} closed the connection at once.`)
        );
      }
      this.#transport = transport;
      log.debug?.('opened %s', endpoint.label);
      return transport;
    } catch (error) {
      if (abort.signal.aborted && !this.#closed) throw this.#timedOut(error);
      throw toConnectorError(error, 'MCPC_CONNECT');
    } finally {
      clearTimeout(timer);
      this.#opening = undefined;
    }
  }

  #timedOut(cause: unknown): ConnectorError {
    const { endpoint, settings } = this.#options;
    const seconds = settings.timeout / 1000;
    return new ConnectorError('MCPC_TIMEOUT', `No connection to ${endpoint.label} within ${seconds} s.`, {
      cause,
      hint: 'Check that the server runs and can be reached, or allow more with --timeout SECONDS',
    });
  }
}
