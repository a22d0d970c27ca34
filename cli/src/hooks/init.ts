import type { Hook } from '@oclif/core/hooks';
import { pluginsInUse } from '../in-use.js';
import { CHECKS, MODES } from '../modes.js';
import { oclifFlags } from '../oclif-flags.js';
import { cutLine } from '../plain.js';

/** Adds the flags of installed and named plugins to the help of a command that takes plugins. Nothing else runs through here: see `ModeCommand`. */
const init: Hook.Init = async ({ id, argv, config }) => {
  const { args } = cutLine(argv);
  const isHelp = args.includes('--help') || args.includes('-h');
  if (!isHelp || id === undefined || !Object.hasOwn({ ...MODES, ...CHECKS }, id)) return;
  const plugins = await pluginsInUse({ builtIn: [], args, env: process.env });
  Object.assign(config.findCommand(id, { must: true }).flags, oclifFlags({}, plugins));
};

export default init;
