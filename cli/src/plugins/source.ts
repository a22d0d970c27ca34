import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConnectorError } from '@mcp-connect/core';
import { KEYWORD } from './in-use.js';
import { readManifest } from './resolve.js';

/** Where npm is asked from, and for what. */
export interface SourceOptions {
  /** The user's folder, which is there, and is where the package would be installed. */
  readonly data: string;
  /** The registry, where it is another one than npm's settings say. */
  readonly registry: string | undefined;
}

/** A package of the registry: a name with or without scope, and perhaps a version or tag. */
const NAME = /^((?:@[^/@]+\/)?[^/@:]+)(?:@[^/:]*)?$/;
const LOCAL = /^(?:file:|\.{0,2}[\\/]|[a-z]:[\\/])/i;

const FIND = `Find plugins with: npm search keywords:${KEYWORD}`;

/** How long one answer of the registry may take, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Checks what is to be installed, before npm tries for minutes or tells half of what is wrong.
 *
 * @returns what to install: the path of a local package counts from the working folder
 * @throws ConnectorError `MCPC_USAGE` when there is no such package, or it is no plugin; `MCPC_CONNECT` when the registry
 * cannot be asked
 */
export async function checkedSource(source: string, options: SourceOptions): Promise<string> {
  if (LOCAL.test(source)) return localPackage(source);
  const name = NAME.exec(source)?.[1];
  if (name !== undefined) checkManifest(name, await viewed(source, options));
  return source;
}

function localPackage(source: string): string {
  const path = source.startsWith('file://') ? fileURLToPath(source) : resolve(source.replace(/^file:/, ''));
  if (existsSync(path)) return `file:${path}`;
  throw new ConnectorError('MCPC_USAGE', `There is no package at ${path}.`, {
    hint: 'Name a folder or the tarball that "npm pack" writes',
  });
}

/**
 * Checks the folder of a plugin that is to be linked.
 *
 * @throws ConnectorError `MCPC_USAGE` when it holds no package, or one that cannot be linked
 */
export function checkLinked(folder: string): void {
  const file = join(resolve(folder), 'package.json');
  if (!existsSync(file)) {
    throw new ConnectorError('MCPC_USAGE', `There is no ${file}.`, {
      hint: 'Name the folder of a package; write a new one with: mcp-connect plugins create NAME --kind KIND',
    });
  }
  const { oclif } = readManifest(resolve(folder)) ?? {};
  if (oclif !== undefined) return;
  throw new ConnectorError('MCPC_USAGE', `${file} lacks "oclif": {}, so its package cannot be linked.`, {
    hint: `Add that if it is a plugin of mcp-connect, or load it with --plugin ${resolve(folder)}`,
  });
}

/** What npm prints: the members that were asked for, or what went wrong. */
interface Viewed {
  readonly keywords?: readonly string[];
  readonly oclif?: object;
  readonly error?: { readonly code?: string };
}

/** Asks the registry once, without the retries that npm would make. */
async function viewed(source: string, { data, registry }: SourceOptions): Promise<Viewed> {
  // npm reads its settings from where the package would be installed.
  const args = ['view', source, 'name', 'keywords', 'oclif', '--json', '--fetch-retries=0'];
  args.push(`--fetch-timeout=${PATIENCE}`, ...(registry === undefined ? [] : [`--registry=${registry}`]));
  const output = await outputOfNpm(args, data);
  // Of a range of versions npm tells each; of a version that is not there it tells nothing.
  const told =
    output.trim() === '' ? { error: { code: 'ETARGET' } } : (JSON.parse(output) as Viewed | Viewed[]);
  const last = Array.isArray(told) ? told.at(-1) : told;
  const code = last?.error?.code;
  if (code === undefined) return last ?? {};
  if (code === 'E404' || code === 'ETARGET') {
    throw new ConnectorError('MCPC_USAGE', `The registry has no package ${source}.`, {
      hint: FIND,
    });
  }
  throw new ConnectorError('MCPC_CONNECT', `The registry cannot be asked for ${source}: ${code}.`, {
    hint: 'Check the network and "npm config get registry", or install a tarball: mcp-connect plugins install file:FILE',
  });
}

function outputOfNpm(args: readonly string[], cwd: string): Promise<string> {
  // The npm that installs is the one that comes with that plugin.
  const require = createRequire(import.meta.resolve('@oclif/plugin-plugins'));
  const npm = join(dirname(require.resolve('npm/package.json')), 'bin/npm-cli.js');
  return new Promise((done) => {
    // What npm fails with is in what it prints.
    execFile(process.execPath, [npm, ...args], { cwd }, (_error, stdout) => done(stdout));
  });
}

function checkManifest(name: string, { keywords = [], oclif }: Viewed): void {
  if (oclif !== undefined) return;
  if (!keywords.includes(KEYWORD)) {
    const text = `${name} is no plugin of mcp-connect: its package.json lacks the keyword ${KEYWORD}.`;
    throw new ConnectorError('MCPC_USAGE', text, { hint: FIND });
  }
  throw new ConnectorError('MCPC_USAGE', `${name} cannot be installed: its package.json lacks "oclif": {}.`, {
    hint: `Report this to its authors, or use it from a project: npm install ${name}, then --plugin ${name}`,
  });
}
