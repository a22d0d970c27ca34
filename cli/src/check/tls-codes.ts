/** Codes of Node.js and OpenSSL for certificates that no known authority vouches for. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The certificate is for another host. */
export const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

/** What answers speaks no TLS at all; which of the two it is depends on the version of Node.js. */
const NO_TLS = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

/** Whether naming the authority would help. */
export function isUntrusted(code: string | undefined): boolean {
  return code !== undefined && UNTRUSTED.has(code);
}

/** Whether the other side does not speak TLS. */
export function isNoTls(code: string | undefined): boolean {
  return code !== undefined && NO_TLS.has(code);
}
