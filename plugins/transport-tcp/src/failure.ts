import { causeCodeOf, ConnectorError, reasonOf, tlsFailureOf, type Endpoint } from '@mcp-connect/core';

const LISTEN = 'Check that the server runs and listens there';

/** What to do about a failure, by the code that Node gives it. */
const HINTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'Check the spelling of the host name',
  EAI_AGAIN: 'Check the host name and your connection to the network',
  EACCES: 'Check the permissions of the socket file',
};

/** Says that no connection came about, and what to do. */
export function connectFailure({ label }: Endpoint, cause: unknown): ConnectorError {
  const tls = tlsFailureOf(cause, 'tcp');
  const reason = tls?.reason ?? reasonOf(cause);
  return new ConnectorError('MCPC_CONNECT', `No connection to ${label}: ${reason}`, {
    cause,
    hint: tls?.hint ?? HINTS[causeCodeOf(cause) ?? ''] ?? LISTEN,
    lasting: tls !== undefined,
  });
}

/** Says that an open connection ended, with the error that ended it where there was one. */
export function connectionLoss(endpoint: Endpoint, cause: unknown): ConnectorError {
  // A refusal of our certificate may come late.
  if (tlsFailureOf(cause, 'tcp')?.fault === 'unwelcome') return connectFailure(endpoint, cause);
  const how = cause === undefined ? 'closed the connection.' : `ended the connection: ${reasonOf(cause)}`;
  return new ConnectorError('MCPC_CONNECTION_LOST', `${endpoint.label} ${how}`, {
    cause,
    delivered: 'unknown',
  });
}
