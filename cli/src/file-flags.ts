import type { Flags } from '@mcp-connect/core';
import { BUILT_IN } from './built-in.js';
import { LOAD_BALANCE_FLAGS, PROXY_FLAGS } from './flags.js';
import { loadPlugins, mergeFlags } from './load.js';
import { pluginPlaces } from './resolve.js';

/** Returns the flags that a configuration file may give by their names: all that hold for more than one run. */
export async function fileFlags(): Promise<Flags> {
  const plugins = await loadPlugins(Object.keys(BUILT_IN), pluginPlaces(process.env));
  const { config: _config, server: _server, plugin: _plugin, ...own } = PROXY_FLAGS;
  const { config, server, plugin, transport, ...balancing } = LOAD_BALANCE_FLAGS;
  return mergeFlags({ ...own, ...balancing }, plugins);
}
