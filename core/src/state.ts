import { dirname, join } from 'node:path';
import { makeFolder } from './folder.js';
import { randomId } from './random.js';

/** Where a program may keep its state, as far as it depends on the machine and its user. */
export interface StatePlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's home folder. */
  readonly home: string;
}

/**
 * Names the folder for what outlives a run and is no configuration: sign-ins, verdicts, sockets. `MCP_CONNECT_STATE_DIR`
 * names another one.
 */
export function stateDir({ env, platform, home }: StatePlace): string {
  const own = env['MCP_CONNECT_STATE_DIR'];
  if (own) return own;
  if (platform === 'win32') {
    return join(env['LOCALAPPDATA'] || join(home, 'AppData', 'Local'), 'mcp-connect', 'State');
  }
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'mcp-connect');
  return join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'mcp-connect');
}

/**
 * Names the folder for what lives no longer than a process, such as sockets: the one of the user's log-in, else one
 * below {@link stateDir}. On Windows sockets are named pipes, which have no folder.
 */
export function runtimeDir(place: StatePlace): string {
  const own = place.env['MCP_CONNECT_STATE_DIR'];
  const login = place.env['XDG_RUNTIME_DIR'];
  return !own && login ? join(login, 'mcp-connect') : join(stateDir(place), 'run');
}

/**
 * Writes a file that only its user can read (0600, in a folder that is 0700 where it has to be made). Readers see the
 * old text or the new one, never a part.
 *
 * @throws NodeJS.ErrnoException when the folder or the file cannot be written; the old file is then untouched
 */
export async function writePrivately(path: string, text: string): Promise<void> {
  const { rename, rm, writeFile } = await import('node:fs/promises');
  makeFolder(dirname(path), 0o700);
  const draft = `${path}.${randomId()}.tmp`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
