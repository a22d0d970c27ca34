import { pathToFileURL } from 'node:url';
import {
  ConnectorError,
  expandVariables,
  inTime,
  pluginFault,
  reasonOf,
  type Flags,
  type Plugin,
} from '@mcp-connect/core';
import { textsGiven, type Environment } from '../command-line/plain.js';
import { BUILT_IN } from './built-in.js';
import { entryOfRef, findPackage, packageAround, type PluginPlaces } from './resolve.js';

const BIN = 'mcp-connect';
const CORE = '@mcp-connect/core';

/** How long a plugin may take to load, in milliseconds. */
const PATIENCE = 10_000;

/** Finds the values of `--plugin` before anything else is read: which flags there are depends on them. */
export function pluginRefs(args: readonly string[], env: Environment): readonly string[] {
  return textsGiven('plugin', { args, env, variable: 'MCP_CONNECT_PLUGINS' }).flatMap((text) =>
    expandVariables(text, { flag: 'plugin', env })
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
 * @param patience how long each may take, in milliseconds
 * @throws ConnectorError `MCPC_USAGE` when a plugin is missing, broken, or made for another version of the core
 */
export async function loadPlugins(
  refs: readonly string[],
  places: PluginPlaces,
  patience = PATIENCE,
): Promise<readonly Plugin[]> {
  const plugins = await Promise.all(refs.map((ref) => loadPlugin(ref, places, patience)));
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

async function loadPlugin(ref: string, places: PluginPlaces, patience: number): Promise<Plugin> {
  const builtIn = BUILT_IN[ref];
  const entry = builtIn === undefined ? entryOfRef(ref, places) : ref;
  const open = builtIn ?? importerOf(entry);
  let plugin: unknown;
  let fault: string | undefined;
  try {
    // Without its timer Node.js would end in silence when nothing else is left to do.
    plugin = (await inTime(open(), patience)).default;
    fault = pluginFault(plugin);
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `The plugin ${ref} cannot be loaded: ${placedReason(cause)}`, {
      cause,
      hint: adviceOnLoading(cause, entry),
    });
  }
  if (fault !== undefined) {
    throw new ConnectorError('MCPC_USAGE', `${ref} is not a plugin of mcp-connect: ${fault}.`, {
      hint: 'A plugin is what definePlugin() returns, as the default export; report this to its authors',
    });
  }
  const { name, core } = plugin as Plugin;
  // What npm is told at an installation holds here too.
  const range = core ?? (builtIn ? undefined : packageAround(entry)?.manifest.peerDependencies?.[CORE]);
  if (range !== undefined) await checkCore(name, range, places);
  return plugin as Plugin;
}

function adviceOnLoading(cause: unknown, entry: string): string {
  // Node.js itself does not hand out the place of such a mistake.
  if (cause instanceof SyntaxError) return `See the place with: node --check ${entry}`;
  return (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND'
    ? 'Install in its folder what it imports, for example with npm install @mcp-connect/core'
    : 'Install it again, or leave out --plugin';
}

/** What a module threw while it was loaded, with the place in it where the stack tells one. */
function placedReason(cause: unknown): string {
  const place = cause instanceof Error ? /file:\S+:\d+:\d+/.exec(cause.stack ?? '')?.[0] : undefined;
  return place === undefined ? reasonOf(cause) : `${reasonOf(cause)} (${place})`;
}

function importerOf(entry: string): () => Promise<{ default?: unknown }> {
  return () => import(pathToFileURL(entry).href) as Promise<{ default?: unknown }>;
}

async function checkCore(name: string, range: string, places: PluginPlaces): Promise<void> {
  const version = findPackage(CORE, places.install)?.manifest.version ?? '';
  const { default: satisfies } = await import('semver/functions/satisfies.js');
  if (satisfies(version, range, { includePrerelease: true })) return;
  throw new ConnectorError('MCPC_USAGE', `${name} needs ${CORE} ${range}, but this is ${version}.`, {
    hint: `Update both: npm install ${BIN}@latest ${name}@latest`,
  });
}
