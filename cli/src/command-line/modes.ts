import {
  commandEndpoint,
  ConnectorError,
  namesTransport,
  parseEndpoint,
  type ConnectorOptions,
  type Endpoint,
  type Flags,
  type FlagValues,
} from '@mcp-connect/core';
import { DOCTOR_FLAGS, TEST_FLAGS } from '../flags/checks.js';
import type { CommonValues, Values } from '../flags/flags.js';
import { AUTH_PROXY_FLAGS, LOAD_BALANCE_FLAGS, OAUTH_FLAGS, PROXY_FLAGS } from '../flags/serving.js';
import { readEndpointsFile } from '../serve/endpoints-file.js';

/** What sets one command that reaches servers apart from another. */
export interface Mode {
  /** The command. */
  readonly name: string;
  /** The command's own flags. */
  readonly flags: Flags;
  /** The packages of its built-in plugins, in the order in which they are applied. */
  readonly plugins: readonly string[];
  /**
   * Reads the endpoints from the command line.
   *
   * @param words the words after `--`
   * @throws ConnectorError `MCPC_USAGE` naming the flag to mend
   */
  endpoints(values: Values, words: readonly string[]): readonly Endpoint[];
  /** Works without any one of the servers that a configuration file describes. */
  readonly everyServer?: boolean;
  /** Names the file that the endpoints come from, where there is one that may change. */
  file?(values: Values): string | undefined;
  /** Reads how requests are spread over the endpoints. */
  spread(values: Values): Pick<ConnectorOptions, 'affinity' | 'equivalence'>;
  /**
   * Puts the values of the command's own flags where its plugins look for them.
   *
   * @throws ConnectorError `MCPC_USAGE` naming the flag to mend
   */
  forPlugins?(values: Values): Values;
}

const TRANSPORTS_AND_AUTH = [
  '@mcp-connect/transport-http',
  '@mcp-connect/transport-stdio',
  '@mcp-connect/transport-tcp',
  '@mcp-connect/auth-bearer',
  '@mcp-connect/auth-header',
  '@mcp-connect/auth-oauth',
] as const;

const EVERYWHERE = [...TRANSPORTS_AND_AUTH, '@mcp-connect/protocol-bridge'] as const;

const proxy: Mode = {
  name: 'proxy',
  flags: PROXY_FLAGS,
  plugins: [...EVERYWHERE, '@mcp-connect/strategy-fallback'],
  endpoints(values, words) {
    const { endpoint, transport } = values as FlagValues<typeof PROXY_FLAGS>;
    if (words.length > 0) return [localServer(words, endpoint, transport)];
    if (endpoint === undefined) {
      throw usage(
        'No --endpoint is given.',
        'Add --endpoint https://example.com/mcp, or -- and the command of a local server',
      );
    }
    return [namedEndpoint('endpoint', endpoint, transport)];
  },
  // Fallbacks wait for a failure, but connections of a pool are there to be used.
  spread: (values) => ({ affinity: (values as Values & CommonValues).pool > 1 ? 'auto' : 'session' }),
};

const authProxy: Mode = {
  ...proxy,
  name: 'auth-proxy',
  flags: AUTH_PROXY_FLAGS,
  forPlugins(values) {
    for (const name of ['auth-url', 'token-url', 'redirect-url']) checkAddress(name, values[name]);
    if (values['auth-url'] !== undefined && values['token-url'] === undefined)
      throw usage('--auth-url is given without --token-url.', 'Give --token-url URL as well');
    checkClient(values);
    const given = Object.entries(OAUTH_FLAGS).filter(([name]) => values[name] !== undefined);
    return { ...values, ...Object.fromEntries(given.map(([name, flag]) => [flag, values[name]])) };
  },
};

const loadBalance: Mode = {
  name: 'load-balance',
  flags: LOAD_BALANCE_FLAGS,
  plugins: [...EVERYWHERE, '@mcp-connect/strategy-round-robin'],
  endpoints(values, words) {
    const {
      endpoints = '',
      transport,
      'endpoints-file': file,
    } = values as FlagValues<typeof LOAD_BALANCE_FLAGS>;
    if (words.length > 0) {
      throw usage(
        'load-balance takes no command after --.',
        'Name every server in --endpoints, a local one as "stdio:command args"',
      );
    }
    const named = listOf(endpoints);
    const listed = file === undefined ? [] : readEndpointsFile(file);
    if (named.length + listed.length === 0) {
      throw usage(
        'No --endpoints are given.',
        'Add --endpoints "https://one.example/mcp,https://two.example/mcp"',
      );
    }
    const read = (flag: string, text: string): Endpoint =>
      namedEndpoint(flag, text, yielding(transport, text));
    return [
      ...named.map((text) => read('endpoints', text)),
      ...listed.map((text) => read('endpoints-file', text)),
    ];
  },
  file: (values) => (values as FlagValues<typeof LOAD_BALANCE_FLAGS>)['endpoints-file'],
  spread(values) {
    const { affinity, equivalence } = values as FlagValues<typeof LOAD_BALANCE_FLAGS>;
    return { affinity, equivalence };
  },
};

/** A check looks at what is there: it uses a stored sign-in, and neither asks for one nor answers in a server's stead. */
const forChecks = (values: Values): Values => ({ ...values, 'no-sign-in': true, 'auth-wait': true });

const test: Mode = {
  name: 'test',
  flags: TEST_FLAGS,
  plugins: TRANSPORTS_AND_AUTH,
  spread: () => ({}),
  forPlugins: forChecks,
  endpoints(values, words) {
    const { endpoint, transport } = values as FlagValues<typeof TEST_FLAGS>;
    if (words.length > 0) return [localServer(words, endpoint, ownWord(transport))];
    if (endpoint !== undefined) return [namedEndpoint('endpoint', endpoint, yielding(transport, endpoint))];
    throw usage(
      'No --endpoint is given.',
      'Add --endpoint https://example.com/mcp, or -- and the command of a local server',
    );
  },
};

const doctor: Mode = {
  name: 'doctor',
  flags: DOCTOR_FLAGS,
  plugins: TRANSPORTS_AND_AUTH,
  everyServer: true,
  spread: () => ({}),
  forPlugins: forChecks,
  endpoints(values, words) {
    const { endpoint, endpoints = '', transport } = values as FlagValues<typeof DOCTOR_FLAGS>;
    const several = listOf(endpoints).map((text) =>
      namedEndpoint('endpoints', text, yielding(transport, text)),
    );
    if (words.length > 0) return [localServer(words, endpoint, ownWord(transport)), ...several];
    if (endpoint === undefined) return several;
    return [namedEndpoint('endpoint', endpoint, yielding(transport, endpoint)), ...several];
  },
};

/** The serving commands by name. */
export const MODES = { proxy, 'auth-proxy': authProxy, 'load-balance': loadBalance } as const;

/** Without a client, one is registered; but where the token endpoint is named, nobody says where. */
function checkClient(values: Values): void {
  if ((values['client-id'] ?? values['oauth-client-id']) !== undefined) return;
  if (values['token-url'] !== undefined && values['oauth-grant'] !== 'workload-identity') {
    throw usage(
      '--token-url is given without --client-id, and there is nowhere to register.',
      'Give --client-id ID as well, or leave --auth-url and --token-url out, so that they are looked up',
    );
  }
  if (values['client-secret'] !== undefined)
    throw usage('--client-secret is given without --client-id.', 'Give --client-id ID as well');
}

function checkAddress(flag: string, text: unknown): void {
  if (typeof text !== 'string' || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol))) return;
  throw usage(`--${flag} is no web address.`, `Write it as --${flag} https://host/path`);
}

/** The commands that look at servers without serving a client, by name. */
export const CHECKS = { test, doctor } as const;

function listOf(texts: string): string[] {
  return texts.split(',').filter((text) => text.trim() !== '');
}

function localServer(
  words: readonly string[],
  endpoint: string | undefined,
  transport: string | undefined,
): Endpoint {
  if (endpoint !== undefined) {
    throw usage(
      'Both --endpoint and a command after -- are given.',
      'Leave one of them out; MCP_CONNECT_ENDPOINT counts as --endpoint',
    );
  }
  if (transport !== undefined && transport !== 'stdio') {
    throw usage(
      `A command after -- is reached over stdio, but --transport is ${transport}.`,
      'Leave --transport out',
    );
  }
  return commandEndpoint(words);
}

function namedEndpoint(flag: string, text: string, transport: string | undefined): Endpoint {
  if (transport === '')
    throw usage('The value of --transport is empty.', 'Name a transport, or leave it out');
  try {
    return { ...parseEndpoint(text, transport), source: `--${flag}` };
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    const { code, message, hint } = error;
    throw new ConnectorError(code, `--${flag}: ${message}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** The default of `--transport` yields to an endpoint that says itself how it is reached. */
function yielding(transport: string, text: string): string | undefined {
  return namesTransport(text) ? ownWord(transport) : transport;
}

/** What was typed as `--transport`, which the default cannot be told from. */
function ownWord(transport: string): string | undefined {
  return transport === LOAD_BALANCE_FLAGS.transport.default ? undefined : transport;
}

function usage(message: string, hint: string): ConnectorError {
  return new ConnectorError('MCPC_USAGE', message, { hint });
}
