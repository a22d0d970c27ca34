import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hook } from '@oclif/core/hooks';
import { bashCompletion } from '../completion/bash.js';
import { powershellCompletion } from '../completion/powershell.js';

/**
 * Puts completions for bash and PowerShell in the place of oclif's. The one for bash knows only the first flag of a line,
 * the one for PowerShell no values, and it runs what a summary holds as `$(…)`. What is linked is completed at once, as
 * what is installed is.
 */
const postrun: Hook.Postrun = async ({ Command, config }) => {
  if (Command.id === 'plugins:link') await config.runCommand('autocomplete:create');
  if (!/^autocomplete(:create)?$/.test(Command.id)) return;
  const { bin, commands, cacheDir } = config;
  const functions = join(cacheDir, 'autocomplete', 'functions');
  const zsh = join(functions, 'zsh', `_${bin}`);
  await writeFile(zsh, withPlainSummaries(await readFile(zsh, 'utf8')));
  await writeFile(join(functions, 'bash', `${bin}.bash`), bashCompletion(bin, commands));
  await writeFile(join(functions, 'powershell', `${bin}.ps1`), powershellCompletion(bin, commands));
};

/** oclif puts summaries into double quotes, within which zsh would replace variables and run commands. */
function withPlainSummaries(script: string): string {
  return script.replaceAll(/^--[\w-]+"\[.*$/gm, (flag) => flag.replaceAll('$', '\\$'));
}

export default postrun;
