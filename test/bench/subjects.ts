import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inModernWords, openBridge, openDirect, type Session } from './session.js';

/** One way from the client to the server. */
export interface Subject {
  readonly name: string;
  /** The version that was measured, where it has one. */
  readonly version: string | undefined;
  /** Starts it against the server at `url`. */
  open(url: string, env: NodeJS.ProcessEnv): Session;
}

const ROOT = new URL('../../../', import.meta.url);

/** The yardstick that all ratios refer to. */
export const FLOOR = 'floor';

const TAPS = fileURLToPath(new URL('test/bench/taps.mjs', ROOT));

/** Results of 64 MiB are one of the loads, and a little more than the usual limit. */
const MAX = ['--max-message-size', '100000000'];

const MCP_CONNECT = bridge('mcp-connect', 'cli', (url) => [
  'cli/bin/run.js',
  'proxy',
  '--endpoint',
  url,
  ...MAX,
]);

/** mcp-connect between a modern client and a legacy server. */
const TRANSLATED_BACK: Subject = {
  name: 'translated-back',
  version: undefined,
  open: (url, env) => inModernWords(MCP_CONNECT.open(url, env)),
};

/** All subjects, in the order of the table's columns. */
export const SUBJECTS: readonly Subject[] = [
  { name: 'direct', version: undefined, open: (url) => openDirect(url) },
  bridge(FLOOR, undefined, (url) => ['test/bench/floor.mjs', url]),
  MCP_CONNECT,
  // The same between a legacy client and a modern server.
  bridge('translated', undefined, (url) => [
    'cli/bin/run.js',
    'proxy',
    '--endpoint',
    new URL('/modern', url).href,
  ]),
  TRANSLATED_BACK,
  bridge('mcp-remote', 'node_modules/mcp-remote', (url) => [
    'node_modules/mcp-remote/dist/proxy.js',
    url,
    '--transport',
    'http-only',
    '--allow-http',
    '--silent',
  ]),
  bridge('supergateway', 'node_modules/supergateway', (url) => [
    'node_modules/supergateway/dist/index.js',
    '--streamableHttp',
    url,
    '--logLevel',
    'none',
  ]),
];

/** mcp-connect with taps on the hooks that every message passes. */
export function withTaps(count: number): Subject {
  const { name } = MCP_CONNECT;
  return {
    ...bridge(name, 'cli', (url) => [
      'cli/bin/run.js',
      'proxy',
      '--endpoint',
      url,
      '--plugin',
      TAPS,
      '--bench-taps',
      `${count}`,
    ]),
    name,
  };
}

/** mcp-connect over several connections to the same server: what a call costs should not depend on their number. */
export const LEGS: readonly Subject[] = [1, 3, 10].map((count) =>
  bridge(`legs-${count}`, undefined, (url) => [
    'cli/bin/run.js',
    'load-balance',
    '--affinity',
    'none',
    '--endpoints',
    Array.from({ length: count }, (_, leg) => `${url}?leg=${leg}`).join(),
  ]),
);

/** A bridge that is started as its users start it, with its logging off. */
function bridge(name: string, home: string | undefined, command: (url: string) => string[]): Subject {
  return {
    name,
    version: home && versionOf(home),
    open(url, env) {
      const [program = '', ...args] = command(url);
      return openBridge([fileURLToPath(new URL(program, ROOT)), ...args], env);
    },
  };
}

function versionOf(home: string): string {
  const text = readFileSync(new URL(`${home}/package.json`, ROOT), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
