import { isIP, type LookupFunction } from 'node:net';
import type { ExchangeEvents } from './connection.js';

/** One HTTP request, as it goes to one address. */
export interface Sending extends ExchangeEvents {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** True for what never queues behind requests. */
  readonly urgent: boolean;
}

/** A request on its way. */
export interface Sent {
  /** Gives it up and closes its connection. */
  abort(): void;
  /** True once it has a connection to travel on. */
  readonly hasLeft: boolean;
}

/** What puts requests to one origin on the wire. */
export interface Sender {
  send(sending: Sending): Sent;
  /** Drops the connections that are kept for later. */
  rest(): void;
  /** Drops every connection. */
  close(): void;
}

/** How connections are kept. */
export interface Keeping {
  /** Milliseconds for which an unused connection is kept. */
  readonly idle: number;
  /** Requests above this number wait for a free connection, unless they are urgent. */
  readonly most: number;
}

/** Finds every name at one address; Host and the name in TLS stay those of the URL. */
export function alwaysAt(ip: string): LookupFunction {
  const family = isIP(ip);
  return (_name, { all }, found) => {
    if (all === true) found(null, [{ address: ip, family }]);
    else found(null, ip, family);
  };
}
