import { closeSync, fchmodSync, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { ConnectorError, reasonOf } from '@mcp-connect/core';

/** A file of this size makes room for a new one, in bytes; {@link KEPT} old ones are kept beside it. */
const LARGEST = 5 * 1024 * 1024;
const KEPT = 3;

/** The user may read and write, and nobody else may do anything. */
const PRIVATE = 0o600;

/** How a log file is kept. */
export interface LogFileOptions {
  /** Size in bytes at which a new file is begun; 5 MiB where not given. */
  readonly largest?: number;
}

/**
 * A log file that only its user can read and that cannot fill the disk: once it is large, it becomes `FILE.1`, what was
 * `FILE.1` becomes `FILE.2`, and so on to `FILE.3`. Several programs may share one.
 */
export class LogFile {
  readonly #path: string;
  readonly #largest: number;
  #file: number | undefined;
  #size = 0;

  /** @throws ConnectorError `MCPC_USAGE` when the file cannot be written */
  constructor(path: string, { largest = LARGEST }: LogFileOptions = {}) {
    this.#path = path;
    this.#largest = largest;
    try {
      this.#open();
    } catch (cause) {
      throw new ConnectorError('MCPC_USAGE', `The file of --log-file cannot be written: ${reasonOf(cause)}`, {
        cause,
        hint: 'Give --log-file the path of a file in a folder that is there and that you may write to',
      });
    }
  }

  /**
   * Writes one line, at once, so that the last words before a crash are there. A disk that is full ends the file and
   * nothing else.
   */
  write(line: string): void {
    if (this.#file === undefined) return;
    try {
      const bytes = Buffer.from(`${line}\n`);
      if (this.#size > 0 && this.#size + bytes.length > this.#largest) this.#turn();
      writeSync(this.#file, bytes);
      this.#size += bytes.length;
    } catch {
      this.close();
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): void {
    this.#file = openSync(this.#path, 'a', PRIVATE);
    const stat = fstatSync(this.#file);
    this.#size = stat.isFile() ? stat.size : -Infinity;
    if (stat.isFile() && (stat.mode & 0o077) !== 0) fchmodSync(this.#file, PRIVATE);
  }

  #turn(): void {
    this.close();
    // Another program may have done it already, and have begun the new file.
    if (sizeOf(this.#path) >= this.#largest / 2) {
      for (let age = KEPT - 1; age > 0; age--) move(`${this.#path}.${age}`, `${this.#path}.${age + 1}`);
      move(this.#path, `${this.#path}.1`);
    }
    this.#open();
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function move(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, to);
}
