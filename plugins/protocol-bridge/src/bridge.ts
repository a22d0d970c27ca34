import type {
  ConnectorError,
  Credentials,
  Endpoint,
  Envelope,
  OpenTransport,
  RequestId,
  Transport,
  TransportContext,
} from '@mcp-connect/core';
import { passThrough, type Direction, type DirectionContext } from './direction.js';
import { isModern } from './modern.js';
import { beginLegacy, decideModern, type OpeningHost } from './opening.js';
import { UpstreamChannel } from './upstream.js';
import { Verdict } from './verdict.js';

/** What a bridge is made from. */
export interface BridgeOptions {
  readonly open: OpenTransport;
  readonly context: TransportContext;
  /** What is known of servers, whose channels come and go. */
  readonly verdicts: Map<Endpoint, Verdict>;
  /** True to tell a modern client to speak an older revision instead of translating for it. */
  readonly refuse: boolean;
}

/** Opens the channel to a server with a bridge before it. */
export async function openBridge(options: BridgeOptions): Promise<Transport> {
  const bridge = new Bridge(options);
  await bridge.open(options.context.signal);
  return bridge;
}

/**
 * Stands before the channel to one server. It speaks the client's own era first; when the server refuses that, it finds
 * out what the server speaks and puts a direction in between.
 */
class Bridge implements Transport, OpeningHost {
  readonly upstream: UpstreamChannel;
  readonly directed: DirectionContext;
  readonly verdict: Verdict;
  readonly refuse: boolean;
  readonly #open: OpenTransport;
  readonly #context: TransportContext;
  /** How messages pass until the client has shown its era. */
  readonly #through: Direction;
  #direction: Direction | undefined;
  /** Settles when it is known how messages pass; what comes in the meantime waits. */
  #deciding: Promise<void> | undefined;
  /** The requests that wait for that. */
  readonly #held = new Set<RequestId>();
  #closed = false;
  probing = false;

  constructor({ open, context, verdicts, refuse }: BridgeOptions) {
    const { endpoint, settings, log } = context;
    const verdict = verdicts.get(endpoint) ?? new Verdict({ endpoint, log, stateDir: settings.stateDir });
    verdicts.set(endpoint, verdict);
    this.#open = open;
    this.#context = context;
    this.verdict = verdict;
    this.refuse = refuse;
    this.upstream = new UpstreamChannel(context);
    this.directed = {
      client: context,
      upstream: this.upstream,
      confirmed: () => verdict.keep(),
      misjudged: () => {
        verdict.drop();
        this.install(undefined);
      },
    };
    this.#through = passThrough(this.directed);
  }

  async open(signal: AbortSignal): Promise<void> {
    // It may close before it is handed over.
    const opened: { wire?: Transport } = {};
    const { onalive } = this.#context;
    const wire = await this.#open({
      ...this.#context,
      signal,
      onmessage: (envelope, request) => this.#onmessage(envelope, request),
      onlost: (id, error) => this.#onlost(id, error),
      ...(onalive && { onalive: (id) => this.#onalive(onalive, id) }),
      onforgotten: () => (this.#direction ?? this.#through).forgotten(),
      onmissed: () => (this.#direction ?? this.#through).missed(),
      onclose: (error) => {
        // A channel that was replaced has nothing left to tell.
        if (opened.wire === this.upstream.wire) this.#onclose(error);
      },
    });
    opened.wire = this.upstream.wire = wire;
    if (this.#closed) await wire.close();
  }

  async reopen(): Promise<void> {
    try {
      await this.open(AbortSignal.timeout(this.#context.settings.timeout));
    } catch (error) {
      this.#context.onclose(error as ConnectorError);
      throw error;
    }
  }

  install(direction: Direction | undefined): Direction {
    void this.#direction?.close();
    this.#direction = direction;
    return direction ?? this.#through;
  }

  get stateful(): boolean {
    return (this.#direction ?? this.#through).stateful;
  }

  send(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    if (this.#deciding !== undefined)
      return this.#hold(envelope, this.#deciding, () => this.send(envelope, credentials));
    if (envelope.method === 'initialize') return beginLegacy(this, { envelope, credentials });
    if (this.#direction !== undefined) return this.#direction.send(envelope, credentials);
    if (!isModern(envelope)) return this.upstream.send(envelope, credentials);
    const decided = decideModern(this, { envelope, credentials });
    const settled = (): void => void (this.#deciding = undefined);
    // Only the decision is waited for: the answer to the opener itself may take its time.
    this.#deciding = decided.then(settled, settled);
    // An opener that asks what the server is has left as the question.
    return envelope.method === 'server/discover'
      ? decided.then((goOn) => goOn())
      : this.#hold(envelope, decided, (goOn) => goOn());
  }

  /** Holds a message back until something is known, unless it is taken back before. */
  async #hold<T>(
    { kind, key }: Envelope,
    known: Promise<T>,
    goOn: (outcome: T) => void | Promise<void>,
  ): Promise<void> {
    const request = kind === 'request' ? key : undefined;
    if (request !== undefined) this.#held.add(request);
    let kept = false;
    const outcome = await known.finally(() => (kept = request === undefined || this.#held.delete(request)));
    if (kept) await goOn(outcome);
  }

  /** What goes out under other ids than the client's is not known there, and may have left. */
  withdraw(id: RequestId): boolean {
    if (this.#held.delete(id)) return true;
    if (this.upstream.wire?.withdraw?.(id) !== true) return false;
    this.upstream.unwatch(id);
    return true;
  }

  drain(): Promise<void> | undefined {
    return this.upstream.wire?.drain?.();
  }

  wake(): boolean {
    this.#direction?.woke?.();
    return this.upstream.wire?.wake?.() ?? false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#direction?.close();
    await Promise.all([this.upstream.wire?.close(), this.verdict.written()]);
  }

  #onmessage(envelope: Envelope, request: RequestId | undefined): void | Promise<void> {
    if (this.upstream.takes(envelope)) return undefined;
    if (envelope.kind !== 'batch') return (this.#direction ?? this.#through).received(envelope, request);
    for (const part of envelope.parts()) void this.#onmessage(part, request);
    return undefined;
  }

  /** A sign of life counts for the request of the client that the server's own one is made for. */
  #onalive(onalive: (id?: RequestId) => void, id: RequestId | undefined): void {
    const own = this.upstream.standsFor(id);
    const key = own === id && id !== undefined ? (this.#direction?.standsFor?.(id) ?? id) : own;
    onalive(key);
  }

  #onlost(id: RequestId, error: ConnectorError): void {
    if (!this.upstream.takesLoss(id, error)) (this.#direction ?? this.#through).lost(id, error);
  }

  #onclose(error: ConnectorError | undefined): void {
    this.upstream.wire = undefined;
    this.upstream.lose(error);
    if (this.probing) return;
    this.#direction?.closed(error);
    this.#context.onclose(error);
  }
}
