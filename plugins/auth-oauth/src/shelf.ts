import { reasonOf, type Log } from '@mcp-connect/core';
import type { Config } from './config.js';
import type { SignIn, Store } from './model.js';

/** What a {@link Shelf} is made from. */
export interface ShelfOptions {
  readonly store: Store;
  readonly config: Config;
  readonly log: Log;
}

/** The part of a store that serves one endpoint with the settings of this run. */
export class Shelf {
  readonly #options: ShelfOptions;
  readonly #resource: string;

  constructor(options: ShelfOptions, resource: string) {
    this.#options = options;
    this.#resource = resource;
  }

  /** Returns the latest sign-in with tokens. */
  async latest(): Promise<SignIn | undefined> {
    const found = (await this.all()).find(({ tokens }) => tokens !== undefined);
    this.#options.log.hide(found?.tokens?.accessToken, found?.tokens?.refreshToken, found?.client.secret);
    return found;
  }

  /** Returns the sign-ins that this run may use, the latest first: settings that say otherwise make one useless. */
  async all(): Promise<readonly SignIn[]> {
    const { store, config } = this.#options;
    return (await store.find(this.#resource, config.profile)).filter((each) => fits(each, config));
  }

  /** Stores a sign-in. Where that fails, it serves for as long as this run lives. */
  async keep(signIn: SignIn): Promise<void> {
    const { store, log } = this.#options;
    await store.write(signIn).catch((error: unknown) => {
      const { hint = '' } = error as { hint?: string };
      log.warn?.('the sign-in was not stored: %s %s', reasonOf(error), hint);
    });
  }
}

function fits({ grant, client, scopes }: SignIn, config: Config): boolean {
  if (grant !== config.grant) return false;
  if (config.clientId !== undefined && config.clientId !== client.id) return false;
  return config.scopes?.every((scope) => scopes.includes(scope)) ?? true;
}
