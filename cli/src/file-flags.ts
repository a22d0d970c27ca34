import type { Flags } from '@mcp-connect/core';
import { BUILT_IN } from './built-in.js';
import { LOAD_BALANCE_FLAGS, PROXY_FLAGS } from './flags.js';
import { loadPlugins, mergeFlags } from './load.js';
import { pluginPlaces } from './resolve.js';

/** Flags that decide what else is read; a file has `plugins` and `servers` of its own. */
const DECIDING = new Set(['config', 'server', 'plugin']);

/** Returns the flags that a configuration file may give by their names: all that hold for more than one run. */
export async function fileFlags(): Promise<Flags> {
  const plugins = await loadPlugins(Object.keys(BUILT_IN), pluginPlaces(process.env));
  const all = { ...LOAD_BALANCE_FLAGS, ...PROXY_FLAGS };
  const own = Object.entries(all).filter(([name]) => !DECIDING.has(name));
  return mergeFlags(Object.fromEntries(own), plugins);
}
