import { reasonOf } from '@mcp-connect/core';
import { tokenClientFor, type TokenClientParts } from './attempt.js';
import type { SignIn } from './model.js';

/** What became of tokens that were to be taken back. */
export type Revocation = 'revoked' | 'not-offered' | 'failed';

/**
 * Asks an authorization server to take the tokens of a sign-in back (RFC 7009): the refresh token, which ends what was
 * granted with it, and the access token. Never throws: signing out must work while the server is down.
 */
export async function revoke(
  { server, client, tokens, dpopKey }: SignIn,
  parts: Pick<TokenClientParts, 'web' | 'log' | 'config'>,
): Promise<Revocation> {
  const { revocationEndpoint } = server;
  if (revocationEndpoint === undefined || tokens === undefined) return 'not-offered';
  const sender = tokenClientFor({ ...parts, server, dpopKey }, client);
  const all = [
    ['refresh_token', tokens.refreshToken],
    ['access_token', tokens.accessToken],
  ] as const;
  let revoked = true;
  for (const [token_type_hint, token] of all) {
    if (token === undefined) continue;
    try {
      const what = 'the revocation endpoint';
      const reply = await sender.send(revocationEndpoint, { token, token_type_hint }, { what });
      revoked &&= reply.status === 200;
    } catch (error) {
      parts.log.debug?.('%s was not taken back: %s', token_type_hint, reasonOf(error));
      revoked = false;
    }
  }
  return revoked ? 'revoked' : 'failed';
}
