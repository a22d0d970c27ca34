import { reasonOf, type Log, type Severity } from '@mcp-connect/core';
import type { LegacySession } from './legacy-session.js';

/**
 * Sets the log level of a legacy session to what the requests that wait have asked for: the modern era knows a level
 * for each of them only (2026-07-28 server/utilities/logging).
 */
export class SessionLogLevel {
  readonly #session: LegacySession;
  readonly #log: Log;
  #level: Severity | undefined;
  #setting: Promise<void> | undefined;

  constructor(session: LegacySession, log: Log) {
    this.#session = session;
    this.#log = log;
  }

  /** Has the server log from this level on. A returned promise settles when it does. */
  set(level: Severity | undefined): void | Promise<void> {
    if (level === undefined || !('logging' in (this.#session.opened?.capabilities ?? {}))) return undefined;
    if (level !== this.#level) {
      this.#level = level;
      this.#setting = this.#tell(level);
    }
    return this.#setting;
  }

  /** Sets the level once more, in a new session. */
  async restore(): Promise<void> {
    if (this.#level !== undefined) await this.#tell(this.#level);
  }

  /** A level that cannot be set is no reason to fail a request. */
  async #tell(level: Severity): Promise<void> {
    try {
      await this.#session.ask('logging/setLevel', { level });
    } catch (error) {
      this.#log.debug?.('the log level was not set: %s', reasonOf(error));
    } finally {
      if (this.#level === level) this.#setting = undefined;
    }
  }
}
