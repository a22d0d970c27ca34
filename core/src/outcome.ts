import { ConnectorError, toConnectorError } from './errors.js';
import type { Attempt } from './contract.js';
import type { Call } from './ledger.js';

/**
 * Makes of any failure of an attempt one that says whether the request may have had its effect: an error that says
 * nothing of it may have had one, once the message had left.
 *
 * @param sent whether the attempt may have reached the server
 */
export function judged(error: unknown, sent: boolean): ConnectorError {
  if (sent) return toConnectorError(error, 'MCPC_CONNECTION_LOST', { delivered: 'unknown' });
  const failure = toConnectorError(error, 'MCPC_CONNECT');
  if (failure.delivered !== 'unknown') return failure;
  // What got lost was a request of our own, to begin the session anew: the client's never left.
  const { code, message, hint, status } = failure;
  return new ConnectorError(code, message, {
    cause: failure,
    ...(hint !== undefined && { hint }),
    ...(status !== undefined && { status }),
  });
}

/** Tells whether any attempt at a request may have had its effect, the one that the error ended included. */
export function mayHaveRun(error: ConnectorError, attempts: readonly Attempt[]): boolean {
  return error.delivered === 'unknown' || attempts.some((attempt) => attempt.error.delivered === 'unknown');
}

/** Words an error for the log. The authors of a plugin look for the place where it failed. */
export function detailOf({ code, message, cause }: ConnectorError): string {
  return code === 'MCPC_PLUGIN' && cause instanceof Error && cause.stack
    ? `${message}\n${cause.stack}`
    : message;
}

/**
 * Tells whether an error leaves it open what became of a request. An answer that is merely too large was given, and says
 * more than that its outcome is unknown.
 */
export function isUnclear({ delivered, code }: ConnectorError): boolean {
  return delivered === 'unknown' && code !== 'MCPC_TOO_LARGE';
}

/** Words the end of a request that may have been carried out. */
export function outcomeUnknown(call: Call, cause: ConnectorError): ConnectorError {
  const what = `${call.envelope.method} was sent, but its outcome is unknown`;
  return new ConnectorError('MCPC_OUTCOME_UNKNOWN', `${what}: ${cause.message}`, {
    cause,
    delivered: 'unknown',
    hint: 'Check at the server whether it was carried out before sending it again',
  });
}
