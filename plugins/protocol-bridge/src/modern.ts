import type { Envelope } from '@mcp-connect/core';

/** The modern revision that the bridge speaks. */
export const MODERN = '2026-07-28';

/** The revisions that begin with `initialize`, the newest first. */
export const LEGACY = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

/** Prefix of the `_meta` keys by which a modern message describes itself (2026-07-28 basic/index, _meta). */
const PREFIX = 'io.modelcontextprotocol/';

export const VERSION_KEY = `${PREFIX}protocolVersion`;
export const CLIENT_INFO_KEY = `${PREFIX}clientInfo`;
export const CAPABILITIES_KEY = `${PREFIX}clientCapabilities`;
export const LOG_LEVEL_KEY = `${PREFIX}logLevel`;
export const SERVER_INFO_KEY = `${PREFIX}serverInfo`;
export const SUBSCRIPTION_KEY = `${PREFIX}subscriptionId`;

/** The extension by which a modern server may answer with a task (SEP-2663). */
export const TASKS = 'io.modelcontextprotocol/tasks';

/** Errors of 2026-07-28 (basic/index, Error Codes). */
export const HEADER_MISMATCH = -32_020;
export const MISSING_CAPABILITY = -32_021;
export const UNSUPPORTED_VERSION = -32_022;
/** Errors of JSON-RPC 2.0 (section 5.1). */
export const METHOD_NOT_FOUND = -32_601;
export const INVALID_PARAMS = -32_602;
export const INTERNAL_ERROR = -32_603;

/** True for a message that describes itself as a modern one does, however badly. */
export function isModern(envelope: Envelope): boolean {
  // A search of the bytes is cheaper than a parse, and a legacy message does not hold the key.
  if (!envelope.bytes.includes(VERSION_KEY)) return false;
  const meta = (envelope.parsed as { params?: { _meta?: unknown } } | undefined)?.params?._meta;
  return typeof meta === 'object' && meta !== null && VERSION_KEY in meta;
}
