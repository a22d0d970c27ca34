import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConnectorError, reasonOf, type Flags, type Plugin } from '@mcp-connect/core';
import { expandText } from './expand.js';
import type { Environment } from './plain.js';

/** Folders from which plugins are found. */
export interface PluginPlaces {
  /** The folder of this package. Our own plugins are found from here first, so no project can pose as one. */
  readonly install: string;
  /** The working folder: paths, and packages of the project. */
  readonly cwd: string;
  /** The user's folder, where `mcp-connect plugins install` puts packages. */
  readonly data: string;
}

const BIN = 'mcp-connect';
const CORE = '@mcp-connect/core';
const OWN_SCOPE = '@mcp-connect/';
const PATH_FORM = /^(\.{0,2}[\\/]|\.{1,2}$|[a-z]:[\\/]|file:)/i;
const CONDITIONS = new Set(['node', 'import', 'default']);

/** Returns the usual places; the user's folder is the one that oclif computes as `config.dataDir`. */
export function pluginPlaces(env: Environment): PluginPlaces {
  const local = process.platform === 'win32' ? env['LOCALAPPDATA'] : undefined;
  const shared = env['XDG_DATA_HOME'] || local || join(homedir(), '.local/share');
  return {
    install: fileURLToPath(new URL('..', import.meta.url)),
    cwd: process.cwd(),
    data: env['MCP_CONNECT_DATA_DIR'] || join(shared, BIN),
  };
}

/** Finds the values of `--plugin` before anything else is read: which flags there are depends on them. */
export function pluginRefs(args: readonly string[], env: Environment): readonly string[] {
  const given = args.flatMap((word, at) => {
    if (word === '--plugin') return args[at + 1] ?? [];
    return word.startsWith('--plugin=') ? word.slice('--plugin='.length) : [];
  });
  const texts = given.length > 0 ? given : [env['MCP_CONNECT_PLUGINS'] ?? ''];
  return texts.flatMap((text) =>
    expandText(text, 'plugin', env)
      .split(',')
      .map((ref) => ref.trim())
      .filter((ref) => ref !== ''),
  );
}

/**
 * Loads plugins, our own and foreign ones by the same route, in the order in which they are named. A plugin that is
 * named twice is loaded once.
 *
 * @param refs package names, or paths that begin with `.` or `/`
 * @throws ConnectorError `MCPC_USAGE` when a plugin is missing, broken, or made for another version of the core
 */
export async function loadPlugins(refs: readonly string[], places: PluginPlaces): Promise<readonly Plugin[]> {
  const plugins = await Promise.all(refs.map((ref) => loadPlugin(ref, places)));
  return [...new Set(plugins)];
}

/**
 * Joins the flags of the command with those of its plugins.
 *
 * @throws ConnectorError `MCPC_USAGE` naming both sides when two have a flag of the same name
 */
export function mergeFlags(own: Flags, plugins: readonly Plugin[]): Flags {
  const owners = new Map(Object.keys(own).map((name) => [name, BIN]));
  const merged: Record<string, Flags[string]> = { ...own };
  for (const plugin of plugins) {
    for (const [name, flag] of Object.entries(plugin.flags ?? {})) {
      const other = owners.get(name);
      if (other !== undefined) {
        throw new ConnectorError('MCPC_USAGE', `${other} and ${plugin.name} both have a flag --${name}.`, {
          hint: 'Leave out one of the two plugins',
        });
      }
      owners.set(name, plugin.name);
      merged[name] = flag;
    }
  }
  return merged;
}

async function loadPlugin(ref: string, places: PluginPlaces): Promise<Plugin> {
  const entry = PATH_FORM.test(ref) ? entryOfPath(ref, places.cwd) : entryOfName(ref, places);
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(entry).href)) as { default?: unknown };
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `The plugin ${ref} cannot be loaded: ${reasonOf(cause)}`, {
      cause,
      hint: 'Install it again, or leave out --plugin',
    });
  }
  const plugin = module.default;
  if (!isPlugin(plugin)) {
    throw new ConnectorError('MCPC_USAGE', `${ref} is not a plugin of mcp-connect.`, {
      hint: 'Its default export must be what definePlugin() returns: an object with a name and an apply function',
    });
  }
  if (plugin.core !== undefined) await checkCore(plugin.name, plugin.core, places);
  return plugin;
}

function isPlugin(value: unknown): value is Plugin {
  if (typeof value !== 'object' || value === null) return false;
  const { name, apply } = value as Partial<Plugin>;
  return typeof name === 'string' && typeof apply === 'function';
}

async function checkCore(name: string, range: string, places: PluginPlaces): Promise<void> {
  const version = findPackage(CORE, places.install)?.manifest.version ?? '';
  const { default: satisfies } = await import('semver/functions/satisfies.js');
  if (satisfies(version, range, { includePrerelease: true })) return;
  throw new ConnectorError('MCPC_USAGE', `${name} needs ${CORE} ${range}, but this is ${version}.`, {
    hint: `Update both: npm install ${BIN}@latest ${name}@latest`,
  });
}

// ── Where a plugin's code is ───────────────────────────────────────────────────────────────────────────────────

interface Manifest {
  readonly version?: string;
  readonly main?: string;
  readonly exports?: unknown;
  readonly oclif?: { readonly plugins?: readonly unknown[] };
}

interface Package {
  readonly root: string;
  readonly manifest: Manifest;
}

function entryOfPath(ref: string, cwd: string): string {
  const path = ref.startsWith('file:') ? fileURLToPath(ref) : resolve(cwd, ref);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new ConnectorError('MCPC_USAGE', `There is no plugin at ${path}.`, {
      hint: `Check the path that is given with --plugin; it counts from ${cwd}`,
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
  const linked = findLink(name, data);
  if (linked !== undefined) return entryOf(linked);
  throw new ConnectorError('MCPC_USAGE', `There is no plugin ${name}.`, {
    hint: `Install it with: npm install ${name}; for a file, give --plugin a path that begins with ./`,
  });
}

/** Walks the folders that Node.js itself would; its own resolution would need an entry for `require`, which ESM lacks. */
function findPackage(name: string, place: string): Package | undefined {
  for (const folder of createRequire(join(place, 'package.json')).resolve.paths(name) ?? []) {
    const root = join(folder, name);
    const manifest = readManifest(root);
    if (manifest !== undefined) return { root, manifest };
  }
  return undefined;
}

/** Finds what the user linked with `mcp-connect plugins link`: oclif keeps a list in the user's folder. */
function findLink(name: string, data: string): Package | undefined {
  for (const link of readManifest(data)?.oclif?.plugins ?? []) {
    const { name: linked, root, type } = link as { name?: string; root?: string; type?: string };
    if (type !== 'link' || linked !== name || root === undefined) continue;
    return { root, manifest: readManifest(root) ?? {} };
  }
  return undefined;
}

function readManifest(root: string): Manifest | undefined {
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
      hint: 'Install the package again',
    });
  }
}

function entryOf({ root, manifest }: Package): string {
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
