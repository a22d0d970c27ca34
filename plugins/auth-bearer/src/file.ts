import { readFileSync, statSync, type Stats } from 'node:fs';
import { ConnectorError, reasonOf, type Log } from '@mcp-connect/core';
import { tokenIn, type TokenSource } from './token.js';

const FLAG = 'auth-token-file';

/**
 * A token in a file that others may replace at any time. Looking at the file is synchronous: a request that had to wait
 * for it could be overtaken by the next one.
 */
export class TokenFile implements TokenSource {
  readonly #path: string;
  readonly #log: Log;
  #token: string;
  /** What tells the read file from its successors. */
  #version: string;
  /** A pipe can be read only once, and reading it again would wait for ever. */
  readonly #replaceable: boolean;
  #failing = false;

  /** @throws ConnectorError `MCPC_USAGE` when the file cannot be read or holds no token */
  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    try {
      const stats = statSync(path);
      this.#replaceable = stats.isFile();
      this.#version = versionOf(stats);
      this.#token = this.#read();
    } catch (cause) {
      if (cause instanceof ConnectorError) throw cause;
      throw new ConnectorError('MCPC_USAGE', `The file of --${FLAG} cannot be read: ${reasonOf(cause)}`, {
        cause,
        hint: `Give --${FLAG} the path of a readable file that holds nothing but the token`,
      });
    }
  }

  token(): string {
    return this.#current(false);
  }

  renew(): string {
    return this.#current(true);
  }

  /** A file that is gone or half-written for a moment does no harm: the last token holds. */
  #current(anew: boolean): string {
    if (!this.#replaceable) return this.#token;
    try {
      const version = versionOf(statSync(this.#path));
      if (version !== this.#version || anew) this.#token = this.#read();
      this.#version = version;
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#log.warn?.('the last token is kept: %s', reasonOf(error));
      this.#failing = true;
    }
    return this.#token;
  }

  #read(): string {
    const token = tokenIn(readFileSync(this.#path, 'utf8'), { flag: FLAG, code: 'MCPC_USAGE' });
    this.#log.hide(token);
    return token;
  }
}

function versionOf({ ino, size, mtimeMs }: Stats): string {
  return `${ino} ${size} ${mtimeMs}`;
}
