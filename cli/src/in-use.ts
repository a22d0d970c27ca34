import { ConnectorError, reasonOf, type Plugin } from '@mcp-connect/core';
import { BUILT_IN } from './built-in.js';
import { loadPlugins, pluginRefs } from './load.js';
import type { Environment } from './plain.js';
import {
  entryOf,
  entryOfRef,
  findPackage,
  packageAround,
  pluginPlaces,
  userPackages,
  type Package,
  type PluginPlaces,
  type UserPackage,
} from './resolve.js';

/** Marks a package whose plugin is in use as soon as the package is installed. */
export const KEYWORD = 'mcp-connect-plugin';

/** Why a plugin is in use: it comes with the program, the user installed or linked it, or the command line names it. */
export type Origin = 'built-in' | 'installed' | 'linked' | 'named';

/** A plugin that is in use. */
export interface PluginInUse {
  readonly plugin: Plugin;
  readonly origin: Origin;
  /** Finds the package that it is from. */
  find(): Package | undefined;
}

/** Which plugins a command line uses. */
export interface InUseOptions {
  /** Names of the command's own plugins. */
  readonly builtIn: readonly string[];
  /** The words in which `--plugin` is looked for. */
  readonly args: readonly string[];
  readonly env: Environment;
}

/**
 * Loads the plugins of a command line, in the order in which they are applied: the command's own, those that the user
 * installed, and those that are named. A plugin that is named takes the place of an installed one of the same name.
 *
 * @throws ConnectorError `MCPC_USAGE` when one is missing, broken, or made for another version of the core
 */
export async function pluginsInUse(options: InUseOptions): Promise<readonly Plugin[]> {
  return (await describedPlugins(options)).map(({ plugin }) => plugin);
}

/**
 * Does what {@link pluginsInUse} does, and tells where each plugin is from.
 *
 * @throws ConnectorError `MCPC_USAGE`
 */
export async function describedPlugins(options: InUseOptions): Promise<readonly PluginInUse[]> {
  const places = pluginPlaces(options.env);
  const [builtIn, added, named] = await Promise.all([
    together(options.builtIn, (ref) => load(ref, places)),
    together(markedPackages(places.data), (found) => loadInstalled(found, places)),
    together(pluginRefs(options.args, options.env), (ref) => load(ref, places)),
  ]);
  const names = new Set([...builtIn, ...named].map(({ plugin }) => plugin.name));
  const all = [...builtIn, ...added.filter(({ plugin }) => !names.has(plugin.name)), ...named];
  // One that is named twice is used once.
  return all.filter((one, at) => all.findIndex(({ plugin }) => plugin === one.plugin) === at);
}

async function load(ref: string, places: PluginPlaces): Promise<PluginInUse> {
  const [plugin] = await loadPlugins([ref], places);
  return Object.hasOwn(BUILT_IN, ref)
    ? { plugin: plugin!, origin: 'built-in', find: () => findPackage(ref, places.install) }
    : { plugin: plugin!, origin: 'named', find: () => packageAround(entryOfRef(ref, places)) };
}

async function loadInstalled(found: UserPackage, places: PluginPlaces): Promise<PluginInUse> {
  try {
    const [plugin] = await loadPlugins([entryOf(found)], places);
    return { plugin: plugin!, origin: found.linked ? 'linked' : 'installed', find: () => found };
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', reasonOf(cause), {
      cause,
      hint: `Take it out with: mcp-connect plugins uninstall ${found.name}`,
    });
  }
}

/** A plugin for oclif alone lacks the keyword: it adds commands, and nothing to a line. */
function markedPackages(data: string): readonly UserPackage[] {
  return userPackages(data).filter(({ manifest }) => manifest.keywords?.includes(KEYWORD));
}

function together<T, R>(list: readonly T[], each: (one: T) => Promise<R>): Promise<R[]> {
  return Promise.all(list.map(each));
}
