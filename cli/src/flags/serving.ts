import type { Flags } from '@mcp-connect/core';
import { COMMON_FLAGS } from './flags.js';

/** The flags of `proxy`. */
export const PROXY_FLAGS = {
  endpoint: {
    type: 'string',
    summary: 'Where the server is: https://…, tcp://host:port, tls://host:port, unix:/path or stdio:command.',
    env: 'MCP_CONNECT_ENDPOINT',
    valueName: 'URL',
  },
  transport: {
    type: 'string',
    summary:
      'How to reach an endpoint that does not say so itself: http, sse, stdio, tcp, or one of a plugin.',
    env: 'MCP_CONNECT_TRANSPORT',
    valueName: 'NAME',
  },
  ...COMMON_FLAGS,
} as const satisfies Flags;

/** The flags of `auth-proxy`: those of `proxy`, and short names for what is known of the authorization server. */
export const AUTH_PROXY_FLAGS = {
  ...PROXY_FLAGS,
  'client-id': {
    type: 'string',
    env: 'MCP_CONNECT_CLIENT_ID',
    summary: 'Client id that was registered at the authorization server.',
    valueName: 'ID',
  },
  'client-secret': {
    type: 'string',
    env: 'MCP_CONNECT_CLIENT_SECRET',
    secret: true,
    summary: 'Secret of that client, where it has one.',
    valueName: 'SECRET',
  },
  'auth-url': {
    type: 'string',
    env: 'MCP_CONNECT_AUTH_URL',
    summary: 'Sign-in page of the authorization server; with --token-url, nothing is looked up.',
    valueName: 'URL',
  },
  'token-url': {
    type: 'string',
    env: 'MCP_CONNECT_TOKEN_URL',
    summary: 'Token endpoint of the authorization server.',
    valueName: 'URL',
  },
  'redirect-url': {
    type: 'string',
    env: 'MCP_CONNECT_REDIRECT_URL',
    summary: 'Where the sign-in page sends its answer, exactly as it was registered.',
    valueName: 'URL',
  },
  scopes: {
    type: 'string',
    list: true,
    env: 'MCP_CONNECT_SCOPES',
    summary: 'Scopes to ask for, with blanks or commas between.',
    valueName: 'SCOPES',
  },
} as const satisfies Flags;

/** The flags of the sign-in plugin, by the names that they have in `auth-proxy`. */
export const OAUTH_FLAGS = {
  'client-id': 'oauth-client-id',
  'client-secret': 'oauth-client-secret',
  'auth-url': 'oauth-auth-url',
  'token-url': 'oauth-token-url',
  'redirect-url': 'oauth-redirect-url',
  scopes: 'oauth-scopes',
} as const;

/** The flags of `load-balance`. */
export const LOAD_BALANCE_FLAGS = {
  endpoints: {
    type: 'string',
    list: true,
    summary: 'Where the servers are, with commas between them.',
    env: 'MCP_CONNECT_ENDPOINTS',
    valueName: 'URL,URL,…',
  },
  'endpoints-file': {
    type: 'string',
    path: true,
    summary: 'File that names further servers, one a line; it is read again when it changes, and at SIGHUP.',
    env: 'MCP_CONNECT_ENDPOINTS_FILE',
    valueName: 'FILE',
  },
  transport: {
    type: 'string',
    summary: 'How to reach endpoints that do not say so themselves.',
    env: 'MCP_CONNECT_TRANSPORT',
    valueName: 'NAME',
    default: 'http',
  },
  affinity: {
    type: 'string',
    summary:
      'What of a session stays on one server: all of it, nothing, or what may depend on what the server keeps for it.',
    env: 'MCP_CONNECT_AFFINITY',
    options: ['auto', 'session', 'none'],
    default: 'auto',
  },
  equivalence: {
    type: 'string',
    summary:
      'What becomes of a server that differs in version, capabilities or tools: no requests, a warning, or nothing.',
    env: 'MCP_CONNECT_EQUIVALENCE',
    options: ['strict', 'warn', 'off'],
    default: 'strict',
  },
  ...COMMON_FLAGS,
} as const satisfies Flags;
