import type { Flags } from '@mcp-connect/core';
import { BUILT_IN } from '../plugins/built-in.js';
import { loadPlugins, mergeFlags } from '../plugins/load.js';
import { pluginPlaces } from '../plugins/resolve.js';
import { LOAD_BALANCE_FLAGS, PROXY_FLAGS } from './serving.js';

/** Flags that decide what else there is to read. A file has `plugins` and `servers` of its own. */
export const DECIDING_FLAGS: readonly string[] = ['config', 'server', 'plugin'];

/** Returns the flags that a configuration file may give by their names: all that hold for more than one run. */
export async function fileFlags(): Promise<Flags> {
  const plugins = await loadPlugins(Object.keys(BUILT_IN), pluginPlaces(process.env));
  const all = { ...PROXY_FLAGS, ...LOAD_BALANCE_FLAGS, transport: PROXY_FLAGS.transport };
  const own = Object.entries(all).filter(([name]) => !DECIDING_FLAGS.includes(name));
  return mergeFlags(Object.fromEntries(own), plugins);
}
