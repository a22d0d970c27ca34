import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hook } from '@oclif/core/hooks';
import { bashCompletion } from '../bash-completion.js';

/**
 * Puts a completion for bash in the place of oclif's, which knows only the first flag of a line. What is linked is
 * completed at once, as what is installed is.
 */
const postrun: Hook.Postrun = async ({ Command, config }) => {
  if (Command.id === 'plugins:link') await config.runCommand('autocomplete:create');
  if (!/^autocomplete(:create)?$/.test(Command.id)) return;
  const folder = join(config.cacheDir, 'autocomplete', 'functions', 'bash');
  await writeFile(join(folder, `${config.bin}.bash`), bashCompletion(config.bin, config.commands));
};

export default postrun;
