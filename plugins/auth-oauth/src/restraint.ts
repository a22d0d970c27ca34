import { ConnectorError } from '@mcp-connect/core';

/** After a failed sign-in the user is left in peace for this long, in milliseconds. */
const PEACE = 10_000;

/** Failures that lie with the user or a server, and not with the network. */
const LASTING = new Set<string>(['MCPC_SIGN_IN', 'MCPC_AUTH_SERVER']);

/** So many sign-ins within {@link WINDOW} are plenty: a server that refuses every token opens no tab after tab. */
const MOST = 3;
const WINDOW = 60_000;

/** Keeps sign-ins from troubling the user again and again. */
export class Restraint {
  #failed: { readonly error: ConnectorError; readonly until: number } | undefined;
  /** When the user was asked of late. */
  #asked: number[] = [];

  /**
   * Lets the next sign-in begin.
   *
   * @throws ConnectorError of the last one while that is too fresh to be tried again
   */
  pass(): void {
    if (this.#failed !== undefined && this.#failed.until > Date.now()) throw this.#failed.error;
    this.#failed = undefined;
  }

  /**
   * Notes that the user is asked.
   *
   * @throws ConnectorError `MCPC_SIGN_IN` when that was done often enough
   */
  ask(resource: string): void {
    const now = Date.now();
    this.#asked = this.#asked.filter((time) => time > now - WINDOW);
    if (this.#asked.length >= MOST) {
      throw new ConnectorError('MCPC_SIGN_IN', `${resource} refuses every token that it was given.`, {
        hint: 'Report this to whoever runs the server, or use another account with --profile NAME',
      });
    }
    this.#asked.push(now);
  }

  /** Notes that a sign-in failed. */
  fail(error: unknown): void {
    const lasting = error instanceof ConnectorError && LASTING.has(error.code);
    if (lasting) this.#failed = { error, until: Date.now() + PEACE };
  }
}
