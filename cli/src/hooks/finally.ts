import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hook } from '@oclif/core/hooks';
import { bashCompletion } from '../completion.js';

/** Commands behind which oclif's plugin may have written its completion script for bash. */
const WRITERS = /^(autocomplete|plugins)(:|$)/;

/** Puts our completion script in the place of that of oclif's plugin, wherever it has written one. */
const done: Hook.Finally = async ({ id, config }) => {
  if (id === undefined || !WRITERS.test(id)) return;
  const file = join(config.cacheDir, 'autocomplete', 'functions', 'bash', `${config.bin}.bash`);
  if (!existsSync(file)) return;
  const commands = config.commands.filter(({ hidden }) => !hidden);
  writeFileSync(file, bashCompletion(config.bin, commands));
};

export default done;
