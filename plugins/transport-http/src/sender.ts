import { isIP, type LookupFunction } from 'node:net';
import { ConnectorError } from '@mcp-connect/core';
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
  hasLeft(): boolean;
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

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What may stand in a header: bytes as Latin-1 characters, without controls (RFC 9110 section 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Makes sure that a header can be sent as it is. Plugins need not be written in TypeScript, so it may be anything.
 *
 * @throws ConnectorError `MCPC_PLUGIN` where it cannot
 */
export function checkField(name: string, value: unknown): void {
  if (typeof value === 'string' && VALUE.test(value) && NAME.test(name)) return;
  throw new ConnectorError(
    'MCPC_PLUGIN',
    `The header ${JSON.stringify(name)} has a value that cannot be sent.`,
    { hint: 'Check what sets it: a header holds visible characters and no line breaks' },
  );
}

/** Finds every name at one address; Host and the name in TLS stay those of the URL. */
export function alwaysAt(ip: string): LookupFunction {
  const family = isIP(ip);
  return (_name, { all }, found) => {
    if (all === true) found(null, [{ address: ip, family }]);
    else found(null, ip, family);
  };
}
