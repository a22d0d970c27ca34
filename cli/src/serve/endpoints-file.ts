import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { ConnectorError, reasonOf, type Endpoint, type Log } from '@mcp-connect/core';

/** How often the file is looked at, in milliseconds; this works on every file system, and where links are exchanged. */
const EVERY = 1_000;

/**
 * Reads a file of endpoints: one a line, without blank lines and those that begin with `#`.
 *
 * @throws ConnectorError `MCPC_USAGE` when it cannot be read or names none
 */
export function readEndpointsFile(path: string): string[] {
  const hint = 'Give --endpoints-file the path of a text file with one endpoint a line';
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `The file of --endpoints-file cannot be read: ${reasonOf(cause)}`;
    throw new ConnectorError('MCPC_USAGE', message, { cause, hint });
  }
  const endpoints = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (endpoints.length > 0) return endpoints;
  throw new ConnectorError('MCPC_USAGE', 'The file of --endpoints-file names no endpoint.', { hint });
}

/** What endpoints are followed with. */
export interface FollowOptions {
  readonly path: string;
  readonly log: Log;
  /** Reads and checks all endpoints anew. */
  read(): readonly Endpoint[];
  /** Goes on with these. */
  onchange(endpoints: readonly Endpoint[]): void;
}

/** Follows a file of endpoints. What is wrong with it is logged, and changes nothing. */
export class EndpointsFile {
  readonly #options: FollowOptions;
  readonly #look = (): void => this.reread();

  constructor(options: FollowOptions) {
    this.#options = options;
    watchFile(options.path, { interval: EVERY, persistent: false }, this.#look);
  }

  /** Reads the file again. */
  reread(): void {
    const { log, read, onchange } = this.#options;
    try {
      onchange(read());
      log.info?.('the endpoints were read again');
    } catch (error) {
      log.error?.('the endpoints stay as they are: %s', reasonOf(error));
    }
  }

  close(): void {
    unwatchFile(this.#options.path, this.#look);
  }
}
