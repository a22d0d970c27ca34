import type { Hook } from '@oclif/core/hooks';
import { loadPlugins, pluginRefs } from '../load.js';
import { CHECKS, MODES } from '../modes.js';
import { oclifFlags } from '../oclif-flags.js';
import { cutLine } from '../plain.js';
import { pluginPlaces } from '../resolve.js';

/** Adds the flags of `--plugin` to the help of a command that takes plugins. Nothing else runs through here: see `ModeCommand`. */
const init: Hook.Init = async ({ id, argv, config }) => {
  const { args } = cutLine(argv);
  const isHelp = args.includes('--help') || args.includes('-h');
  if (!isHelp || id === undefined || !Object.hasOwn({ ...MODES, ...CHECKS }, id)) return;
  const plugins = await loadPlugins(pluginRefs(args, process.env), pluginPlaces(process.env));
  Object.assign(config.findCommand(id, { must: true }).flags, oclifFlags({}, plugins));
};

export default init;
