import { ConnectorError, reasonOf } from '@mcp-connect/core';

/** What to type when a connection fails, by the code that node gives. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Start the server, or check host and port of the endpoint',
  ENOTFOUND: 'Check the host name of the endpoint',
  EAI_AGAIN: 'Check the host name of the endpoint and the network',
  EPROTO:
    'The server may not speak TLS: try http:// instead of https://. Or it asks who we are: give --cert FILE and --key FILE',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another name: give that name with --servername NAME',
  CERT_HAS_EXPIRED: 'The server has to renew its certificate',
};
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Refusals of our certificate, which in TLS 1.3 come only after our side of the handshake is done (RFC 8446 section
 * 4.4.2.4). Nothing that we sent has been read.
 */
const UNWELCOME = new Set([
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
]);

/**
 * Says what a failure of a connection means for the request that it carried, or was to carry.
 *
 * @param connected whether the request may have left
 */
export function connectionError(cause: Error, label: string, connected: boolean): ConnectorError {
  // A pool of connections knows better where it did not come through.
  if (cause instanceof ConnectorError) return cause;
  const code = codeOf(cause);
  if (connected && !UNWELCOME.has(code)) {
    return new ConnectorError('MCPC_CONNECTION_LOST', `${label} broke the connection: ${reasonOf(cause)}`, {
      cause,
      delivered: 'unknown',
    });
  }
  const hint = hintFor(code);
  return new ConnectorError('MCPC_CONNECT', `No connection to ${label}: ${reasonOf(cause)}`, {
    cause,
    ...(hint !== undefined && { hint }),
  });
}

function hintFor(code: string): string | undefined {
  if (UNTRUSTED.has(code)) {
    return 'The certificate is not trusted: give the authority that signed it with --ca FILE';
  }
  if (UNWELCOME.has(code))
    return 'The server wants another certificate of ours: give --cert FILE and --key FILE';
  return HINTS[code];
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return (error as NodeJS.ErrnoException).code ?? '';
}
