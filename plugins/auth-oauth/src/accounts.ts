import type { Challenge, Credentials, Endpoint, Log, Settings } from '@mcp-connect/core';
import type { Config } from './config.js';
import type { Account } from './model.js';
import { hasSignIn, signInFolder } from './names.js';

/** What accounts are made from. */
export interface AccountsOptions {
  readonly config: Config;
  readonly settings: Settings;
  readonly log: Log;
  /** Whether a browser may be opened. */
  readonly browser: boolean;
}

/** The accounts of the endpoints of one connector. */
export interface Accounts {
  /** Returns the account of an endpoint with a web address. */
  get(endpoint: Endpoint): Account;
}

/** Keeps one account an endpoint. */
export function accountsFor(options: AccountsOptions): Accounts {
  const accounts = new Map<string, Account>();
  return {
    get({ url }) {
      const known = accounts.get(url!.href);
      if (known !== undefined) return known;
      const account = new LazyAccount(url!, options);
      accounts.set(url!.href, account);
      return account;
    },
  };
}

/** Loads what signing in takes when there is a sign-in already, or when a server asks for one. */
class LazyAccount implements Account {
  readonly #endpoint: URL;
  readonly #options: AccountsOptions;
  /** Credentials that there was nothing to put on. */
  readonly #unsigned = new WeakSet<Credentials>();
  #opening: Promise<Account> | undefined;
  #account: Account | undefined;

  constructor(endpoint: URL, options: AccountsOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    const { config, settings } = options;
    if (hasSignIn(signInFolder(settings.stateDir), endpoint, config.profile)) this.#opening = this.#open();
  }

  get page(): URL | undefined {
    return this.#account?.page;
  }

  sign(credentials: Credentials): void | Promise<void> {
    if (credentials.headers['authorization'] !== undefined) return undefined;
    if (this.#account !== undefined) return this.#account.sign(credentials);
    if (this.#opening !== undefined) return this.#opening.then((account) => account.sign(credentials));
    this.#unsigned.add(credentials);
    return undefined;
  }

  signed(credentials: Credentials): boolean {
    return this.#unsigned.has(credentials) || this.#account?.signed(credentials) === true;
  }

  async answer(challenge: Challenge, refused?: Credentials['headers']): Promise<void> {
    const account = await (this.#opening ??= this.#open());
    return account.answer(challenge, refused);
  }

  async close(): Promise<void> {
    await (await this.#opening)?.close();
  }

  async #open(): Promise<Account> {
    const { openAccount } = await import('./open-account.js');
    return (this.#account = openAccount(this.#endpoint, this.#options));
  }
}
