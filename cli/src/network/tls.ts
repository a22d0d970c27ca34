import { readFileSync } from 'node:fs';
import { ConnectorError, reasonOf, type Log, type TlsSettings } from '@mcp-connect/core';
import type { CommonValues } from '../flags/flags.js';

/** The first line of every entry in a PEM file (RFC 7468). */
const PEM = /^-----BEGIN [A-Z0-9 ]+-----/m;

/** The same of a certificate (RFC 7468 section 5), also as OpenSSL wrote and writes it. */
const CERTIFICATE = /^-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/m;
const CA_HINT = "Give --ca the PEM file with the authority's certificate, not its key";

/** What newer versions of `node:tls` have beside those that this package is compiled for. */
interface Authorities {
  getCACertificates?(kind: 'default' | 'system'): string[];
  setDefaultCACertificates?(certificates: readonly string[]): void;
}

/**
 * Trusts the authorities of the operating system beside those of Node.js, in all of this process, where this Node.js
 * can read them.
 *
 * @param tls `node:tls`, or a stand-in for it
 */
export function trustSystem(tls: Authorities, log: Log): void {
  if (tls.getCACertificates === undefined || tls.setDefaultCACertificates === undefined) return;
  try {
    const all = new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')]);
    tls.setDefaultCACertificates([...all]);
  } catch (error) {
    log.warn?.('the authorities that the system trusts cannot be read: %s', reasonOf(error));
  }
}

/**
 * Reads what the flags say about TLS.
 *
 * @throws ConnectorError `MCPC_USAGE` naming the flag whose file cannot be used
 */
export async function tlsOf(values: CommonValues): Promise<TlsSettings> {
  const tls: { -readonly [K in keyof TlsSettings]: TlsSettings[K] } = {};
  for (const name of ['ca', 'cert', 'key'] as const) {
    const path = values[name];
    if (path !== undefined) tls[name] = readPem(name, path);
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const [given, missing] = tls.cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new ConnectorError('MCPC_USAGE', `--${given} is given without --${missing}.`, {
      hint: `A client certificate needs both: add --${missing} FILE`,
    });
  }
  if (values.servername !== undefined) tls.servername = values.servername;
  if (values.insecure) tls.rejectUnauthorized = false;
  await checkTls(tls);
  return tls;
}

/** Certificates and keys that do not fit or cannot be read are told at start, not at the first connection. */
async function checkTls({ ca, cert, key }: TlsSettings): Promise<void> {
  if (ca === undefined && cert === undefined) return;
  const { createSecureContext } = await import('node:tls');
  try {
    createSecureContext({ ca, cert, key });
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `--ca, --cert and --key cannot be used: ${reasonOf(cause)}`, {
      cause,
      hint: 'Check that the files are whole, and that --key belongs to --cert and has no passphrase',
    });
  }
}

function readPem(flag: string, path: string): string {
  const hint = `Give --${flag} the path of a readable PEM file`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `The file of --${flag} cannot be read: ${reasonOf(cause)}`;
    throw new ConnectorError('MCPC_USAGE', message, { cause, hint });
  }
  if (!PEM.test(text))
    throw new ConnectorError('MCPC_USAGE', `The file of --${flag} holds nothing in PEM form.`, { hint });
  // OpenSSL passes over what is no certificate, and nobody would be trusted then.
  if (flag === 'ca' && !CERTIFICATE.test(text))
    throw new ConnectorError('MCPC_USAGE', 'The file of --ca holds no certificate.', { hint: CA_HINT });
  return text;
}
