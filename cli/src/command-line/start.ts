import { homedir } from 'node:os';
import { ConnectorError } from '@mcp-connect/core';
import { consoleToStderr } from '../output/console.js';
import { ownNamespaces } from '../output/debug.js';
import { reportOf } from '../output/report.js';
import { runProxy, STOP_SIGNALS, type Invocation } from '../serve/proxy.js';
import { openLine } from './line.js';
import { MODES, type Mode } from './modes.js';
import { cutLine, parsePlain, variablesInUse } from './plain.js';

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
    checkHome();
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

/** A user of a container may have no home folder, and then even Node.js fails who asks for it. */
function checkHome(): void {
  try {
    homedir();
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', 'This user has no home folder.', {
      cause,
      hint: 'Set HOME to a folder that only this user may write to; sign-ins and plugins are kept there',
    });
  }
}

/** Until a client is served there is nothing to end in good order. */
function stopAtOnce(): void {
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(0);
    });
  }
}

async function readPlainly([command = '', ...rest]: readonly string[]): Promise<Invocation | undefined> {
  const mode: Mode | undefined = Object.hasOwn(MODES, command)
    ? MODES[command as keyof typeof MODES]
    : undefined;
  if (mode === undefined || cutLine(rest).args.some((word) => HELP.has(word))) return undefined;
  stopAtOnce();
  const restore = consoleToStderr();
  const { args, words, flags, plugins, file, presets } = await openLine(mode, rest, {
    env: process.env,
  });
  const values = parsePlain(args, flags, { env: process.env, presets: presets.values });
  // Help and mistakes are oclif's to tell, on stdout where they belong.
  if (values === undefined) restore();
  if (values === undefined) return undefined;
  const variables = variablesInUse(args, flags, process.env);
  return {
    mode,
    flags,
    plugins,
    values,
    args,
    words,
    variables,
    file: file?.path,
    warnings: presets.warnings,
  };
}
