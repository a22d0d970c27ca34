import { ConnectorError, toConnectorError } from '@mcp-connect/core';
import type { Asked } from './challenge.js';
import { defined } from './defined.js';
import type { AuthorizationServer } from './model.js';
import { canonicalUri } from './names.js';
import { unusable, type Web, type WebReply } from './web.js';

/** Where an MCP server says that one signs in for it. */
export interface Protection {
  /** The value for the `resource` parameter (RFC 8707). */
  readonly audience: string;
  /** The issuers of the authorization servers, the preferred one first. */
  readonly issuers: readonly string[];
  /** All scopes that the resource knows (RFC 9728 section 2). */
  readonly scopes?: readonly string[];
  /** False where the server has no metadata, as in 2025-03-26. */
  readonly described: boolean;
}

/** Endpoints of an authorization server that the user named. */
export interface GivenEndpoints {
  readonly authUrl?: string;
  readonly tokenUrl?: string;
}

/** Discovery tells the newest revision that we know, as 2025-03-26 asks for some revision. */
const HEADERS = { 'mcp-protocol-version': '2026-07-28' };

/**
 * Finds out where to sign in for an endpoint (RFC 9728; 2025-11-25 and 2026-07-28 basic/authorization): the address in
 * the challenge, then the well-known addresses for the path and for the root. A server without metadata is its own
 * authorization server, as in 2025-03-26.
 *
 * @throws ConnectorError `MCPC_AUTH_SERVER` when the metadata is about another server
 */
export async function discoverProtection(
  web: Web,
  endpoint: URL,
  { asked, signal }: { asked: Asked; signal: AbortSignal },
): Promise<Protection> {
  for (const url of protectionAddresses(web, endpoint, asked)) {
    const reply = await web.request(url, { what: 'the resource metadata', headers: HEADERS, signal });
    if (reply.status !== 200 || reply.json === undefined) continue;
    return readProtection(reply.json, endpoint, url);
  }
  return { audience: canonicalUri(endpoint), issuers: [endpoint.origin], described: false };
}

function protectionAddresses(web: Web, { origin, pathname }: URL, { resourceMetadata }: Asked): URL[] {
  const named =
    resourceMetadata === undefined
      ? []
      : [web.address(resourceMetadata, 'the address of the resource metadata')];
  const root = `${origin}/.well-known/oauth-protected-resource`;
  const path = pathname === '/' ? [] : [new URL(root + pathname)];
  return [...named, ...path, new URL(root)];
}

function readProtection(json: Readonly<Record<string, unknown>>, endpoint: URL, from: URL): Protection {
  const { resource } = json;
  if (typeof resource !== 'string' || !covers(resource, endpoint)) {
    throw unusable(
      `the metadata at ${from.origin}${from.pathname} is about ${typeof resource === 'string' ? resource : 'no resource'}, not about ${canonicalUri(endpoint)}`,
    );
  }
  const scopes = texts(json['scopes_supported']);
  const issuers = texts(json['authorization_servers']) ?? [];
  return {
    audience: resource,
    issuers: issuers.length > 0 ? issuers : [endpoint.origin],
    ...(scopes !== undefined && { scopes }),
    described: true,
  };
}

/** A resource may stand for all that is below it (RFC 9728 section 3.3 wants the same one; servers name their root). */
function covers(resource: string, endpoint: URL): boolean {
  if (!URL.canParse(resource)) return false;
  const { origin, pathname } = new URL(resource);
  const folder = pathname.endsWith('/') ? pathname : `${pathname}/`;
  return origin === endpoint.origin && `${endpoint.pathname}/`.startsWith(folder);
}

/**
 * Fetches the metadata of an authorization server and checks it, trying the addresses in the order of 2025-11-25 and
 * 2026-07-28: RFC 8414, then OpenID Connect Discovery in both forms.
 *
 * @throws ConnectorError `MCPC_AUTH_SERVER` when there is none or it must not be used
 */
export async function discoverServer(
  web: Web,
  { issuers, described }: Protection,
  signal: AbortSignal,
): Promise<AuthorizationServer> {
  let failed: ConnectorError | undefined;
  for (const issuer of issuers) {
    try {
      const server = await fetchServer(web, issuer, signal);
      if (server !== undefined) return server;
    } catch (error) {
      signal.throwIfAborted();
      // Another server that may be used is better than an error, but a lie is told.
      if (error instanceof ConnectorError && error.code === 'MCPC_AUTH_SERVER') throw error;
      failed ??= toConnectorError(error, 'MCPC_CONNECT');
    }
  }
  if (failed !== undefined) throw failed;
  const [issuer = ''] = issuers;
  if (described) throw unusable(`${issuer} has no authorization server metadata`);
  return assumedServer(issuer);
}

async function fetchServer(
  web: Web,
  issuer: string,
  signal: AbortSignal,
): Promise<AuthorizationServer | undefined> {
  for (const url of serverAddresses(web.address(issuer, 'the name of the authorization server'))) {
    const reply = await web.request(url, { what: 'the server metadata', headers: HEADERS, signal });
    if (isDocument(reply)) return readServer(web, reply.json, issuer);
  }
  return undefined;
}

function isDocument(reply: WebReply): reply is WebReply & { json: Readonly<Record<string, unknown>> } {
  return reply.status === 200 && reply.json !== undefined;
}

function serverAddresses({ origin, pathname }: URL): URL[] {
  const oauth = '/.well-known/oauth-authorization-server';
  const openid = '/.well-known/openid-configuration';
  const path = pathname.replace(/\/$/, '');
  const paths = path === '' ? [oauth, openid] : [oauth + path, openid + path, path + openid];
  return paths.map((each) => new URL(origin + each));
}

function readServer(web: Web, json: Readonly<Record<string, unknown>>, issuer: string): AuthorizationServer {
  const own = json['issuer'];
  if (typeof own !== 'string' || !sameIssuer(own, issuer)) {
    throw unusable(
      `the metadata of ${issuer} says that it is of ${typeof own === 'string' ? own : 'nobody'}`,
    );
  }
  const address = (name: string): string | undefined => {
    const value = json[name];
    if (value === undefined || value === null) return undefined;
    web.address(value, `the ${name.replaceAll('_', ' ')} of ${issuer}`);
    return value as string;
  };
  const list = (name: string): readonly string[] | undefined => texts(json[name]);
  const tokenEndpoint = address('token_endpoint');
  if (tokenEndpoint === undefined) throw unusable(`the metadata of ${issuer} names no token endpoint`);
  return defined({
    issuer: own,
    source: 'metadata' as const,
    authorizationEndpoint: address('authorization_endpoint'),
    tokenEndpoint,
    registrationEndpoint: address('registration_endpoint'),
    revocationEndpoint: address('revocation_endpoint'),
    deviceAuthorizationEndpoint: address('device_authorization_endpoint'),
    scopesSupported: list('scopes_supported'),
    codeChallengeMethods: list('code_challenge_methods_supported'),
    tokenAuthMethods: list('token_endpoint_auth_methods_supported'),
    dpopAlgorithms: list('dpop_signing_alg_values_supported'),
    namesItself: json['authorization_response_iss_parameter_supported'] === true,
    takesMetadataDocuments: json['client_id_metadata_document_supported'] === true,
  });
}

/** RFC 8414 section 3.3 wants the same string. An origin with and without its slash is the same by RFC 3986. */
function sameIssuer(own: string, asked: string): boolean {
  if (own === asked) return true;
  return new URL(asked).pathname === '/' && own.replace(/\/$/, '') === asked.replace(/\/$/, '');
}

/** Returns the authorization server that the user named by its endpoints, which makes discovery needless. */
export function givenServer({ authUrl, tokenUrl }: GivenEndpoints): AuthorizationServer | undefined {
  if (tokenUrl === undefined) return undefined;
  return {
    issuer: new URL(tokenUrl).origin,
    source: 'given',
    ...(authUrl !== undefined && { authorizationEndpoint: authUrl }),
    tokenEndpoint: tokenUrl,
    namesItself: false,
    takesMetadataDocuments: false,
  };
}

/** The endpoints that 2025-03-26 gives to servers without metadata. */
function assumedServer(origin: string): AuthorizationServer {
  return {
    issuer: origin,
    source: 'assumed',
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    registrationEndpoint: `${origin}/register`,
    namesItself: false,
    takesMetadataDocuments: false,
  };
}

/**
 * Says what to type next where a sign-in failed. A server that nowhere says how one signs in, and does not sign in as
 * such servers did in 2025-03-26 either, most likely takes a plain token.
 */
export function hintAt({ source }: AuthorizationServer, hint: string): string {
  if (source !== 'assumed') return hint;
  return `Give a token with --auth-token TOKEN, for this server does not say how one signs in. If it has a sign-in: ${hint}`;
}

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : undefined;
}
