import { consoleToStderr } from './console.js';
import { ownNamespaces } from './debug.js';
import { pluginsInUse } from './in-use.js';
import { mergeFlags } from './load.js';
import { MODES, type Mode } from './modes.js';
import { cutLine, parsePlain, variablesInUse } from './plain.js';
import { runProxy, type Invocation } from './proxy.js';
import { reportOf } from './report.js';

const HELP = new Set(['--help', '-h']);

/**
 * Runs the command line and ends the process. A plain line of a serving command goes straight to work; everything
 * else, help and mistakes included, is oclif's, which takes 100 ms longer to load.
 *
 * @param argv the words after the program's name
 */
export async function start(argv: readonly string[]): Promise<never> {
  const debug = ownNamespaces(process.env['DEBUG']);
  if (debug === undefined) delete process.env['DEBUG'];
  else process.env['DEBUG'] = debug;
  try {
    const invocation = await readPlainly(argv);
    if (invocation !== undefined) process.exit(await runProxy(invocation, process));
    const { runOclif } = await import('./oclif.js');
    await runOclif(argv);
    process.exit();
  } catch (error) {
    const { line, exitCode } = reportOf(error);
    process.stderr.write(`${line}\n`);
    process.exit(exitCode);
  }
}

async function readPlainly([command = '', ...rest]: readonly string[]): Promise<Invocation | undefined> {
  const mode: Mode | undefined = Object.hasOwn(MODES, command)
    ? MODES[command as keyof typeof MODES]
    : undefined;
  const { args, words } = cutLine(rest);
  if (mode === undefined || args.some((word) => HELP.has(word))) return undefined;
  const restore = consoleToStderr();
  const plugins = await pluginsInUse({ builtIn: mode.plugins, args, env: process.env });
  const flags = mergeFlags(mode.flags, plugins);
  const values = parsePlain(args, flags, process.env);
  // Help and mistakes are oclif's to tell, on stdout where they belong.
  if (values === undefined) restore();
  return (
    values && { mode, flags, plugins, values, words, variables: variablesInUse(args, flags, process.env) }
  );
}
