import type { Envelope } from './envelope.js';

/** Where a modern request carries its protocol version (2026-07-28 basic/index, _meta). */
export const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';

/** Reads what a request of 2026-07-28 says of itself; undefined for one of a legacy session. */
export function modernMeta(request: Envelope): Record<string, unknown> | undefined {
  // A search of the bytes is cheaper than a parse, and most messages do not hold the key.
  if (!request.bytes.includes(VERSION_KEY)) return undefined;
  const { params } = (request.parsed ?? {}) as { params?: { _meta?: unknown } };
  const meta = params?._meta;
  const named = typeof meta === 'object' && meta !== null && VERSION_KEY in meta;
  return named ? (meta as Record<string, unknown>) : undefined;
}
