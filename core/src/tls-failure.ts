import { causeCodeOf, reasonOf } from './errors.js';

/**
 * What is wrong where TLS fails. `untrusted`: nobody whom we know vouches for the certificate. `wrong-name`: it is for
 * another host. `invalid`: it has expired, is not valid yet, or is unfit otherwise. `unwelcome`: the server wants
 * another certificate of ours, or one at all. `no-tls`: what answers does not speak TLS.
 */
export type TlsFault = 'untrusted' | 'wrong-name' | 'invalid' | 'unwelcome' | 'no-tls';

/** A failure of TLS, in words for people. */
export interface TlsFailure {
  readonly fault: TlsFault;
  /** What failed, to stand behind a colon. */
  readonly reason: string;
  /** What to type next. */
  readonly hint: string;
}

/** Codes of Node.js for certificates that it does not accept, and of OpenSSL for what the other side says or is. */
const FAULTS: Readonly<Record<string, TlsFault>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted',
  CERT_UNTRUSTED: 'untrusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
  HOSTNAME_MISMATCH: 'wrong-name',
  CERT_HAS_EXPIRED: 'invalid',
  CERT_NOT_YET_VALID: 'invalid',
  CERT_SIGNATURE_FAILURE: 'invalid',
  CERT_CHAIN_TOO_LONG: 'invalid',
  CERT_REVOKED: 'invalid',
  CERT_REJECTED: 'invalid',
  INVALID_CA: 'invalid',
  INVALID_PURPOSE: 'invalid',
  PATH_LENGTH_EXCEEDED: 'invalid',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'unwelcome',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'unwelcome',
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: 'unwelcome',
  // Before TLS 1.3 no alert was for a missing certificate alone.
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'unwelcome',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'unwelcome',
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: 'unwelcome',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'unwelcome',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: 'unwelcome',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'unwelcome',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no-tls',
};

const HINTS: Readonly<Record<Exclude<TlsFault, 'no-tls'>, string>> = {
  untrusted:
    'Trust the authority that signed the certificate with --ca FILE, or take any certificate with --insecure, for a trial',
  'wrong-name': 'Give the name that the certificate is for with --servername NAME',
  invalid:
    'The server has to get another certificate, unless the clock here is wrong; --insecure takes this one, for a trial',
  unwelcome: 'Show a certificate that the server accepts with --cert FILE and --key FILE',
};

/** What servers say that want a certificate, where the alert itself is hard to make out. */
const WORDS: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the server asks for a client certificate',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'the server refuses the TLS handshake, as one does that misses a client certificate',
};

/**
 * Tells what TLS failed for, by the code of an error or of its cause; undefined where it did not fail for good. None of
 * these heals by waiting. Refusals of our certificate come under TLS 1.3 only after our side of the handshake is done
 * (RFC 8446 section 4.4.2.4), yet nothing that was sent has been read.
 *
 * @param plain the scheme to try where the server does not speak TLS
 */
export function tlsFailureOf(error: unknown, plain: 'http' | 'tcp'): TlsFailure | undefined {
  const code = causeCodeOf(error) ?? '';
  const fault = tlsFaultOf(code);
  if (fault === undefined) return undefined;
  const hint = fault === 'no-tls' ? withoutTls(plain) : HINTS[fault];
  return { fault, reason: WORDS[code] ?? reasonOf(error), hint };
}

/** Tells what an error code says of TLS; undefined where it says nothing. */
export function tlsFaultOf(code: string): TlsFault | undefined {
  return Object.hasOwn(FAULTS, code) ? FAULTS[code] : undefined;
}

function withoutTls(plain: 'http' | 'tcp'): string {
  const secure = plain === 'http' ? 'https' : 'tls';
  return `The server does not seem to speak TLS there: try ${plain}:// in place of ${secure}://`;
}
