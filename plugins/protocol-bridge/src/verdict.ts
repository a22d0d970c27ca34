import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, writePrivately, type Credentials, type Endpoint, type Log } from '@mcp-connect/core';
import type { Era } from './era.js';

/** How long a verdict holds, in milliseconds. A server that has learned more since is not looked down on for ever. */
const LIFETIME = 24 * 3_600_000;
/** Verdicts that one file keeps; the oldest give way. */
const MOST_KEPT = 500;
const FILE = 'eras.json';

interface Entry {
  /** The era that the server refuses. */
  readonly refuses: Era;
  /** When that was seen, in milliseconds since 1970. */
  readonly at: number;
}

/** What verdicts of several runs rest on. */
export interface VerdictOptions {
  readonly endpoint: Endpoint;
  readonly log: Log;
  /** The folder for what outlives a run; left out, nothing does. */
  readonly stateDir: string | undefined;
}

/**
 * What is known of one server: the era that it refuses, in each authorization context. A verdict saves the next run a
 * refused message, or the start of a program that dies of one; one that is wrong is noticed and dropped
 * (2026-07-28 basic/versioning).
 */
export class Verdict {
  readonly #options: VerdictOptions;
  /** Verdicts of this run, by key; undefined where none holds. */
  readonly #known = new Map<string, Era | undefined>();
  /** Who we are to the server, where that is what the next verdict is about. */
  #credentials: Credentials = { headers: {} };
  #named: string | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: VerdictOptions) {
    this.#options = options;
  }

  /** The era that the server is known to refuse, in the context of these credentials. What is noted next is of it too. */
  read(credentials: Credentials): Era | undefined {
    this.#credentials = credentials;
    this.#named = undefined;
    // Most runs meet servers of their client's era, and need not work out a name for them.
    const kept = this.#known.size === 0 ? this.#kept() : undefined;
    if (kept?.size === 0) return undefined;
    if (!this.#known.has(this.#key))
      this.#known.set(this.#key, (kept ?? this.#kept()).get(this.#key)?.refuses);
    return this.#known.get(this.#key);
  }

  /** Notes the era that the server refuses, for this run. */
  refuses(era: Era): void {
    this.#known.set(this.#key, era);
  }

  /** Keeps what was noted for other runs too. */
  keep(): void {
    const refuses = this.#known.get(this.#key);
    if (refuses !== undefined) this.#change((kept) => kept.set(this.#key, { refuses, at: Date.now() }));
  }

  /** Forgets what was noted. */
  drop(): void {
    this.#known.set(this.#key, undefined);
    this.#change((kept) => kept.delete(this.#key));
  }

  /** Settles when all is written. */
  written(): Promise<void> {
    return this.#writing;
  }

  get #key(): string {
    return (this.#named ??= keyOf(this.#options.endpoint, this.#credentials));
  }

  /** Reads what earlier runs have kept. A file that cannot be read is as good as none. */
  #kept(): Map<string, Entry> {
    const { stateDir, log } = this.#options;
    if (stateDir === undefined) return new Map();
    try {
      const entries = Object.entries(
        JSON.parse(readFileSync(join(stateDir, FILE), 'utf8')) as Record<string, Entry>,
      );
      const since = Date.now() - LIFETIME;
      return new Map(entries.filter(([, { at }]) => at > since));
    } catch (error) {
      const isFirstRun = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isFirstRun) log.debug?.('no verdicts of earlier runs: %s', reasonOf(error));
      return new Map();
    }
  }

  #change(change: (kept: Map<string, Entry>) => unknown): void {
    this.#writing = this.#rewrite(change, this.#writing);
  }

  async #rewrite(change: (kept: Map<string, Entry>) => unknown, before: Promise<void>): Promise<void> {
    const { stateDir, log } = this.#options;
    await before;
    if (stateDir === undefined) return;
    const kept = this.#kept();
    change(kept);
    const newest = [...kept].sort(([, a], [, b]) => b.at - a.at).slice(0, MOST_KEPT);
    try {
      await writePrivately(join(stateDir, FILE), JSON.stringify(Object.fromEntries(newest)));
    } catch (error) {
      log.debug?.('the verdict is not kept: %s', reasonOf(error));
    }
  }
}

/** Names a server and who we are to it, without showing either. A command may mean something else in another folder. */
function keyOf({ scheme, address, argv }: Endpoint, { headers }: Credentials): string {
  const place = scheme === 'stdio' ? process.cwd() : '';
  const context = JSON.stringify([scheme, address, argv, place, Object.entries(headers).sort(byName)]);
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(context).digest('base64url').slice(0, 22);
}

function byName([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1;
}
