import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';

const LOOPBACK = '127.0.0.1';

/**
 * A free port of this machine that stays a server's own while the server is away. The system would give it to the next
 * server that asks for one, and clients that wait for the first would find the second.
 */
export class Place {
  readonly port: number;
  readonly #server: Server;
  #letGo: (() => Promise<void>) | undefined;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Has a server listen on a free port. */
  static async take(server: Server): Promise<Place> {
    await listen(server, 0);
    return new Place(server, (server.address() as AddressInfo).port);
  }

  /** Stops listening: connections are refused from now on. Those that are open must have been closed. */
  async leave(): Promise<void> {
    if (!this.#server.listening) return;
    await close(this.#server);
    this.#letGo = await hold(this.port);
  }

  /** Listens again. */
  async comeBack(): Promise<void> {
    await this.#release();
    if (!this.#server.listening) await listen(this.#server, this.port);
  }

  /** Stops listening for good. */
  async free(): Promise<void> {
    await this.#release();
    if (this.#server.listening) await close(this.#server);
  }

  async #release(): Promise<void> {
    const letGo = this.#letGo;
    this.#letGo = undefined;
    await letGo?.();
  }
}

/** Binds a port without listening, which only a connection from it can do. Returns how to let go of it. */
async function hold(localPort: number): Promise<() => Promise<void>> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: LOOPBACK, port, localAddress: LOOPBACK, localPort });
  // A port that somebody took in this very moment cannot be held.
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  return async () => {
    const closed = close(server);
    if (!socket.destroyed) socket.resetAndDestroy();
    await closed;
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, LOOPBACK);
  await once(server, 'listening');
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}
