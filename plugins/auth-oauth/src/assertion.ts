import { readFile } from 'node:fs/promises';
import { ConnectorError, outputOf, reasonOf, splitCommand, type Log } from '@mcp-connect/core';
import type { CryptoKey, JWK } from 'jose';
import type { Config } from './config.js';

/** How long an assertion of ours holds, in seconds. */
const LIFE = 60;

/**
 * Signs who we are with the private key in a file: PEM (PKCS #8) or a JSON Web Key (RFC 7523 section 2.2).
 *
 * @throws ConnectorError `MCPC_SIGN_IN` when the file holds no key that can sign
 */
export async function clientAssertion(
  file: string,
  { clientId, audience }: { clientId: string; audience: string },
): Promise<string> {
  const { SignJWT } = await import('jose');
  const { key, alg, kid } = await readKey(file);
  return new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg, ...(kid !== undefined && { kid }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(`${LIFE}s`)
    .sign(key);
}

interface SigningKey {
  readonly key: CryptoKey;
  readonly alg: string;
  readonly kid: string | undefined;
}

/** Algorithms to try for a key that does not name its own, the most common one first. */
const ALGORITHMS = ['ES256', 'RS256', 'EdDSA', 'ES384', 'ES512'];

async function readKey(file: string): Promise<SigningKey> {
  const { importJWK, importPKCS8 } = await import('jose');
  let reason: unknown = 'it is no private key in PKCS #8 or JSON Web Key form';
  try {
    const text = (await readFile(file, 'utf8')).trim();
    const jwk = text.startsWith('{') ? (JSON.parse(text) as JWK) : undefined;
    for (const alg of jwk?.alg === undefined ? ALGORITHMS : [jwk.alg]) {
      try {
        const key = jwk === undefined ? await importPKCS8(text, alg) : await importJWK(jwk, alg);
        return { key: key as CryptoKey, alg, kid: jwk?.kid };
      } catch {
        // It is a key for another algorithm.
      }
    }
  } catch (error) {
    reason = reasonOf(error);
  }
  throw new ConnectorError('MCPC_SIGN_IN', `The private key in ${file} cannot be used: ${String(reason)}.`, {
    hint: 'Give a key with --oauth-private-key FILE, for example from openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256',
  });
}

/** How long a command may take to print an assertion, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Reads the assertion that the platform or the enterprise gave us, from a file or from what a command prints.
 *
 * @throws ConnectorError `MCPC_SIGN_IN` when there is none
 */
export async function readAssertion({ assertionFile, assertionCommand }: Config, log: Log): Promise<string> {
  const hint = 'Give --oauth-assertion-file FILE, or --oauth-assertion-command COMMAND which prints it';
  if (assertionFile === undefined && assertionCommand === undefined) {
    throw new ConnectorError('MCPC_SIGN_IN', 'No assertion is given to sign in with.', { hint });
  }
  const text =
    assertionFile === undefined ? await printedBy(assertionCommand!, log) : await textOf(assertionFile, hint);
  const assertion = text.trim();
  if (assertion === '') throw new ConnectorError('MCPC_SIGN_IN', 'The assertion is empty.', { hint });
  log.hide(assertion);
  return assertion;
}

async function textOf(file: string, hint: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConnectorError('MCPC_SIGN_IN', `The assertion cannot be read: ${reasonOf(cause)}.`, {
      cause,
      hint,
    });
  }
}

function printedBy(command: string, log: Log): Promise<string> {
  const source = '--oauth-assertion-command';
  return outputOf(splitCommand(command, { source }), {
    source,
    code: 'MCPC_SIGN_IN',
    timeout: PATIENCE,
    log,
  });
}
