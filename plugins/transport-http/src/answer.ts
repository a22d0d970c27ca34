import { ConnectorError, Envelope } from '@mcp-connect/core';
import type { Body } from './body.js';

/** How many servers made with the SDK refuse a session id that they do not know, where the norm asks for 404. */
const FORGOTTEN = { status: 400, codes: new Set([-32_000, -32_001]) };

/** Errors that only a modern server sends (2026-07-28 basic/index, Error Codes). */
const MODERN_ERRORS = new Set([-32_020, -32_021, -32_022]);

/** The JSON-RPC error in the body of a refusal, when it is meant for this request. */
export function errorIn(body: Body, request: Envelope, refusal: ConnectorError): Envelope | undefined {
  if (body instanceof ConnectorError || body.size === 0) return undefined;
  let envelope: Envelope;
  try {
    envelope = body.finish();
  } catch {
    return undefined;
  }
  // A large body is not looked at inside before; one that is malformed there says nothing of the outcome.
  if (envelope.kind !== 'response' || envelope.parsed === undefined) return undefined;
  if (envelope.key === request.key) return envelope;
  // A server that could not read the id leaves it out. Where the outcome is open, such an error decides nothing.
  const nameless =
    isNameless(envelope) && refusal.code === 'MCPC_HTTP_STATUS' && refusal.delivered === 'rejected';
  return nameless ? withIdOf(envelope, request) : undefined;
}

/** True for the error of a server that could not read the request's id, or did not say it (JSON-RPC 2.0 section 5). */
export function isNameless(envelope: Envelope): boolean {
  return envelope.id === undefined && 'error' in envelope.message;
}

/** The same error under the id of the request that it answers. */
export function withIdOf(envelope: Envelope, request: Envelope): Envelope {
  const { error } = envelope.message as { error?: unknown };
  return Envelope.read(
    Buffer.from(`{"jsonrpc":"2.0","id":${request.idText},"error":${JSON.stringify(error)}}`),
  );
}

/** A session that worked and is refused by a general error is one that the server has forgotten. */
export function isForgotten(answer: Envelope | undefined, refusal: ConnectorError): boolean {
  return (
    refusal.status === FORGOTTEN.status && answer !== undefined && FORGOTTEN.codes.has(errorCode(answer))
  );
}

/** The error that has a lost session begun anew. */
export function sessionLost(label: string, cause: ConnectorError): ConnectorError {
  const text = `${label} no longer knows the session (${cause.status}).`;
  return new ConnectorError('MCPC_SESSION_LOST', text, {
    cause,
    delivered: 'rejected',
    status: FORGOTTEN.status,
  });
}

function errorCode(answer: Envelope): number {
  return (answer.message as { error?: { code?: number } }).error?.code ?? 0;
}

/** True for a refusal of `initialize` that is a current server's own word, not the puzzlement of an older one. */
export function isFinal(answer: Envelope | undefined): boolean {
  return answer !== undefined && MODERN_ERRORS.has(errorCode(answer));
}
