import type { Connection, ConnectionEvents, Exchange } from './connection.js';

/** How a pool of connections to one server is kept. */
export interface PoolOptions {
  /** Milliseconds for which an unused connection is kept. */
  readonly idle: number;
  /** Requests above this number wait for one that ends. */
  readonly most: number;
  /** Makes a connection. */
  connect(events: ConnectionEvents): Connection;
}

/** The connections to one server. Each carries one request at a time; what is unused is kept for the next one. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #connections = new Set<Connection>();
  /** Unused connections, the one used last at the end. */
  #idle: Connection[] = [];
  readonly #waiting: Exchange[] = [];
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Sends a request at once, or as soon as there is a connection for it. */
  send(exchange: Exchange): void {
    const busy = this.#connections.size - this.#idle.length;
    if (busy >= this.#options.most) this.#waiting.push(exchange);
    else this.#start(exchange);
  }

  /** Gives a request up: it leaves its queue, or its connection is closed. */
  abort(exchange: Exchange): void {
    const place = this.#waiting.indexOf(exchange);
    if (place !== -1) return void this.#waiting.splice(place, 1);
    for (const connection of this.#connections) if (connection.exchange === exchange) connection.destroy();
  }

  /** Whether a request has a connection to travel on. */
  hasLeft(exchange: Exchange): boolean {
    for (const connection of this.#connections)
      if (connection.exchange === exchange) return connection.connected;
    return !this.#waiting.includes(exchange);
  }

  /** Drops the unused connections. */
  rest(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Drops every connection. */
  close(): void {
    const waiting = this.#waiting.splice(0);
    clearTimeout(this.#sweep);
    this.#sweep = undefined;
    for (const connection of this.#connections) connection.destroy();
    for (const { onerror } of waiting) onerror(new Error('it was closed'), false);
  }

  #start(exchange: Exchange): void {
    const connection = this.#takeIdle() ?? this.#connect();
    connection.send(exchange);
  }

  #connect(): Connection {
    const connection = this.#options.connect({
      onfree: (freed) => this.#onfree(freed),
      onclose: (closed) => this.#onclose(closed),
    });
    this.#connections.add(connection);
    return connection;
  }

  #takeIdle(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.usable && this.#isFresh(connection)) {
        connection.keep(true);
        return connection;
      }
      connection.destroy();
    }
    return undefined;
  }

  #isFresh({ idleSince, patience }: Connection): boolean {
    return performance.now() - idleSince < Math.min(this.#options.idle, patience);
  }

  #onfree(connection: Connection): void {
    const next = this.#waiting.shift();
    if (next !== undefined) return connection.send(next);
    connection.idleSince = performance.now();
    connection.keep(false);
    this.#idle.push(connection);
    this.#planSweep();
  }

  #onclose(connection: Connection): void {
    this.#connections.delete(connection);
    this.#idle = this.#idle.filter((other) => other !== connection);
    const next = this.#waiting.shift();
    if (next !== undefined) this.send(next);
  }

  #planSweep(): void {
    this.#sweep ??= setTimeout(() => this.#sweepIdle(), this.#options.idle).unref();
  }

  /** Closes what nobody has used for too long. */
  #sweepIdle(): void {
    this.#sweep = undefined;
    const stale = this.#idle.filter((connection) => !this.#isFresh(connection));
    this.#idle = this.#idle.filter((connection) => !stale.includes(connection));
    for (const connection of stale) connection.destroy();
    if (this.#idle.length > 0) this.#planSweep();
  }
}
