import type { ConnectorError, JSONRPCMessage } from '@mcp-connect/core';
import type { Answer } from './direction.js';
import { HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION } from './modern.js';

/** Which of the two ways to speak MCP: `legacy` begins with `initialize`, `modern` describes every message. */
export type Era = 'legacy' | 'modern';

/** Errors that only a modern server sends (2026-07-28 basic/index, Error Codes). */
const MODERN_ERRORS = new Set([HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION]);

/** Statuses by which HTTP servers turn down a message of an era that they do not know (2026-07-28 streamable-http). */
const REFUSALS = new Set([400, 404, 405]);

/** What a server answers to `server/discover` (2026-07-28 server/discover). */
export interface Discovered {
  readonly supportedVersions: readonly string[];
  readonly capabilities?: Readonly<Record<string, unknown>>;
  readonly instructions?: string;
  /** Where early drafts of the revision had it. */
  readonly serverInfo?: unknown;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** Tells a modern server's word from the puzzlement of a legacy one, in the answer to `server/discover`. */
export function eraOf(answer: Answer): Era {
  const { error } = answer;
  if (error !== undefined) return MODERN_ERRORS.has(error.code) ? 'modern' : 'legacy';
  return discoveredIn(answer) === undefined ? 'legacy' : 'modern';
}

/** The answer to `server/discover` when it is one. */
export function discoveredIn({ result }: Answer): Discovered | undefined {
  return Array.isArray(result?.['supportedVersions']) ? (result as unknown as Discovered) : undefined;
}

/**
 * Tells whether a failed opener says that the server does not know its era. A want of rights, a limit, an outage and
 * silence over HTTP say nothing of it.
 */
export function isRefusal(error: ConnectorError): boolean {
  return error.code === 'MCPC_HTTP_STATUS' && REFUSALS.has(error.status ?? 0);
}

/** The body of a response. */
export function answerOf(message: JSONRPCMessage | undefined): Answer {
  return (message ?? {}) as Answer;
}
