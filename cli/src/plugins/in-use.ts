import { ConnectorError, reasonOf, type Plugin } from '@mcp-connect/core';
import type { Environment } from '../command-line/plain.js';
import type { ConfigFile } from '../config/config-file.js';
import { BUILT_IN } from './built-in.js';
import { loadPlugins, pluginRefs } from './load.js';
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

/**
 * Why a plugin is in use: it comes with the program, the user installed or linked it, or the configuration file or the
 * command line names it.
 */
export type Origin = 'built-in' | 'installed' | 'linked' | 'named';

/** A plugin that is in use. */
export interface PluginInUse {
  readonly plugin: Plugin;
  readonly origin: Origin;
  /** Which of the plugins of the configuration file it is, or stands in for. */
  readonly inFile?: number;
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
  readonly file?: ConfigFile | undefined;
}

/**
 * Loads the plugins of a command line, in the order in which they are applied: the command's own, those that the user
 * installed, those of the configuration file, and those that are named. One that comes later takes the place of one of
 * the same name, unless that is the command's own.
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
  const [builtIn, added, filed, named] = await Promise.all([
    together(options.builtIn, (ref) => load(ref, places)),
    together(markedPackages(places.data), (found) => loadInstalled(found, places)),
    options.file === undefined ? [] : loadFiled(options.file, places),
    together(pluginRefs(options.args, options.env), (ref) => load(ref, places)),
  ]);
  const isAmong = (list: readonly PluginInUse[], { plugin }: PluginInUse): boolean =>
    list.some((other) => other.plugin.name === plugin.name);
  const all = [
    ...builtIn.map(standingIn),
    ...added.filter((one) => !isAmong([...builtIn, ...filed, ...named], one)),
    ...filed.filter((one) => !isAmong(named, one)),
    ...named.map(standingIn),
  ];
  // One that is named twice is used once.
  return all.filter((one, at) => all.findIndex(({ plugin }) => plugin === one.plugin) === at);

  /** The options in the file hold for whatever is used under that name. */
  function standingIn(one: PluginInUse): PluginInUse {
    const { inFile } = filed.find(({ plugin }) => plugin.name === one.plugin.name) ?? {};
    return inFile === undefined ? one : { ...one, inFile };
  }
}

async function load(ref: string, places: PluginPlaces): Promise<PluginInUse> {
  const [plugin] = await loadPlugins([ref], places);
  return Object.hasOwn(BUILT_IN, ref)
    ? { plugin: plugin!, origin: 'built-in', find: () => findPackage(ref, places.install) }
    : { plugin: plugin!, origin: 'named', find: () => packageAround(entryOfRef(ref, places)) };
}

/** Paths and packages are looked for from the folder of the file. */
function loadFiled(file: ConfigFile, places: PluginPlaces): Promise<PluginInUse[]> {
  return together(file.plugins, async (ref, inFile) => {
    try {
      return { ...(await load(ref, { ...places, cwd: file.folder })), inFile };
    } catch (error) {
      throw file.placedAtPlugin(inFile, error);
    }
  });
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

function together<T, R>(list: readonly T[], each: (one: T, at: number) => Promise<R>): Promise<R[]> {
  return Promise.all(list.map(each));
}
