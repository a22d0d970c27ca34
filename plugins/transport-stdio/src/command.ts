import { accessSync, constants, existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { ConnectorError, splitCommand, type Endpoint } from '@mcp-connect/core';

/** Where programs are looked for without a PATH (POSIX execvp). */
const DEFAULT_PATH = '/bin:/usr/bin';

/** What Windows takes for a program where `PATHEXT` does not say. */
const ENDINGS = '.COM;.EXE;.BAT;.CMD';

const EXACT =
  'Balance the quotes, or give exact words behind --, for example: mcp-connect proxy -- node "my server.js"';

/** Where a program is looked for. */
export interface Surroundings {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** The directory that the program will run in. */
  readonly cwd: string;
  /** The system; this one where not given. */
  readonly platform?: NodeJS.Platform;
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
  const places = placesOf(program, { env, cwd });
  const files = places.filter(isFile);
  if (files.some(isExecutable)) return;
  if (files.length > 0) {
    throw new ConnectorError('MCPC_USAGE', `The program ${files[0]} is not executable.`, {
      hint: `Run chmod +x ${files[0]}, or name its interpreter first, for example: node ${program}`,
    });
  }
  if (isPath(program, process.platform) && places.some((place) => existsSync(place))) {
    throw new ConnectorError('MCPC_USAGE', `The program ${program} is not a file.`, {
      hint: 'Give the path of the program itself, or its interpreter and the path of its script',
    });
  }
  const where = isPath(program, process.platform) ? 'does not exist' : 'was not found on the PATH';
  throw new ConnectorError('MCPC_USAGE', `The program ${program} ${where}.`, {
    hint: 'Check its spelling, install it, or give its full path',
  });
}

/**
 * Lists every file that the system may mean by `program`, in its own order. Windows also looks in the working directory,
 * and tries the endings of `PATHEXT`.
 */
export function placesOf(
  program: string,
  { env, cwd, platform = process.platform }: Surroundings,
): readonly string[] {
  const windows = platform === 'win32';
  const system = windows ? path.win32 : path.posix;
  const searched = (valueOf('PATH', env, platform) ?? DEFAULT_PATH)
    .split(system.delimiter)
    // Windows takes quotes around a folder whose name holds a semicolon.
    .map((folder) => (windows ? folder.replaceAll('"', '') : folder));
  const folders = isPath(program, platform) ? [cwd] : [...(windows ? [cwd] : []), ...searched];
  const endings = windows ? ['', ...(valueOf('PATHEXT', env, platform) ?? ENDINGS).split(';')] : [''];
  return folders.flatMap((folder) => endings.map((ending) => system.resolve(cwd, folder, program + ending)));
}

/** Reads a variable; on Windows its name may be written in any case, such as `Path`. */
function valueOf(name: string, env: Surroundings['env'], platform: NodeJS.Platform): string | undefined {
  if (platform !== 'win32') return env[name];
  return Object.entries(env).find(([other]) => other.toUpperCase() === name)?.[1];
}

function isPath(program: string, platform: NodeJS.Platform): boolean {
  return program.includes('/') || (platform === 'win32' && /[\\:]/.test(program));
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
