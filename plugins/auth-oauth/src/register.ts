import { ConnectorError } from '@mcp-connect/core';
import type { Config } from './config.js';
import { hintAt } from './discover.js';
import type { AuthorizationServer, ClientAuthMethod, ClientIdentity } from './model.js';
import { refusalIn } from './refusal.js';
import { unusable, type Web } from './web.js';

/** What an identity is looked for with. */
export interface IdentityQuestion {
  readonly web: Web;
  readonly server: AuthorizationServer;
  readonly config: Config;
  /** The identity that an earlier sign-in at this very issuer had. */
  readonly known?: ClientIdentity | undefined;
  /** Where the answer of the authorization server is awaited; left out where none is. */
  readonly redirectUri?: string;
  readonly scopes: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Finds who we are to an authorization server: what the user gave, what was registered before, our metadata document,
 * or a dynamic registration (2026-07-28 basic/authorization, Client Registration).
 *
 * @throws ConnectorError `MCPC_SIGN_IN` when there is no way to become a client
 */
export async function identify(question: IdentityQuestion): Promise<ClientIdentity> {
  const { server, config, known } = question;
  if (config.clientId !== undefined) return staticIdentity(config, server);
  if (known?.origin === 'registered' && stillFits(known, question)) return known;
  if (config.metadataUrl !== undefined && server.takesMetadataDocuments) {
    return { id: config.metadataUrl, authMethod: 'none', origin: 'metadata-document' };
  }
  if (server.registrationEndpoint !== undefined && config.grant !== 'client-credentials') {
    return register(question, server.registrationEndpoint);
  }
  throw new ConnectorError('MCPC_SIGN_IN', `${server.issuer} does not register clients by itself.`, {
    hint: 'Register mcp-connect there by hand and give --oauth-client-id ID, with --oauth-client-secret SECRET if it has one',
  });
}

/** A client as the user gives it. */
export interface ClientProof {
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly privateKeyFile?: string | undefined;
}

/** Returns the identity that the user gave. */
export function staticIdentity(
  { clientId = '', clientSecret, privateKeyFile }: ClientProof,
  { tokenAuthMethods }: AuthorizationServer,
): ClientIdentity {
  const base = { id: clientId, origin: 'static' as const };
  if (privateKeyFile !== undefined) return { ...base, authMethod: 'private_key_jwt' };
  if (clientSecret === undefined) return { ...base, authMethod: 'none' };
  return { ...base, secret: clientSecret, authMethod: secretMethod(tokenAuthMethods) };
}

/** `client_secret_basic` holds where nothing is said (RFC 8414 section 2). */
function secretMethod(methods: readonly string[] | undefined): ClientAuthMethod {
  const basic = methods === undefined || methods.includes('client_secret_basic');
  return basic || !methods.includes('client_secret_post') ? 'client_secret_basic' : 'client_secret_post';
}

function stillFits(known: ClientIdentity, { redirectUri }: IdentityQuestion): boolean {
  if (known.secretExpiresAt !== undefined && known.secretExpiresAt <= Date.now()) return false;
  return redirectUri === undefined || known.redirectUri === redirectUri;
}

/** Registers at a server (RFC 7591). A registration that a redirect URI is refused for says so. */
async function register(
  { web, server, redirectUri, scopes, signal, config }: IdentityQuestion,
  endpoint: string,
): Promise<ClientIdentity> {
  const wanted = registrationMethod(server.tokenAuthMethods);
  const metadata = {
    client_name: 'mcp-connect',
    // Loopback addresses are those of a native program (2026-07-28, SEP-837).
    application_type: 'native',
    redirect_uris: redirectUri === undefined ? [] : [redirectUri],
    grant_types: grantTypes(config, redirectUri),
    response_types: redirectUri === undefined ? [] : ['code'],
    token_endpoint_auth_method: wanted,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  };
  const reply = await web.request(web.address(endpoint, 'the registration endpoint'), {
    what: 'the registration endpoint',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
    signal,
  });
  const { client_id: id, client_secret: secret, token_endpoint_auth_method: given } = reply.json ?? {};
  if (reply.status !== 201 && reply.status !== 200) {
    const { error, text } = refusalIn(reply.json, reply.status);
    const about =
      error === 'invalid_redirect_uri' ? ` the address ${redirectUri} for its answers` : ' us as a client';
    const hint =
      'Register mcp-connect there by hand and give --oauth-client-id ID and --oauth-redirect-url URL';
    throw new ConnectorError('MCPC_SIGN_IN', `${server.issuer} refuses${about} ${text}.`, {
      hint: error === undefined ? hintAt(server, hint) : hint,
    });
  }
  if (typeof id !== 'string' || id === '')
    throw unusable(`${server.issuer} registered us without a client id`);
  const expires = reply.json?.['client_secret_expires_at'];
  return {
    id,
    origin: 'registered',
    authMethod: authMethodOf(given, typeof secret === 'string' ? wanted : 'none'),
    ...(typeof secret === 'string' && secret !== '' && { secret }),
    ...(redirectUri !== undefined && { redirectUri }),
    ...(typeof expires === 'number' && expires > 0 && { secretExpiresAt: expires * 1000 }),
  };
}

function grantTypes({ grant }: Config, redirectUri: string | undefined): string[] {
  if (grant === 'device-code') return ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'];
  return redirectUri === undefined
    ? ['urn:ietf:params:oauth:grant-type:jwt-bearer']
    : ['authorization_code', 'refresh_token'];
}

/** A program on the user's machine keeps no secret, so it is a public client wherever it may be. */
function registrationMethod(methods: readonly string[] | undefined): ClientAuthMethod {
  return methods === undefined || methods.includes('none') ? 'none' : secretMethod(methods);
}

const AUTH_METHODS: readonly ClientAuthMethod[] = ['none', 'client_secret_basic', 'client_secret_post'];

function authMethodOf(given: unknown, otherwise: ClientAuthMethod): ClientAuthMethod {
  return AUTH_METHODS.find((method) => method === given) ?? otherwise;
}
