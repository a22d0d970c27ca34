import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConnectorError, makeFolder, reasonOf } from '@mcp-connect/core';

/** How often a file that others change meanwhile is begun anew. */
const MOST_TRIES = 5;

/** What became of a settings file. */
export interface Stored {
  readonly before: string;
  readonly after: string;
  /** The copy of what was there before, where there was something. */
  readonly backup?: string;
}

/**
 * Reads a settings file; one that is not there is empty.
 *
 * @throws ConnectorError `MCPC_USAGE` when it cannot be read
 */
export function readSettings(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw failure(`${file} cannot be read: ${reasonOf(cause)}`, cause);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw failure(`${file} is no text in UTF-8.`, cause);
  }
}

/**
 * Changes a settings file: its readers see the old text or the new one, never a part; a link stays one, the mode stays,
 * and a copy of the old text is left beside it that only its user can read.
 *
 * @param change makes the new text from the old one; may be called again when another program writes meanwhile
 * @throws ConnectorError `MCPC_USAGE` when the file cannot be written; it is then as it was
 */
export function changeSettings(file: string, change: (text: string) => string): Stored {
  for (let attempt = 1; attempt <= MOST_TRIES; attempt++) {
    const before = readSettings(file);
    const after = change(before);
    if (after === before) return { before, after };
    const stored = replace(file, { before, after });
    if (stored !== undefined) return stored;
  }
  throw failure(`${file} is changed by another program again and again.`);
}

function replace(file: string, { before, after }: Stored): Stored | undefined {
  try {
    const target = targetOf(file);
    const stats = statSync(target, { throwIfNoEntry: false });
    if (stats !== undefined) accessSync(target, constants.W_OK);
    else makeFolder(dirname(target));
    const backup = stats === undefined ? undefined : keep(file, before);
    const draft = `${target}.${randomUUID()}.tmp`;
    try {
      const mode = stats === undefined ? 0o600 : stats.mode & 0o777;
      writeFileSync(draft, after, { mode: 0o600, flag: 'wx', flush: true });
      chmodSync(draft, mode);
      if (readSettings(target) !== before) {
        if (backup !== undefined) rmSync(backup);
        return undefined;
      }
      renameSync(draft, target);
    } finally {
      rmSync(draft, { force: true });
    }
    return { before, after, ...(backup !== undefined && { backup }) };
  } catch (cause) {
    if (cause instanceof ConnectorError) throw cause;
    throw failure(`${file} cannot be written: ${reasonOf(cause)}`, cause);
  }
}

/** Follows links, also one whose file is not there yet. */
function targetOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    return isLink ? resolve(dirname(file), readlinkSync(file)) : file;
  }
}

/** Leaves a copy under the first name that is free. */
function keep(file: string, text: string): string {
  for (let number = 1; ; number++) {
    const backup = number === 1 ? `${file}.bak` : `${file}.bak.${number}`;
    try {
      writeFileSync(backup, text, { mode: 0o600, flag: 'wx' });
      return backup;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function failure(message: string, cause?: unknown): ConnectorError {
  return new ConnectorError('MCPC_USAGE', message, { cause, hint: 'Name another file with --file' });
}
