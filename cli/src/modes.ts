import {
  commandEndpoint,
  ConnectorError,
  parseEndpoint,
  type Endpoint,
  type Flags,
  type FlagValues,
} from '@mcp-connect/core';
import { DOCTOR_FLAGS, LOAD_BALANCE_FLAGS, PROXY_FLAGS, TEST_FLAGS, type Values } from './flags.js';

/** What sets one command that reaches servers apart from another. */
export interface Mode {
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
}

const TRANSPORTS_AND_AUTH = [
  '@mcp-connect/transport-http',
  '@mcp-connect/transport-stdio',
  '@mcp-connect/transport-tcp',
  '@mcp-connect/auth-bearer',
  '@mcp-connect/auth-header',
] as const;

const proxy: Mode = {
  flags: PROXY_FLAGS,
  plugins: [...TRANSPORTS_AND_AUTH, '@mcp-connect/strategy-fallback'],
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
};

const loadBalance: Mode = {
  flags: LOAD_BALANCE_FLAGS,
  plugins: [...TRANSPORTS_AND_AUTH, '@mcp-connect/strategy-round-robin'],
  endpoints(values, words) {
    const { endpoints = '', transport } = values as FlagValues<typeof LOAD_BALANCE_FLAGS>;
    if (words.length > 0) {
      throw usage(
        'load-balance takes no command after --.',
        'Name every server in --endpoints, a local one as "stdio:command args"',
      );
    }
    const texts = listOf(endpoints);
    if (texts.length === 0) {
      throw usage(
        'No --endpoints are given.',
        'Add --endpoints "https://one.example/mcp,https://two.example/mcp"',
      );
    }
    return texts.map((text) => namedEndpoint('endpoints', text, yielding(transport, text)));
  },
};

const test: Mode = {
  flags: TEST_FLAGS,
  plugins: TRANSPORTS_AND_AUTH,
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
  flags: DOCTOR_FLAGS,
  plugins: TRANSPORTS_AND_AUTH,
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
export const MODES = { proxy, 'load-balance': loadBalance } as const;

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
  const saysItself = /^\s*([a-z][a-z0-9+.-]*:\/\/|stdio:|unix:)/i.test(text);
  return saysItself ? ownWord(transport) : transport;
}

/** What was typed as `--transport`, which the default cannot be told from. */
function ownWord(transport: string): string | undefined {
  return transport === LOAD_BALANCE_FLAGS.transport.default ? undefined : transport;
}

function usage(message: string, hint: string): ConnectorError {
  return new ConnectorError('MCPC_USAGE', message, { hint });
}
