import type { Credentials } from '@mcp-connect/core';
import type { Era } from './era.js';

/** What is known of one server: the era that it refuses. */
export class Verdict {
  #refused: Era | undefined;

  /** The era that the server is known to refuse, in the authorization context of these credentials. */
  async read(_credentials: Credentials): Promise<Era | undefined> {
    return this.#refused;
  }

  /** Notes the era that the server refuses, for this run. */
  refuses(era: Era): void {
    this.#refused = era;
  }

  /** Keeps what was noted for other runs too. */
  keep(): void {}

  /** Forgets what was noted. */
  drop(): void {
    this.#refused = undefined;
  }
}
