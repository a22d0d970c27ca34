import { causeCodeOf, ConnectorError, reasonOf, type ErrorCode, type ErrorData } from '@mcp-connect/core';

/** Why a step failed. */
export interface Failure {
  /** A code of ours, or the JSON-RPC code of an error that the server sent. */
  readonly code: ErrorCode | number;
  readonly message: string;
  readonly hint?: string;
  /** The code by which the system or TLS names the reason, such as `ECONNREFUSED`. */
  readonly cause?: string;
  /** How often it was tried in vain, where it was tried at all. */
  readonly attempts?: number;
}

/** What the SDK makes of an error reply: its `McpError`, known by its members so that the SDK need not be loaded. */
interface SdkError extends Error {
  readonly code: number;
  readonly data?: unknown;
}

/** How the SDK reports that it has waited for too long, and what it puts before the server's own words. */
const SDK_TIMEOUT = -32_001;
const SDK_PREFIX = /^MCP error -?\d+: /;

/** Reads why something failed from whatever was thrown. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof ConnectorError) {
    const { code, message, hint, cause } = thrown;
    return failure({ code, message, hint, cause: causeCodeOf(cause) });
  }
  if (!isSdkError(thrown)) return { code: 'MCPC_BAD_RESPONSE', message: reasonOf(thrown) };
  const message = thrown.message.replace(SDK_PREFIX, '');
  const { data, code } = thrown;
  if (isOurs(data)) {
    return failure({
      code: data.code,
      message,
      hint: data.hint,
      cause: data.cause,
      attempts: data.attempts?.length,
    });
  }
  if (code === SDK_TIMEOUT) return { code: 'MCPC_TIMEOUT', message: 'There was no answer in time.' };
  return { code, message, hint: 'The server itself said so; its own log may tell more' };
}

/** True when the server answered, and said no. */
export function isRefusal({ code }: Failure): boolean {
  return typeof code === 'number';
}

type Loose<T> = { [K in keyof T]: T[K] | undefined };

function failure({
  code,
  message,
  ...rest
}: Pick<Failure, 'code' | 'message'> & Loose<Partial<Failure>>): Failure {
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { code, message, ...Object.fromEntries(given) };
}

function isSdkError(thrown: unknown): thrown is SdkError {
  return thrown instanceof Error && typeof (thrown as Partial<SdkError>).code === 'number';
}

function isOurs(data: unknown): data is ErrorData {
  return typeof data === 'object' && data !== null && (data as Partial<ErrorData>).source === 'mcp-connect';
}
