import { reasonOf } from '@mcp-connect/core';
import type { Hook } from '@oclif/core/hooks';
import { pluginsInUse } from '../in-use.js';
import { addPluginFlags, takesPlugins } from '../plugin-flags.js';

/** Has completion know the flags of installed plugins. */
const prerun: Hook.Prerun = async function ({ Command, config }) {
  if (!/^autocomplete(:create)?$/.test(Command.id)) return;
  try {
    const plugins = await pluginsInUse({ builtIn: [], args: [], env: process.env });
    for (const command of config.commands.filter(takesPlugins)) addPluginFlags(command, plugins);
  } catch (error) {
    // A broken plugin must not take completion away from all others.
    this.warn(reasonOf(error));
  }
};

export default prerun;
