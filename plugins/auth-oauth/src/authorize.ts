import { createHash, randomBytes } from 'node:crypto';
import type { AuthorizationServer, ClientIdentity } from './model.js';
import { Refusal, refusalIn } from './refusal.js';
import { unusable, type Web } from './web.js';

/** One request for authorization, with what its answer is checked against. */
export interface AuthorizationRequest {
  /** The page where the user signs in. */
  readonly page: URL;
  readonly state: string;
  /** The secret whose hash went with the request (RFC 7636). */
  readonly verifier: string;
  readonly redirectUri: string;
  /** Who must have answered; noted before the user is sent there (2026-07-28, SEP-2468). */
  readonly server: AuthorizationServer;
}

/** What an authorization is asked for with. */
export interface AuthorizationQuestion {
  readonly web: Web;
  readonly server: AuthorizationServer;
  readonly client: ClientIdentity;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** The `resource` parameter; left out for servers of 2025-03-26. */
  readonly audience: string | undefined;
  /** Parameters that the user adds. */
  readonly extra: Readonly<Record<string, string>>;
  /** The thumbprint of the key that tokens will be bound to (RFC 9449 section 10). */
  readonly dpopThumbprint?: string | undefined;
}

/** Parameters that are ours: their values are what the answer is checked against. */
const OURS = new Set([
  'response_type',
  'client_id',
  'redirect_uri',
  'state',
  'code_challenge',
  'code_challenge_method',
]);

/**
 * Makes a request for authorization: with PKCE, which the server must say that it checks, and with the resource
 * (2026-07-28 basic/authorization).
 *
 * @throws ConnectorError `MCPC_AUTH_SERVER` when the server does not check PKCE or has no page for the user
 */
export function requestAuthorization(question: AuthorizationQuestion): AuthorizationRequest {
  const { web, server, client, redirectUri, scopes, audience, extra } = question;
  const { issuer, source, codeChallengeMethods, authorizationEndpoint } = server;
  if (source === 'metadata' && codeChallengeMethods?.includes('S256') !== true) {
    throw unusable(`${issuer} does not say that it checks PKCE with S256, so codes could be stolen`);
  }
  if (authorizationEndpoint === undefined) throw unusable(`${issuer} has no page for signing in`);
  const page = web.address(authorizationEndpoint, 'the sign-in page');
  const state = random();
  const verifier = random();
  const params: Record<string, string | undefined> = {
    response_type: 'code',
    client_id: client.id,
    redirect_uri: redirectUri,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    scope: scopes.length > 0 ? scopes.join(' ') : undefined,
    // OpenID Connect gives long access only with the user's word (Core section 11).
    prompt: scopes.includes('offline_access') ? 'consent' : undefined,
    resource: audience,
    dpop_jkt: question.dpopThumbprint,
  };
  for (const [name, value] of Object.entries(extra)) if (!OURS.has(name)) params[name] = value;
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) page.searchParams.set(name, value);
  }
  return { page, state, verifier, redirectUri, server };
}

/**
 * Returns the code in an authorization response, after checking who sent it: `state`, then `iss` by the table of
 * RFC 9207 as 2026-07-28 has it. A response that fails this is neither acted on nor shown.
 *
 * @throws ConnectorError `MCPC_SIGN_IN` when the server or the user refused, `MCPC_AUTH_SERVER` when the response is
 *   not from the server that was asked
 */
export function readAuthorization(answer: URLSearchParams, { state, server }: AuthorizationRequest): string {
  const { issuer, namesItself } = server;
  if (answer.get('state') !== state) throw unusable(`an answer came that does not belong to this sign-in`);
  const from = answer.get('iss');
  if (from === null ? namesItself : from !== issuer) {
    throw unusable(`the answer does not prove that it is from ${issuer}`);
  }
  const error = answer.get('error');
  if (error !== null) {
    const { text } = refusalIn(Object.fromEntries(answer));
    throw new Refusal(`${issuer} did not sign you in ${text}.`, { error, hint: HINTS[error] ?? HINT });
  }
  const code = answer.get('code');
  if (code === null || code === '') throw unusable(`${issuer} answered without a code`);
  return code;
}

const HINT = 'Try again, or sign in by hand with mcp-connect login --endpoint URL';
const HINTS: Readonly<Record<string, string>> = {
  access_denied: 'Consent was denied: try again and agree, or use another account with --profile NAME',
  invalid_scope: 'Name the scopes yourself with --oauth-scopes "ONE TWO"',
  unauthorized_client: 'Register mcp-connect there by hand and give --oauth-client-id ID',
  invalid_client: 'Register mcp-connect there by hand and give --oauth-client-id ID',
  invalid_target: 'Name the resource yourself with --oauth-resource URL',
};

function random(): string {
  return randomBytes(32).toString('base64url');
}
