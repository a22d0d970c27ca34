import type { Hook } from '@oclif/core/hooks';
import { pluginsForHelp } from '../command-line/line.js';
import { cutLine } from '../command-line/plain.js';
import { addPluginFlags, takesPlugins } from '../flags/plugin-flags.js';

/** Adds the flags of installed and named plugins to the help of a command that takes plugins. */
const init: Hook.Init = async ({ id, argv, config }) => {
  const { args } = cutLine(argv);
  const isHelp = args.includes('--help') || args.includes('-h');
  const command = id === undefined || !isHelp ? undefined : config.findCommand(id);
  if (command === undefined || !takesPlugins(command)) return;
  addPluginFlags(command, await pluginsForHelp({ builtIn: [], args, env: process.env }));
};

export default init;
