import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConnectorError } from '@mcp-connect/core';
import type { Environment } from '../command-line/plain.js';

/** Folders from which plugins are found. */
export interface PluginPlaces {
  /** The folder of this package. Our own plugins are found from here first, so no project can pose as one. */
  readonly install: string;
  /** The working folder: paths, and packages of the project. */
  readonly cwd: string;
  /** The user's folder, where `mcp-connect plugins install` puts packages. */
  readonly data: string;
}

const OWN_SCOPE = '@mcp-connect/';
const PATH_FORM = /^(\.{0,2}[\\/]|\.{1,2}$|[a-z]:[\\/]|file:)/i;
const CONDITIONS = new Set(['node', 'import', 'default']);

/** Returns the usual places; the user's folder is the one that oclif computes as `config.dataDir`. */
export function pluginPlaces(env: Environment): PluginPlaces {
  const local = process.platform === 'win32' ? env['LOCALAPPDATA'] : undefined;
  const shared = env['XDG_DATA_HOME'] || local || join(homedir(), '.local/share');
  return {
    install: fileURLToPath(new URL('../..', import.meta.url)),
    cwd: process.cwd(),
    data: env['MCP_CONNECT_DATA_DIR'] || join(shared, 'mcp-connect'),
  };
}

/** Whether a plugin is named by a path, and not by its package. */
export function isPath(ref: string): boolean {
  return PATH_FORM.test(ref);
}

/**
 * Finds the file of a plugin.
 *
 * @param ref a package name, or a path that begins with `.` or `/`
 * @throws ConnectorError `MCPC_USAGE` when there is none
 */
export function entryOfRef(ref: string, places: PluginPlaces): string {
  return isPath(ref) ? entryOfPath(ref, places.cwd) : entryOfName(ref, places);
}

/** What we need of a `package.json`. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly main?: string;
  readonly exports?: unknown;
  readonly keywords?: readonly string[];
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly oclif?: { readonly plugins?: readonly unknown[] };
}

/** An installed package. */
export interface Package {
  readonly root: string;
  readonly manifest: Manifest;
}

function entryOfPath(ref: string, cwd: string): string {
  const path = ref.startsWith('file:') ? fileURLToPath(ref) : resolve(cwd, ref);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new ConnectorError('MCPC_USAGE', `There is no plugin at ${path}.`, {
      hint: `Check the path that --plugin or the configuration file gives; it counts from ${cwd}`,
    });
  }
  return stats.isDirectory() ? entryOf({ root: path, manifest: readManifest(path) ?? {} }) : path;
}

function entryOfName(name: string, { install, cwd, data }: PluginPlaces): string {
  const order = name.startsWith(OWN_SCOPE) ? [install, cwd, data] : [cwd, install, data];
  for (const place of order) {
    const found = findPackage(name, place);
    if (found !== undefined) return entryOf(found);
  }
  const linked = userPackages(data).find((other) => other.linked && other.name === name);
  if (linked !== undefined) return entryOf(linked);
  throw new ConnectorError('MCPC_USAGE', `There is no plugin ${name}.`, {
    hint: `Install it with: mcp-connect plugins install ${name} (or, for a project, npm install ${name}); for a file, give --plugin a path that begins with ./`,
  });
}

/**
 * Finds an installed package from the folder `place`, where Node.js itself would look. Its own resolution from a
 * folder of one's choice needs an entry for `require`, which packages of modules lack.
 */
export function findPackage(name: string, place: string): Package | undefined {
  for (const folder of createRequire(join(place, 'package.json')).resolve.paths(name) ?? []) {
    const root = join(folder, name);
    const manifest = readManifest(root);
    if (manifest !== undefined) return { root, manifest };
  }
  return undefined;
}

/** A package that the user installed or linked with `mcp-connect plugins`. */
export interface UserPackage extends Package {
  readonly name: string;
  readonly linked: boolean;
}

/** Finds what the user installed and linked: oclif keeps a list in the user's folder. */
export function userPackages(data: string): readonly UserPackage[] {
  return recordedPackages(data).flatMap(({ name, root: folder }) => {
    const root = folder ?? join(data, 'node_modules', name);
    const manifest = readManifest(root);
    return manifest === undefined ? [] : [{ name, root, manifest, linked: folder !== undefined }];
  });
}

/** What oclif has noted of a package, be it there or not. */
export interface RecordedPackage {
  readonly name: string;
  /** The folder of one that is linked. */
  readonly root: string | undefined;
}

/** Reads oclif's list of what the user installed and linked. */
export function recordedPackages(data: string): readonly RecordedPackage[] {
  return (readManifest(data)?.oclif?.plugins ?? []).flatMap((entry) => {
    const { name, root, type } = entry as { name?: string; root?: string; type?: string };
    if (name === undefined || (type === 'link' && root === undefined)) return [];
    return [{ name, root: type === 'link' ? root : undefined }];
  });
}

/** Returns the package that a file belongs to: the nearest one with a name. */
export function packageAround(file: string): Package | undefined {
  for (let root = dirname(file), last = ''; root !== last; last = root, root = dirname(root)) {
    const manifest = readManifest(root);
    if (manifest?.name !== undefined) return { root, manifest };
  }
  return undefined;
}

/**
 * Reads the `package.json` of a folder, if there is one.
 *
 * @throws ConnectorError `MCPC_USAGE` when it is not valid JSON
 */
export function readManifest(root: string): Manifest | undefined {
  let text: string;
  try {
    text = readFileSync(join(root, 'package.json'), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as Manifest;
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `${join(root, 'package.json')} is not valid JSON.`, {
      cause,
      hint: 'Mend that file, or remove it and install again what it belongs to',
    });
  }
}

/** Returns the file that an `import` of the package loads. */
export function entryOf({ root, manifest }: Package): string {
  const { exports, main } = manifest;
  const hasSubpaths = typeof exports === 'object' && exports !== null && '.' in exports;
  return join(root, target(hasSubpaths ? exports['.'] : exports) ?? main ?? 'index.js');
}

/** Picks the target of an `exports` entry as Node.js does for `import`: the first condition that holds. */
function target(entry: unknown): string | undefined {
  if (typeof entry === 'string') return entry;
  if (typeof entry !== 'object' || entry === null) return undefined;
  for (const [condition, nested] of Object.entries(entry)) {
    const found = CONDITIONS.has(condition) ? target(nested) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
