import { OAuthAccount } from './account.js';
import type { AccountsOptions } from './accounts.js';
import type { Account } from './model.js';
import { signInFolder } from './names.js';
import { LocalPerson } from './person.js';
import { FileStore } from './store.js';

/** Opens the account of an endpoint. This module holds everything that only a sign-in needs. */
export function openAccount(endpoint: URL, options: AccountsOptions): Account {
  const { config, settings, log, browser } = options;
  const folder = signInFolder(settings.stateDir);
  return new OAuthAccount({
    endpoint,
    config,
    settings,
    log,
    store: new FileStore({ log, ...(folder !== undefined && { folder }) }),
    person: new LocalPerson({ browser, log, env: process.env, platform: process.platform }),
  });
}
