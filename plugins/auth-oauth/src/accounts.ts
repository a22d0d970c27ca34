import { join } from 'node:path';
import type { Endpoint, Log, Settings } from '@mcp-connect/core';
import type { Config } from './config.js';
import type { Account } from './model.js';

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
  /** Returns the account of an endpoint with a web address; the first call loads what that takes. */
  get(endpoint: Endpoint): Account | Promise<Account>;
}

/** Keeps one account an endpoint. */
export function accountsFor(options: AccountsOptions): Accounts {
  const accounts = new Map<string, Account | Promise<Account>>();
  return {
    get(endpoint) {
      const key = endpoint.url!.href;
      const known = accounts.get(key);
      if (known !== undefined) return known;
      const opening = openAccount(endpoint, options).then((account) => {
        accounts.set(key, account);
        return account;
      });
      accounts.set(key, opening);
      return opening;
    },
  };
}

async function openAccount({ url }: Endpoint, options: AccountsOptions): Promise<Account> {
  const { config, settings, log, browser } = options;
  const [{ OAuthAccount }, { FileStore }, { LocalPerson }] = await Promise.all([
    import('./account.js'),
    import('./store.js'),
    import('./person.js'),
  ]);
  const { stateDir } = settings;
  return new OAuthAccount({
    endpoint: url!,
    config,
    settings,
    log,
    store: new FileStore({ log, ...(stateDir !== undefined && { folder: join(stateDir, 'oauth') }) }),
    person: new LocalPerson({ browser, log, env: process.env, platform: process.platform }),
  });
}
