import { DEFAULT_SETTINGS, LOG_LEVELS, type Flags, type FlagValues } from '@mcp-connect/core';

/** The longest time that a timer can take, in milliseconds: a longer one goes off at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

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

/** The values of {@link COMMON_FLAGS}. */
export type CommonValues = FlagValues<typeof COMMON_FLAGS>;

/** The flag of commands whose result a program may want to read. */
export const JSON_FLAG = {
  json: { type: 'boolean', summary: 'Print the result as JSON.', env: 'MCP_CONNECT_JSON' },
} as const;
