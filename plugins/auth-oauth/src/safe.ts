import { reasonOf, type Log } from '@mcp-connect/core';
import { makeKey, seal, unseal, type Keychain } from './keychain.js';

/** The form of a file. A program that knows only an older form leaves newer files alone. */
const VERSION = 1;
const KEY_NAME = 'oauth';

/** What a file turned out to hold. */
export type Opened =
  | { readonly state: 'open'; readonly content: unknown }
  /** Sealed with a key that cannot be had now, or written by a newer version: nothing is wrong with it. */
  | { readonly state: 'closed'; readonly why: string }
  | { readonly state: 'broken' };

/** What a safe is made from. */
export interface SafeOptions {
  readonly log: Log;
  openKeychain(): Promise<Keychain | undefined>;
  /** Does work that no other process must do meanwhile. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

type File =
  | { readonly version: number; readonly content: unknown }
  /** The content, encrypted with the key that the keychain keeps. */
  | { readonly version: number; readonly sealed: string };

/** Turns what is kept into the text of a file and back; encrypted where there is a keychain for the key. */
export class Safe {
  readonly #options: SafeOptions;
  #keychain: Promise<Keychain | undefined> | undefined;

  constructor(options: SafeOptions) {
    this.#options = options;
  }

  /** Makes the text of a file. */
  async close(content: unknown): Promise<string> {
    const key = await this.#key();
    const file: File =
      key === undefined
        ? { version: VERSION, content }
        : { version: VERSION, sealed: seal(JSON.stringify(content), key) };
    return JSON.stringify(file);
  }

  /** Reads the text of a file. */
  async open(text: string): Promise<Opened> {
    const file = parsed(text) as Partial<File> | undefined;
    if (typeof file?.version !== 'number') return { state: 'broken' };
    if (file.version > VERSION) return { state: 'closed', why: 'it was written by a newer version' };
    if (!('sealed' in file)) return { state: 'open', content: (file as { content?: unknown }).content };
    let key: string | undefined;
    try {
      key = (await this.#chain())?.read(KEY_NAME);
    } catch (error) {
      return { state: 'closed', why: reasonOf(error) };
    }
    if (key === undefined) return { state: 'closed', why: 'the keychain has no key for it' };
    try {
      return { state: 'open', content: JSON.parse(unseal(file.sealed, key)) as unknown };
    } catch {
      return { state: 'broken' };
    }
  }

  /** Returns the key of the keychain, which the first one to need it makes; undefined where there is no keychain. */
  async #key(): Promise<string | undefined> {
    const chain = await this.#chain();
    if (chain === undefined) return undefined;
    const { alone, log } = this.#options;
    try {
      return (
        chain.read(KEY_NAME) ??
        (await alone(async () => {
          const key = chain.read(KEY_NAME) ?? makeKey();
          chain.write(KEY_NAME, key);
          return key;
        }))
      );
    } catch (error) {
      log.debug?.('the keychain is not used: %s', reasonOf(error));
      return undefined;
    }
  }

  #chain(): Promise<Keychain | undefined> {
    return (this.#keychain ??= this.#options.openKeychain());
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}
