import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type JsonWebKey,
} from 'node:crypto';
import type { Credentials } from '@mcp-connect/core';

/** What one proof is for. */
export interface ProofRequest {
  readonly method: string;
  readonly url: URL;
  /** What the server asked to repeat (RFC 9449 section 8). */
  readonly nonce?: string | undefined;
  /** The token that the request carries; left out at the token endpoint. */
  readonly accessToken?: string;
}

/** Makes a key that tokens can be bound to. */
export function makeKey(): JsonWebKey {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
}

/** Names a key by its hash (RFC 7638). */
export function thumbprintOf({ crv, kty, x, y }: JsonWebKey): string {
  return hashOf(JSON.stringify({ crv, kty, x, y }));
}

/** Returns a function that makes a fresh proof for every request (RFC 9449 section 4.2). */
export function proofs(jwk: JsonWebKey): (request: ProofRequest) => string {
  const { crv, kty, x, y } = jwk;
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  const header = encode({ alg: 'ES256', typ: 'dpop+jwt', jwk: { crv, kty, x, y } });
  return ({ method, url, nonce, accessToken }) => {
    const claims = encode({
      jti: randomUUID(),
      htm: method,
      htu: url.origin + url.pathname,
      iat: Math.floor(Date.now() / 1000),
      nonce,
      ath: accessToken === undefined ? undefined : hashOf(accessToken),
    });
    const signed = `${header}.${claims}`;
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  };
}

/** Makes the proofs for messages. Reading a key takes longer than signing with it, so it is read once. */
export class Prover {
  /** What the server last asked to repeat. */
  nonce: string | undefined;
  #last: { readonly key: JsonWebKey; readonly prove: ReturnType<typeof proofs> } | undefined;

  /** Returns what proves that we hold the key which a token is bound to. */
  with(key: JsonWebKey, accessToken: string): NonNullable<Credentials['prove']> {
    if (this.#last?.key !== key) this.#last = { key, prove: proofs(key) };
    const { prove } = this.#last;
    return (request) => ({ dpop: prove({ ...request, accessToken, nonce: this.nonce }) });
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
