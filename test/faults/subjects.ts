import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '@mcp-connect/core';

/** How a program is started. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** A bridge under test. */
export interface Subject {
  readonly name: string;
  readonly version: string;
  /** True when it speaks HTTP only, knows sessions only, has no flags of ours and words its errors in its own way. */
  readonly foreign: boolean;
  command(start: Start): Command;
}

/** How a subject chooses between two servers. */
export type Strategy = 'fallback' | 'round-robin';

/** What a subject is started with. */
export interface Start {
  readonly endpoint: Endpoint;
  /** A second server, and when it is asked. */
  readonly spare?: { readonly endpoint: Endpoint; readonly strategy: Strategy };
  /** Flags of mcp-connect. */
  readonly flags: readonly string[];
  /** Whether it is given a bearer token for the server. */
  readonly credentials: boolean;
  /** A folder that it may fill. */
  readonly folder: string;
}

const ROOT = new URL('../../../', import.meta.url);

const TOKEN = 'planted-token';

/** Short times, so that a row is over soon. */
const BRISK = ['--timeout', '3', '--retry-delay', '50'];

/** The one whose rows must all pass. */
export const MCP_CONNECT: Subject = {
  name: 'mcp-connect',
  version: versionOf('cli'),
  foreign: false,
  command(start) {
    const { flags, credentials, folder } = start;
    const token = credentials ? ['--auth-token', TOKEN] : [];
    const [command, ...where] = placesOf(start);
    return node(['cli/bin/run.js', command!, ...BRISK, ...token, ...flags, ...where], folder);
  },
};

/** All subjects by name, in the order of the table's columns. They are started as their users start them. */
export const SUBJECTS: readonly Subject[] = [
  MCP_CONNECT,
  {
    name: 'mcp-remote',
    version: versionOf('node_modules/mcp-remote'),
    foreign: true,
    command({ endpoint, credentials, folder }) {
      const token = credentials ? ['--header', `Authorization: Bearer ${TOKEN}`] : [];
      const flags = ['--transport', 'http-only', '--allow-http', '--silent', ...token];
      return node(['node_modules/mcp-remote/dist/proxy.js', endpoint.url!.href, ...flags], folder);
    },
  },
  {
    name: 'supergateway',
    version: versionOf('node_modules/supergateway'),
    foreign: true,
    command({ endpoint, credentials, folder }) {
      const token = credentials ? ['--oauth2Bearer', TOKEN] : [];
      const flags = ['--streamableHttp', endpoint.url!.href, '--logLevel', 'none', ...token];
      return node(['node_modules/supergateway/dist/index.js', ...flags], folder);
    },
  },
];

/** The command of ours that goes to these endpoints, and the words that name them. */
function placesOf({ endpoint, spare }: Start): string[] {
  if (spare?.strategy === 'round-robin') {
    return ['load-balance', '--endpoints', `${textOf(endpoint)},${textOf(spare.endpoint)}`];
  }
  const fallbacks = spare === undefined ? [] : ['--fallbacks', textOf(spare.endpoint)];
  const { argv } = endpoint;
  return [
    'proxy',
    ...fallbacks,
    ...(argv === undefined ? ['--endpoint', textOf(endpoint)] : ['--', ...argv]),
  ];
}

function textOf({ argv, url }: Endpoint): string {
  return argv === undefined ? url!.href : `stdio:${argv.join(' ')}`;
}

function node([script = '', ...args]: readonly string[], folder: string): Command {
  const path = fileURLToPath(new URL(script, ROOT));
  return { program: process.execPath, args: [path, ...args], env: environment(folder) };
}

/** The surroundings of this process without what would change how a subject starts or what it does. */
function environment(folder: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => name !== 'NODE_EXTRA_CA_CERTS' && name !== 'NODE_OPTIONS' && !name.startsWith('MCP_CONNECT_'),
  );
  return { ...Object.fromEntries(kept), MCP_REMOTE_CONFIG_DIR: folder, MCP_CONNECT_STATE_DIR: folder };
}

function versionOf(home: string): string {
  const text = readFileSync(new URL(`${home}/package.json`, ROOT), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
