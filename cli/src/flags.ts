import { DEFAULT_SETTINGS, LOG_LEVELS, type Flags, type FlagValues } from '@mcp-connect/core';

/** A longer timer goes off at once, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A value of one flag, whatever its kind; undefined when it is neither given nor has a default. */
export type Value = string | number | boolean | readonly string[] | undefined;

/** Values by flag name. Flags that may be repeated always have a list, and booleans are always there. */
export type Values = Readonly<Record<string, Value>>;

/** The flags that every serving command has, as plain data: parsers, help, completion and docs derive from them. */
export const COMMON_FLAGS = {
  timeout: {
    type: 'integer',
    summary: 'Seconds for connecting and for the first answer.',
    env: 'MCP_CONNECT_TIMEOUT',
    valueName: 'SECONDS',
    default: DEFAULT_SETTINGS.timeout / 1000,
    min: 1,
    max: Math.floor(LONGEST_TIMER / 1000),
  },
  'retry-attempts': {
    type: 'integer',
    summary: 'How often a request is sent in all to servers that received it.',
    env: 'MCP_CONNECT_RETRY_ATTEMPTS',
    valueName: 'NUMBER',
    default: DEFAULT_SETTINGS.retryAttempts,
    min: 1,
  },
  'retry-delay': {
    type: 'integer',
    summary: 'Milliseconds before a second attempt; the base of longer waits.',
    env: 'MCP_CONNECT_RETRY_DELAY',
    valueName: 'MILLISECONDS',
    default: DEFAULT_SETTINGS.retryDelay,
    min: 0,
    max: LONGEST_TIMER,
  },
  'retry-tools': {
    type: 'string',
    summary:
      'Tool calls that may be repeated when their outcome is unknown: none, those that the server calls harmless, or all.',
    env: 'MCP_CONNECT_RETRY_TOOLS',
    options: ['never', 'annotated', 'all'],
    default: 'annotated',
  },
  'request-timeout': {
    type: 'integer',
    summary: 'Seconds for which the reply to a request may be silent; unlimited unless given.',
    env: 'MCP_CONNECT_REQUEST_TIMEOUT',
    valueName: 'SECONDS',
    min: 1,
    max: Math.floor(LONGEST_TIMER / 1000),
  },
  'max-request-time': {
    type: 'integer',
    summary: 'Seconds after which a request is given up in any case; unlimited unless given.',
    env: 'MCP_CONNECT_MAX_REQUEST_TIME',
    valueName: 'SECONDS',
    min: 1,
    max: Math.floor(LONGEST_TIMER / 1000),
  },
  pool: {
    type: 'integer',
    summary: 'Connections to each endpoint that is reached over tcp, tls or unix.',
    env: 'MCP_CONNECT_POOL',
    valueName: 'NUMBER',
    default: 1,
    min: 1,
    max: 1_000,
  },
  'max-message-size': {
    type: 'integer',
    summary: 'Largest message in bytes, either way.',
    env: 'MCP_CONNECT_MAX_MESSAGE_SIZE',
    valueName: 'BYTES',
    default: DEFAULT_SETTINGS.maxMessageSize,
    min: 1,
  },
  ca: {
    type: 'string',
    path: true,
    summary: 'PEM file with the certificates of authorities to trust instead of the built-in ones.',
    env: 'MCP_CONNECT_CA',
    valueName: 'FILE',
  },
  cert: {
    type: 'string',
    path: true,
    summary: 'PEM file with the certificate chain that shows who we are.',
    env: 'MCP_CONNECT_CERT',
    valueName: 'FILE',
  },
  key: {
    type: 'string',
    path: true,
    summary: 'PEM file with the private key of --cert.',
    env: 'MCP_CONNECT_KEY',
    valueName: 'FILE',
  },
  servername: {
    type: 'string',
    summary: "Name that the server's certificate must carry, when it differs from the endpoint's host.",
    env: 'MCP_CONNECT_SERVERNAME',
    valueName: 'HOST',
  },
  insecure: {
    type: 'boolean',
    summary: 'Take any certificate of a server. Anyone on the way can then read and change everything.',
    env: 'MCP_CONNECT_INSECURE',
  },
  proxy: {
    type: 'string',
    summary:
      'Forward proxy for all HTTP connections (http, https, socks4, socks5), in place of HTTPS_PROXY, HTTP_PROXY and ALL_PROXY.',
    env: 'MCP_CONNECT_PROXY',
    valueName: 'URL',
  },
  'no-proxy': {
    type: 'string',
    list: true,
    summary: 'Hosts to reach without the proxy, with commas between, in place of NO_PROXY; * for all.',
    env: 'MCP_CONNECT_NO_PROXY',
    valueName: 'HOSTS',
  },
  ipv4: {
    type: 'boolean',
    summary: 'Connect to IPv4 addresses only.',
    env: 'MCP_CONNECT_IPV4',
  },
  ipv6: {
    type: 'boolean',
    summary: 'Connect to IPv6 addresses only.',
    env: 'MCP_CONNECT_IPV6',
  },
  config: {
    type: 'string',
    path: true,
    summary: 'File with values for all of these flags, in YAML or JSON; a flag and a variable win over it.',
    env: 'MCP_CONNECT_CONFIG',
    valueName: 'FILE',
  },
  server: {
    type: 'string',
    summary: 'Which of the servers that the file of --config describes.',
    env: 'MCP_CONNECT_SERVER',
    valueName: 'NAME',
  },
  plugin: {
    type: 'string',
    summary: 'Plugin to load: a package name, or a path that begins with . or /. Repeat it, or use commas.',
    env: 'MCP_CONNECT_PLUGINS',
    valueName: 'NAME|PATH',
    multiple: true,
  },
  debug: {
    type: 'boolean',
    summary: 'Log what happens, as --log-level debug does, and show the log to the client as well.',
    env: 'MCP_CONNECT_DEBUG',
  },
  'log-level': {
    type: 'string',
    summary: 'How much is logged.',
    env: 'MCP_CONNECT_LOG_LEVEL',
    options: LOG_LEVELS,
    default: 'warn',
  },
  'log-file': {
    type: 'string',
    path: true,
    summary: 'File that also gets the log, with the time of every line. Old lines make room for new ones.',
    env: 'MCP_CONNECT_LOG_FILE',
    valueName: 'FILE',
  },
  'log-format': {
    type: 'string',
    summary: 'Form of the log on stderr and in --log-file: lines for people, or one JSON object a line.',
    env: 'MCP_CONNECT_LOG_FORMAT',
    options: ['text', 'json'],
    default: 'text',
  },
} as const satisfies Flags;

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

/** A flag of commands whose result a program may want to read. */
const JSON_FLAG = {
  json: { type: 'boolean', summary: 'Print the result as JSON.', env: 'MCP_CONNECT_JSON' },
} as const;

/** The flags of `login`: those of `proxy`, so that a line that works there works here. */
export const LOGIN_FLAGS = { ...PROXY_FLAGS, ...JSON_FLAG } as const satisfies Flags;

/** The flags of `logout`. */
export const LOGOUT_FLAGS = {
  ...LOGIN_FLAGS,
  all: {
    type: 'boolean',
    summary: 'End every sign-in, of all servers and profiles.',
    env: 'MCP_CONNECT_LOGOUT_ALL',
  },
} as const satisfies Flags;

/** The flags of `whoami`. */
export const WHOAMI_FLAGS = {
  ...LOGIN_FLAGS,
  verify: {
    type: 'boolean',
    summary: 'Ask the servers whether they still take the sign-ins.',
    env: 'MCP_CONNECT_VERIFY',
  },
} as const satisfies Flags;

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

/** What the commands that look at servers have in common: they answer sooner, and for programs too. */
const CHECK_FLAGS = {
  transport: LOAD_BALANCE_FLAGS.transport,
  ...COMMON_FLAGS,
  timeout: { ...COMMON_FLAGS.timeout, default: 10 },
  ...JSON_FLAG,
} as const satisfies Flags;

/** The flags of `test`. */
export const TEST_FLAGS = {
  endpoint: PROXY_FLAGS.endpoint,
  ...CHECK_FLAGS,
  call: {
    type: 'string',
    summary: 'Tool to call once all else has been looked at.',
    env: 'MCP_CONNECT_CALL',
    valueName: 'TOOL',
  },
  args: {
    type: 'string',
    summary: 'Arguments of the tool of --call, as a JSON object.',
    env: 'MCP_CONNECT_ARGS',
    valueName: 'JSON',
    default: '{}',
  },
} as const satisfies Flags;

/** The flags of `doctor`. */
export const DOCTOR_FLAGS = {
  endpoint: PROXY_FLAGS.endpoint,
  endpoints: LOAD_BALANCE_FLAGS.endpoints,
  ...CHECK_FLAGS,
} as const satisfies Flags;

/** The flags of `notification-demo`. */
export const DEMO_FLAGS = {
  count: {
    type: 'integer',
    summary: 'How many notifications are sent.',
    env: 'MCP_CONNECT_COUNT',
    valueName: 'NUMBER',
    default: 3,
    min: 1,
    max: 10_000,
  },
  interval: {
    type: 'integer',
    summary: 'Milliseconds between two notifications.',
    env: 'MCP_CONNECT_INTERVAL',
    valueName: 'MILLISECONDS',
    default: 1000,
    min: 0,
    max: LONGEST_TIMER,
  },
  debug: COMMON_FLAGS.debug,
  'log-level': COMMON_FLAGS['log-level'],
} as const satisfies Flags;

/**
 * The flags of `config` that are about a client's settings. They have no variables: they are about one change of one
 * file.
 */
export const CLIENT_FLAGS = {
  name: {
    type: 'string',
    summary: 'Name of the entry; that of --server, or one after the endpoint, unless given.',
    valueName: 'NAME',
  },
  scope: {
    type: 'string',
    summary: "Whose settings: the user's, or those of the project in this folder.",
    options: ['user', 'project'],
  },
  file: {
    type: 'string',
    summary: 'Settings file to change, in place of the usual one.',
    valueName: 'FILE',
  },
  write: { type: 'boolean', summary: 'Write the entry into the settings, and keep a copy of them.' },
  remove: {
    type: 'boolean',
    summary: 'Take the entry of --name out of the settings, and keep a copy of them.',
  },
  'dry-run': { type: 'boolean', summary: 'Show what --write or --remove would change, and change nothing.' },
  force: { type: 'boolean', summary: 'Replace another entry of the same name.' },
  json: { type: 'boolean', summary: 'Print the result as JSON.' },
} as const satisfies Flags;

/** The flags of `status`. */
export const STATUS_FLAGS = {
  json: { type: 'boolean', summary: 'Print JSON, one line a process.' },
} as const satisfies Flags;

/** The flags of `version`. */
export const VERSION_FLAGS = { ...JSON_FLAG } as const satisfies Flags;

/** The flags of `plugins`. */
export const PLUGINS_FLAGS = {
  plugin: {
    ...COMMON_FLAGS.plugin,
    summary: 'Plugin to list beside the others: a package or a path; may be repeated.',
  },
  ...JSON_FLAG,
} as const satisfies Flags;

/** The flags of `plugins create`. */
export const PLUGINS_CREATE_FLAGS = {
  kind: {
    type: 'string',
    summary: 'What the plugin is; must be given.',
    options: ['transport', 'auth', 'strategy', 'hook'],
  },
  dir: {
    type: 'string',
    summary: 'Folder to write to; the name without its scope where not given.',
    valueName: 'FOLDER',
  },
} as const satisfies Flags;

/** The values of {@link COMMON_FLAGS}. */
export type CommonValues = FlagValues<typeof COMMON_FLAGS>;
