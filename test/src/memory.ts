import { ConnectorError, Envelope, parseEndpoint } from '@mcp-connect/core';
import type { Endpoint, Transport, TransportContext, TransportKind } from '@mcp-connect/core';
import type { PeerHandler, Served } from './peer.js';

/** A transport of this process and the way to serve it. */
export interface MemoryTransport {
  /** Register it under the scheme `memory`. */
  readonly kind: TransportKind;
  /** Starts a peer under an endpoint of its own. */
  serve(handler: PeerHandler): Promise<Served>;
}

/**
 * Makes a transport that carries messages within this process, for tests of plugins that need a line but no wire.
 * What it serves is reached through its own `kind` only.
 */
export function memoryTransport(): MemoryTransport {
  const peers = new Map<string, Peer>();
  let served = 0;
  return {
    kind: {
      async open(context) {
        context.signal.throwIfAborted();
        const peer = peers.get(context.endpoint.label);
        if (peer === undefined)
          throw new ConnectorError('MCPC_CONNECT', `Nobody serves ${context.endpoint.label}.`);
        return peer.connect(context);
      },
    },
    async serve(handler) {
      const endpoint = parseEndpoint(`memory://peer-${served++}`);
      const peer = new Peer(endpoint, handler);
      peers.set(endpoint.label, peer);
      return {
        endpoint,
        cut: () => peer.cut(),
        async close() {
          peers.delete(endpoint.label);
          peer.cut();
        },
      };
    },
  };
}

class Peer {
  readonly #endpoint: Endpoint;
  readonly #handler: PeerHandler;
  readonly #channels = new Set<MemoryChannel>();

  constructor(endpoint: Endpoint, handler: PeerHandler) {
    this.#endpoint = endpoint;
    this.#handler = handler;
  }

  connect(context: TransportContext): Transport {
    const channel = new MemoryChannel(context, this.#handler, () => this.#channels.delete(channel));
    this.#channels.add(channel);
    return channel;
  }

  cut(): void {
    const text = `${this.#endpoint.label} is gone.`;
    const error = new ConnectorError('MCPC_CONNECTION_LOST', text, { delivered: 'unknown' });
    for (const channel of this.#channels) channel.end(error);
  }
}

class MemoryChannel implements Transport {
  readonly #context: TransportContext;
  readonly #handler: PeerHandler;
  readonly #onend: () => void;
  readonly #waiting: string[] = [];
  #delivering: Promise<void> | undefined;
  #ended = false;

  constructor(context: TransportContext, handler: PeerHandler, onend: () => void) {
    this.#context = context;
    this.#handler = handler;
    this.#onend = onend;
  }

  send(envelope: Envelope): void {
    if (this.#ended) throw new ConnectorError('MCPC_CONNECTION_LOST', 'The channel is closed.');
    const text = envelope.bytes.toString();
    // A wire takes its time: nobody is answered from within `send`.
    setImmediate(() => {
      if (!this.#ended) this.#handler(text, (answer) => this.#say(answer));
    });
  }

  async close(): Promise<void> {
    this.end();
  }

  end(error?: ConnectorError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting.length = 0;
    this.#onend();
    this.#context.onclose(error);
  }

  #say(text: string): Promise<void> | undefined {
    if (this.#ended) return undefined;
    this.#waiting.push(text);
    return (this.#delivering ??= this.#deliver());
  }

  async #deliver(): Promise<void> {
    for (let text = this.#waiting.shift(); text !== undefined; text = this.#waiting.shift())
      await this.#context.onmessage(Envelope.read(Buffer.from(text)));
    this.#delivering = undefined;
  }
}
