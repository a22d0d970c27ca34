import { ConnectorError, reasonOf, type Endpoint } from '@mcp-connect/core';

const TRUST = 'Trust the authority that signed its certificate with --ca FILE';
const SHOW = 'Show a certificate that the server accepts with --cert FILE and --key FILE';
const LISTEN = 'Check that the server runs and listens there';
const PLAIN = 'The server does not seem to speak TLS there: try tcp:// in place of tls://';

/** What to do about a failure, by the code that Node gives it. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: LISTEN,
  ENOENT: LISTEN,
  ENOTFOUND: 'Check the spelling of the host name',
  EAI_AGAIN: 'Check the host name and your connection to the network',
  EACCES: 'Check the permissions of the socket file',
  SELF_SIGNED_CERT_IN_CHAIN: TRUST,
  DEPTH_ZERO_SELF_SIGNED_CERT: TRUST,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TRUST,
  UNABLE_TO_GET_ISSUER_CERT: TRUST,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: TRUST,
  CERT_HAS_EXPIRED: 'Have the certificate of the server renewed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Name the host as its certificate does, with --servername NAME',
  ERR_SSL_WRONG_VERSION_NUMBER: PLAIN,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: PLAIN,
};

/**
 * Alerts by which a server refuses us for our certificate. Under TLS 1.3 they come only after our side of the
 * handshake is complete (RFC 8446 section 4.4.2.4), yet nothing that was sent has been read.
 */
const REFUSED = new Set([
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
  'ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
  'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
]);

/** Says that no connection came about, and what to do. */
export function connectFailure({ label }: Endpoint, cause: unknown): ConnectorError {
  const code = codeOf(cause);
  const hint = REFUSED.has(code) ? SHOW : (HINTS[code] ?? LISTEN);
  return new ConnectorError('MCPC_CONNECT', `No connection to ${label}: ${reasonOf(cause)}`, { cause, hint });
}

/** Says that an open connection ended, with the error that ended it where there was one. */
export function connectionLoss(endpoint: Endpoint, cause: unknown): ConnectorError {
  if (REFUSED.has(codeOf(cause))) return connectFailure(endpoint, cause);
  const how = cause === undefined ? 'closed the connection.' : `ended the connection: ${reasonOf(cause)}`;
  return new ConnectorError('MCPC_CONNECTION_LOST', `${endpoint.label} ${how}`, {
    cause,
    delivered: 'unknown',
  });
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code);
}
