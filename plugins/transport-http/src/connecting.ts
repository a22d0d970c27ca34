import { causeCodeOf, ConnectorError, reasonOf, tlsFailureOf } from '@mcp-connect/core';

/** What to type when a connection fails, by the code that node gives. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Start the server, or check host and port of the endpoint',
  ENOTFOUND: 'Check the host name of the endpoint',
  EAI_AGAIN: 'Check the host name of the endpoint and the network',
};

/**
 * Says what a failure of a connection means for the request that it carried, or was to carry.
 *
 * @param connected whether the request may have left
 */
export function connectionError(cause: Error, label: string, connected: boolean): ConnectorError {
  // A pool of connections knows better where it did not come through.
  if (cause instanceof ConnectorError) return cause;
  const tls = tlsFailureOf(cause, 'http');
  // A refusal of our certificate may come late.
  if (connected && tls?.fault !== 'unwelcome') {
    return new ConnectorError('MCPC_CONNECTION_LOST', `${label} broke the connection: ${reasonOf(cause)}`, {
      cause,
      delivered: 'unknown',
    });
  }
  const hint = tls?.hint ?? HINTS[causeCodeOf(cause) ?? ''];
  return new ConnectorError('MCPC_CONNECT', `No connection to ${label}: ${tls?.reason ?? reasonOf(cause)}`, {
    cause,
    ...(hint !== undefined && { hint }),
    lasting: tls !== undefined,
  });
}
