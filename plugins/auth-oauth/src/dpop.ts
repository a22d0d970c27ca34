import type { JsonWebKey } from 'node:crypto';
import type { JWK } from 'jose';

/** What one proof is for. */
export interface ProofRequest {
  readonly method: string;
  readonly url: string;
  /** What the server asked to repeat (RFC 9449 section 8). */
  readonly nonce?: string | undefined;
  /** The token that the request carries; left out at the token endpoint. */
  readonly accessToken?: string;
}

/** Makes a key that tokens can be bound to. */
export async function makeKey(): Promise<JsonWebKey> {
  const { exportJWK, generateKeyPair } = await import('jose');
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return (await exportJWK(privateKey)) as JsonWebKey;
}

/** Names a key by its hash (RFC 7638). */
export async function thumbprintOf(key: JsonWebKey): Promise<string> {
  const { calculateJwkThumbprint } = await import('jose');
  return calculateJwkThumbprint(key as JWK);
}

/** Returns a function that makes a fresh proof for every request (RFC 9449 section 4.2). */
export function proofs(key: JsonWebKey): (request: ProofRequest) => Promise<string> {
  const { d: _private, ...publicKey } = key;
  return async ({ method, url, nonce, accessToken }) => {
    const { importJWK, SignJWT } = await import('jose');
    const bare = new URL(url);
    bare.search = bare.hash = '';
    return new SignJWT({
      jti: crypto.randomUUID(),
      htm: method,
      htu: bare.href,
      ...(nonce !== undefined && { nonce }),
      ...(accessToken !== undefined && { ath: await hashOf(accessToken) }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: publicKey as JWK })
      .setIssuedAt()
      .sign(await importJWK(key as JWK, 'ES256'));
  };
}

async function hashOf(text: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  return createHash('sha256').update(text).digest('base64url');
}
