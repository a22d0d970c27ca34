import { ConnectorError, type Flags, type FlagValues } from '@mcp-connect/core';
import type { Config } from './config.js';
import { defined } from './defined.js';

/** The flags of this plugin. */
export const FLAGS = {
  profile: {
    type: 'string',
    env: 'MCP_CONNECT_PROFILE',
    valueName: 'NAME',
    default: 'default',
    summary: 'Account to sign in with, by a name of your choice; each has a sign-in of its own.',
  },
  'no-browser': {
    type: 'boolean',
    env: 'MCP_CONNECT_NO_BROWSER',
    summary: 'Print the address of the sign-in page and open no browser.',
  },
  'auth-wait': {
    type: 'boolean',
    env: 'MCP_CONNECT_AUTH_WAIT',
    summary: 'Let requests wait for the sign-in, where otherwise they are answered with its address.',
  },
  'no-sign-in': {
    type: 'boolean',
    env: 'MCP_CONNECT_NO_SIGN_IN',
    summary: 'Use a sign-in that is stored, and fail where there is none instead of asking for one.',
  },
  'callback-port': {
    type: 'integer',
    min: 1,
    max: 65_535,
    env: 'MCP_CONNECT_CALLBACK_PORT',
    valueName: 'PORT',
    summary: 'Port on which the answer of the sign-in page is awaited; defaults to any free one.',
  },
  'oauth-grant': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_GRANT',
    options: ['authorization-code', 'device-code', 'client-credentials', 'enterprise', 'workload-identity'],
    default: 'authorization-code',
    summary: 'How to sign in: with a browser, by a code on another device, or without a person.',
  },
  'oauth-client-id': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_CLIENT_ID',
    valueName: 'ID',
    summary: 'Client id that was registered by hand; otherwise mcp-connect registers itself.',
  },
  'oauth-client-secret': {
    type: 'string',
    secret: true,
    env: 'MCP_CONNECT_OAUTH_CLIENT_SECRET',
    valueName: 'SECRET',
    summary: 'Secret of that client, where it has one.',
  },
  'oauth-private-key': {
    type: 'string',
    path: true,
    env: 'MCP_CONNECT_OAUTH_PRIVATE_KEY',
    valueName: 'FILE',
    summary: 'Private key of that client instead of a secret (private_key_jwt), in PKCS #8 or JWK form.',
  },
  'oauth-client-metadata-url': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_CLIENT_METADATA_URL',
    valueName: 'URL',
    summary: 'Client ID Metadata Document to name as the client, where the server takes them.',
  },
  'oauth-scopes': {
    type: 'string',
    list: true,
    env: 'MCP_CONNECT_OAUTH_SCOPES',
    valueName: 'SCOPES',
    summary: 'Scopes to ask for, with blanks or commas between; defaults to those that the server names.',
  },
  'oauth-resource': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_RESOURCE',
    valueName: 'URL',
    summary: 'Resource to ask tokens for; defaults to what the server names, or the endpoint.',
  },
  'oauth-authorize-param': {
    type: 'string',
    pairs: '=',
    multiple: true,
    env: 'MCP_CONNECT_OAUTH_AUTHORIZE_PARAM',
    valueName: 'NAME=VALUE',
    summary: 'Parameter to add to the address of the sign-in page; may be repeated.',
  },
  'oauth-auth-url': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_AUTH_URL',
    valueName: 'URL',
    summary: 'Sign-in page of the authorization server; with --oauth-token-url, nothing is looked up.',
  },
  'oauth-token-url': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_TOKEN_URL',
    valueName: 'URL',
    summary: 'Token endpoint of the authorization server.',
  },
  'oauth-redirect-url': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_REDIRECT_URL',
    valueName: 'URL',
    summary: 'Where the sign-in page sends its answer, exactly as it was registered.',
  },
  'oauth-assertion-file': {
    type: 'string',
    path: true,
    env: 'MCP_CONNECT_OAUTH_ASSERTION_FILE',
    valueName: 'FILE',
    summary: 'File with the assertion (or, for enterprise, the identity token) to sign in with.',
  },
  'oauth-assertion-command': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_ASSERTION_COMMAND',
    valueName: 'COMMAND',
    summary: 'Command that prints that assertion.',
  },
  'oauth-idp-issuer': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_IDP_ISSUER',
    valueName: 'URL',
    summary: 'Identity provider of the enterprise, whose token endpoint is looked up.',
  },
  'oauth-idp-token-url': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_IDP_TOKEN_URL',
    valueName: 'URL',
    summary: 'Token endpoint of the identity provider, where it is not to be looked up.',
  },
  'oauth-idp-client-id': {
    type: 'string',
    env: 'MCP_CONNECT_OAUTH_IDP_CLIENT_ID',
    valueName: 'ID',
    summary: 'Client id at the identity provider; defaults to --oauth-client-id.',
  },
  'oauth-idp-client-secret': {
    type: 'string',
    secret: true,
    env: 'MCP_CONNECT_OAUTH_IDP_CLIENT_SECRET',
    valueName: 'SECRET',
    summary: 'Secret of the client at the identity provider.',
  },
  'oauth-dpop': {
    type: 'boolean',
    env: 'MCP_CONNECT_OAUTH_DPOP',
    summary: 'Bind tokens to a key of this machine (DPoP), where the server takes that.',
  },
} as const satisfies Flags;

/** The values of {@link FLAGS}. */
export type OAuthFlags = FlagValues<typeof FLAGS>;

/** What ids and secrets of clients are written in (RFC 6749 appendix A). */
const PLAIN = /^[\x20-\x7e]*$/;

/**
 * Reads the settings of a sign-in from the flags.
 *
 * @throws ConnectorError `MCPC_USAGE` naming the flag to mend
 */
export function readConfig(flags: OAuthFlags): Config {
  const address = (name: keyof OAuthFlags): string | undefined => addressOf(flags, name);
  const authUrl = address('oauth-auth-url');
  const tokenUrl = address('oauth-token-url');
  const redirectUrl = address('oauth-redirect-url');
  if (authUrl !== undefined && tokenUrl === undefined) {
    throw usage('--oauth-auth-url alone is not enough.', 'Give --oauth-token-url URL as well');
  }
  checkClient(flags, tokenUrl);
  for (const name of ['oauth-client-id', 'oauth-client-secret'] as const) {
    if (PLAIN.test(flags[name] ?? '')) continue;
    throw usage(`--${name} holds a letter that no client id or secret may hold.`, 'Copy it once more');
  }
  return defined({
    grant: flags['oauth-grant'],
    profile: flags.profile,
    asks: !flags['no-sign-in'],
    clientId: flags['oauth-client-id'],
    clientSecret: flags['oauth-client-secret'],
    metadataUrl: address('oauth-client-metadata-url'),
    privateKeyFile: flags['oauth-private-key'],
    scopes: flags['oauth-scopes']?.split(/[\s,]+/).filter((scope) => scope !== ''),
    resource: flags['oauth-resource'],
    authorizeParams: paramsOf(flags['oauth-authorize-param']),
    authUrl,
    tokenUrl,
    redirectUrl: redirectUrl === undefined ? undefined : new URL(redirectUrl),
    callbackPort: flags['callback-port'],
    assertionFile: flags['oauth-assertion-file'],
    assertionCommand: flags['oauth-assertion-command'],
    idp: defined({
      issuer: address('oauth-idp-issuer'),
      tokenUrl: address('oauth-idp-token-url'),
      clientId: flags['oauth-idp-client-id'],
      clientSecret: flags['oauth-idp-client-secret'],
    }),
    dpop: flags['oauth-dpop'],
  });
}

/** What can only fail once somebody signs in is told at start. */
function checkClient(flags: OAuthFlags, tokenUrl: string | undefined): void {
  const grant = flags['oauth-grant'];
  if (flags['oauth-client-id'] !== undefined) return;
  if (grant === 'client-credentials')
    throw usage('--oauth-grant client-credentials needs a client.', 'Give --oauth-client-id ID as well');
  // Nobody says where to register, and the assertion of a workload speaks for itself.
  if (tokenUrl !== undefined && grant !== 'workload-identity') {
    throw usage(
      '--oauth-token-url is given without --oauth-client-id, and there is nowhere to register.',
      'Give --oauth-client-id ID as well, or leave both addresses out, so that they are looked up',
    );
  }
  for (const name of ['oauth-client-secret', 'oauth-private-key'] as const) {
    if (flags[name] === undefined) continue;
    throw usage(`--${name} is given without --oauth-client-id.`, 'Give --oauth-client-id ID as well');
  }
}

function addressOf(flags: OAuthFlags, name: keyof OAuthFlags): string | undefined {
  const text = flags[name];
  if (typeof text !== 'string') return undefined;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw usage(`--${name} is no web address.`, `Write it as --${name} https://host/path`);
}

function paramsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw usage(`--oauth-authorize-param has no value.`, 'Write it as --oauth-authorize-param NAME=VALUE');
    }),
  );
}

function usage(message: string, hint: string): ConnectorError {
  return new ConnectorError('MCPC_USAGE', message, { hint });
}
