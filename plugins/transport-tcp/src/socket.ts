import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import {
  ConnectorError,
  LineChannel,
  reasonOf,
  type Envelope,
  type TlsSettings,
  type Transport,
  type TransportContext,
} from '@mcp-connect/core';
import { addressOf, type Address } from './address.js';
import { connectFailure, connectionLoss } from './failure.js';

/** How long a server may take to end its side once we have ended ours, in milliseconds. */
const PATIENCE = 2_000;

/** How long a connection is silent before the system asks whether the other side is still there, in milliseconds. */
const KEEP_ALIVE = 30_000;

/** An open connection as a transport, and where it led to. */
export interface Connection {
  readonly transport: Transport;
  /** The IP address of the server; undefined for a unix socket. */
  readonly remoteAddress: string | undefined;
}

/**
 * Connects to the server of an endpoint, over TLS where its scheme says so.
 *
 * @throws ConnectorError `MCPC_CONNECT`, or `MCPC_USAGE` when a certificate or key cannot be read
 */
export async function openConnection(context: TransportContext): Promise<Connection> {
  const { endpoint, settings, signal } = context;
  const address = addressOf(endpoint);
  const secure = endpoint.scheme === 'tls';
  const where = settings.family === undefined ? address : { ...address, family: settings.family };
  const socket = secure ? secureSocket(where, settings.tls) : net.connect(where);
  // What goes wrong between two listeners is told by `close`.
  socket.on('error', () => undefined);
  try {
    await once(socket, secure ? 'secureConnect' : 'connect', { signal });
  } catch (error) {
    socket.destroy();
    throw connectFailure(endpoint, error);
  }
  socket.setNoDelay();
  socket.setKeepAlive(true, KEEP_ALIVE);
  return { transport: new SocketTransport(socket, context), remoteAddress: socket.remoteAddress };
}

function secureSocket(address: Address, settings: TlsSettings): tls.TLSSocket {
  try {
    return tls.connect({ ...address, ...nameOf(address), ...settings });
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `A certificate or key cannot be read: ${reasonOf(cause)}`, {
      cause,
      hint: 'Give PEM files with --ca, --cert and --key',
    });
  }
}

/** The name by which a server chooses its certificate; an IP address is none (RFC 6066 section 3). */
function nameOf(address: Address): TlsSettings {
  return 'host' in address && net.isIP(address.host) === 0 ? { servername: address.host } : {};
}

/** Newline-delimited JSON over a socket: the framing of stdio (2026-07-28 basic/transports, Custom Transports). */
class SocketTransport implements Transport {
  readonly #socket: net.Socket;
  readonly #channel: LineChannel;
  readonly #closed: Promise<void>;
  #asked = false;
  #stopping: Promise<void> | undefined;

  constructor(socket: net.Socket, context: TransportContext) {
    this.#socket = socket;
    this.#channel = new LineChannel({ input: socket, output: socket, context });
    let failure: Error | undefined;
    const report = (): void =>
      this.#channel.close(this.#asked ? undefined : connectionLoss(context.endpoint, failure));
    socket.once('error', (error) => (failure = error));
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        report();
        resolve();
      });
    });
    // A server that has ended its side answers no more, though it may still read: all that it sent has been delivered,
    // and whatever waits learns of it now.
    void this.#channel.ended.then(() => {
      report();
      return this.#stop();
    });
  }

  send(envelope: Envelope): void {
    this.#channel.send(envelope);
  }

  drain(): Promise<void> | undefined {
    return this.#channel.drain();
  }

  /** A connection over a network may have died without a sign; one on this machine has slept along with both sides. */
  wake(): boolean {
    return this.#socket.remoteAddress !== undefined;
  }

  close(): Promise<void> {
    this.#asked = true;
    return this.#stop();
  }

  #stop(): Promise<void> {
    return (this.#stopping ??= this.#end());
  }

  /** Ends our side, still takes the server's last answers, and waits for it to end its own. */
  async #end(): Promise<void> {
    this.#channel.flush();
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), PATIENCE);
    await this.#closed;
    clearTimeout(timer);
  }
}
