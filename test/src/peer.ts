import type { Endpoint, JSONRPCMessage } from '@mcp-connect/core';

/** Says one message, given as JSON text, to whoever sent the message that is being handled. */
export type Say = (text: string) => void | Promise<void>;

/** What a peer does with each message that reaches it, given as the JSON text that came over the wire. */
export type PeerHandler = (text: string, say: Say) => void;

/** A peer that is being served. */
export interface Served {
  /** Where a transport reaches it. */
  readonly endpoint: Endpoint;
  /** Breaks every connection off at once, as a crash would; the peer goes on listening. */
  cut?(): void;
  /** Ends all connections and stops listening. */
  close(): Promise<void>;
}

/** A message as peers and tests look at it: every member may be missing. */
export interface PeerMessage {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Writes a message down as JSON text, with the protocol's version in it. */
export function textOf(message: object): string {
  return JSON.stringify({ jsonrpc: '2.0', ...message } as JSONRPCMessage);
}
