import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConnectorError, reasonOf, writePrivately, type Log } from '@mcp-connect/core';
import { openKeychain, type Keychain } from './keychain.js';
import { withLock } from './lock.js';
import type { SignIn, Store, StoreKey, Visit } from './model.js';
import { fileNameOf, groupOf, hashOf } from './names.js';
import { Safe } from './safe.js';

/** What a store is made from. */
export interface StoreOptions {
  /** The folder of the files; left out, everything is forgotten when the program ends. */
  readonly folder?: string;
  readonly log: Log;
  /** Finds the user's keychain; defaults to that of the operating system. */
  openKeychain?(): Promise<Keychain | undefined>;
}

const FILE = /^[0-9a-f]{32}-[0-9a-f]{32}\.json$/;

/**
 * Keeps each sign-in in a file of its own that only its user can read, and which is encrypted where there is a keychain
 * for the key.
 */
export class FileStore implements Store {
  readonly #folder: string | undefined;
  readonly #log: Log;
  readonly #safe: Safe;
  /** What could not be written, for as long as this program runs. */
  readonly #unwritten = new Map<string, SignIn>();
  /** Why the last sign-in could not be written; undefined while everything is kept. */
  problem: ConnectorError | undefined;

  constructor(options: StoreOptions) {
    this.#folder = options.folder;
    this.#log = options.log;
    this.#safe = new Safe({
      log: options.log,
      openKeychain: options.openKeychain ?? openKeychain,
      alone: (work) => this.lock('keychain', work),
    });
  }

  async find(resource: string, profile: string): Promise<readonly SignIn[]> {
    const all = await this.#readAll((name) => name.startsWith(groupOf(resource, profile)));
    return all.filter(({ key }) => key.resource === resource && key.profile === profile);
  }

  /** Never fails: where the folder cannot be written, the sign-in is kept for this run, and the user is told. */
  async write(signIn: SignIn): Promise<void> {
    this.#hide(signIn);
    const name = fileNameOf(signIn.key);
    try {
      if (this.#folder === undefined) this.#unwritten.set(name, signIn);
      else {
        await writePrivately(join(this.#folder, name), await this.#safe.close(signIn));
        this.#unwritten.delete(name);
        this.problem = undefined;
      }
    } catch (cause) {
      this.#unwritten.set(name, signIn);
      this.#tellUnwritable(cause);
    }
  }

  async remove(key: StoreKey): Promise<void> {
    const name = fileNameOf(key);
    this.#unwritten.delete(name);
    if (this.#folder === undefined) return;
    try {
      await rm(join(this.#folder, name), { force: true });
    } catch (cause) {
      throw unwritable(this.#folder, cause);
    }
  }

  list(): Promise<readonly SignIn[]> {
    return this.#readAll(() => true);
  }

  async readVisit(name: string): Promise<Visit | undefined> {
    if (this.#folder === undefined) return undefined;
    try {
      const opened = await this.#safe.open(await readFile(visitFile(this.#folder, name), 'utf8'));
      return opened.state === 'open' && isVisit(opened.content) ? opened.content : undefined;
    } catch {
      return undefined;
    }
  }

  async writeVisit(name: string, visit: Visit | undefined): Promise<void> {
    if (this.#folder === undefined) return;
    this.#log.hide(visit?.verifier, visit?.client.secret);
    const path = visitFile(this.#folder, name);
    try {
      if (visit === undefined) await rm(path, { force: true });
      else await writePrivately(path, await this.#safe.close(visit));
    } catch (error) {
      this.#log.debug?.('the sign-in under way is not shared: %s', reasonOf(error));
    }
  }

  async lock<T>(name: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const alone = (): Promise<T> => work(signal ?? new AbortController().signal);
    if (this.#folder === undefined) return alone();
    let begun = false;
    const begin = (held: AbortSignal): Promise<T> => {
      begun = true;
      return work(held);
    };
    try {
      return await withLock(join(this.#folder, `${hashOf(name)}.lock`), begin, signal);
    } catch (error) {
      if (begun || signal?.aborted) throw error;
      // Copies that cannot share a folder share no sign-in either.
      this.#tellUnwritable(error);
      return alone();
    }
  }

  /** Reads all files of fitting names, the latest sign-in first. */
  async #readAll(fits: (name: string) => boolean): Promise<SignIn[]> {
    const kept = new Map([...this.#unwritten].filter(([name]) => fits(name)));
    for (const name of await this.#names()) {
      if (!fits(name) || kept.has(name)) continue;
      const signIn = await this.#read(name);
      if (signIn !== undefined) kept.set(name, signIn);
    }
    return [...kept.values()].sort((a, b) => b.savedAt - a.savedAt);
  }

  async #names(): Promise<string[]> {
    if (this.#folder === undefined) return [];
    try {
      return (await readdir(this.#folder)).filter((name) => FILE.test(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#log.warn?.('the sign-ins in %s cannot be read: %s', this.#folder, reasonOf(error));
      return [];
    }
  }

  async #read(name: string): Promise<SignIn | undefined> {
    const path = join(this.#folder!, name);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      // It may have been removed since the folder was read.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#log.warn?.('%s cannot be read: %s', path, reasonOf(error));
      return undefined;
    }
    const opened = await this.#safe.open(text);
    if (opened.state === 'closed') {
      this.#log.warn?.('the sign-in in %s cannot be used: %s', path, opened.why);
      return undefined;
    }
    const signIn = opened.state === 'open' ? opened.content : undefined;
    if (!isSignIn(signIn) || fileNameOf(signIn.key) !== name) return this.#moveAside(path);
    this.#hide(signIn);
    return signIn;
  }

  /** Takes a file that makes no sense out of the way without losing it. */
  async #moveAside(path: string): Promise<undefined> {
    const aside = `${path}.${Date.now()}.corrupt`;
    try {
      await rename(path, aside);
      this.#log.warn?.(
        'the sign-in in %s cannot be understood and was moved to %s; sign in again',
        path,
        aside,
      );
    } catch (error) {
      this.#log.warn?.('the sign-in in %s cannot be understood: %s', path, reasonOf(error));
    }
  }

  #tellUnwritable(cause: unknown): void {
    const told = this.problem !== undefined;
    this.problem = unwritable(this.#folder!, cause);
    if (!told) this.#log.warn?.('%s %s', this.problem.message, this.problem.hint);
  }

  #hide({ client, tokens, dpopKey }: SignIn): void {
    this.#log.hide(client.secret, tokens?.accessToken, tokens?.refreshToken, dpopKey?.d);
  }
}

function unwritable(folder: string, cause: unknown): ConnectorError {
  return new ConnectorError('MCPC_SIGN_IN', `Sign-ins cannot be kept in ${folder}: ${reasonOf(cause)}.`, {
    cause,
    hint: 'Make the folder writable, or name another one with MCP_CONNECT_STATE_DIR',
  });
}

function visitFile(folder: string, name: string): string {
  return join(folder, `${hashOf(name)}.visit`);
}

function isVisit(value: unknown): value is Visit {
  const { purpose, client, page, redirectUri, state, verifier, begunAt, shownAt } = (value ??
    {}) as Partial<Visit>;
  const texts = [purpose, client?.id, page, redirectUri, state, verifier];
  return texts.every(isText) && [begunAt, shownAt].every((time) => typeof time === 'number');
}

function isSignIn(value: unknown): value is SignIn {
  const { key, client, scopes, server, savedAt, tokens } = (value ?? {}) as Partial<SignIn>;
  return (
    [key?.issuer, key?.resource, key?.profile, client?.id, server?.tokenEndpoint].every(isText) &&
    Array.isArray(scopes) &&
    typeof savedAt === 'number' &&
    (tokens === undefined || isText((tokens as Partial<typeof tokens> | null)?.accessToken))
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
