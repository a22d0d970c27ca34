import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { ConnectorError, splitCommand, type Endpoint } from '@mcp-connect/core';

/** Where programs are looked for without a PATH (POSIX execvp). */
const DEFAULT_PATH = '/bin:/usr/bin';

const EXACT =
  'Balance the quotes, or give exact words behind --, for example: mcp-connect proxy -- node "my server.js"';

/** Where a program is looked for. */
export interface Surroundings {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** The directory that the program will run in. */
  readonly cwd: string;
}

/**
 * Returns the program of an endpoint and its arguments.
 *
 * @throws ConnectorError `MCPC_USAGE` when there is no program, or a quote is left open
 */
export function wordsOf({ argv, address }: Endpoint): readonly [program: string, ...args: string[]] {
  const [program, ...args] = argv ?? splitCommand(address, { source: 'the stdio endpoint', hint: EXACT });
  if (program) return [program, ...args];
  throw new ConnectorError('MCPC_USAGE', 'The command of the stdio endpoint is empty.', {
    hint: 'Name a program, for example: mcp-connect proxy -- node server.js',
  });
}

/**
 * Makes sure that a program can be started, so that a slip of the pen is reported at once.
 *
 * @throws ConnectorError `MCPC_USAGE` when there is no such program, or it may not be run
 */
export function checkProgram(program: string, { env, cwd }: Surroundings): void {
  const files = placesOf(program, { env, cwd }).filter(isFile);
  if (files.some(isExecutable)) return;
  if (files.length > 0) {
    throw new ConnectorError('MCPC_USAGE', `The program ${files[0]} is not executable.`, {
      hint: `Run chmod +x ${files[0]}, or name its interpreter first, for example: node ${program}`,
    });
  }
  const where = isPath(program) ? 'does not exist' : 'was not found on the PATH';
  throw new ConnectorError('MCPC_USAGE', `The program ${program} ${where}.`, {
    hint: 'Check its spelling, install it, or give its full path',
  });
}

/** Every file that the system may mean by `program`, in its own order. */
function placesOf(program: string, { env, cwd }: Surroundings): string[] {
  const folders = isPath(program)
    ? [cwd]
    : (env['PATH'] ?? env['Path'] ?? DEFAULT_PATH).split(path.delimiter);
  const endings =
    process.platform === 'win32' ? ['', ...(env['PATHEXT'] ?? '.EXE;.CMD;.BAT;.COM').split(';')] : [''];
  return folders.flatMap((folder) => endings.map((ending) => path.resolve(cwd, folder, program + ending)));
}

function isPath(program: string): boolean {
  return program.includes('/') || program.includes(path.sep);
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
