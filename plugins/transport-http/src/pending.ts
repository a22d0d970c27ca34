import type { Envelope } from '@mcp-connect/core';
import type { Resumption } from './resumption.js';
import type { HttpRequest } from './wire.js';

/** A request whose answer has not come. */
export interface Pending {
  readonly envelope: Envelope;
  readonly modern: boolean;
  request: HttpRequest | undefined;
  resumption: Resumption | undefined;
  /** Breaks off a reply that can be taken up again where it ended. */
  renew?: () => void;
  /** The id of an answer that came in its reply, but that no request waits for. */
  stray: string | undefined;
  /** True until the server begins to reply. */
  waiting: boolean;
}
