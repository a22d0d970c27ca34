import type { Log, Settings } from '@mcp-connect/core';
import { OAuthAccount } from './account.js';
import { readConfig, type OAuthFlags } from './flags.js';
import type { Account, SignIn, StoreKey } from './model.js';
import { canonicalUri, signInFolder } from './names.js';
import { LocalPerson } from './person.js';
import { revoke, type Revocation } from './revoke.js';
import { FileStore } from './store.js';
import { Web } from './web.js';

export type { Revocation } from './revoke.js';

/** What is known of a sign-in, without any of its secrets. */
export interface SignInSummary extends StoreKey {
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** `expired` ones are renewed when they are next used; `over` ones need the user. */
  readonly state: 'valid' | 'expired' | 'over';
  /** When the access token ends, in milliseconds since 1970, where that is known. */
  readonly expiresAt?: number;
  readonly savedAt: number;
  /** When it was signed in, which a renewal does not change; older versions did not keep it. */
  readonly signedInAt?: number;
}

/** Which sign-ins are meant. What is left out means any. */
export interface SignInFilter {
  readonly endpoint?: URL | undefined;
  readonly profile?: string | undefined;
}

/** What {@link SignIns} are made from. */
export interface SignInsOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly flags: OAuthFlags;
}

/** The sign-ins that this user of the machine has. */
export class SignIns {
  readonly #options: SignInsOptions;
  readonly #store: FileStore;

  constructor(options: SignInsOptions) {
    this.#options = options;
    const folder = signInFolder(options.settings.stateDir);
    this.#store = new FileStore({ log: options.log, ...(folder !== undefined && { folder }) });
  }

  /** Lists what is stored, the latest sign-in first. */
  async list(filter: SignInFilter = {}): Promise<readonly SignInSummary[]> {
    return (await this.#matching(filter)).map(summaryOf);
  }

  /** Opens the account of a sign-in, which signs messages and renews its token, but can ask nobody. */
  account({ resource, profile }: StoreKey): Account {
    const { settings, log, flags } = this.#options;
    const config = { ...readConfig(flags), profile };
    const person = new LocalPerson({ browser: false, log, env: {}, platform: process.platform });
    return new OAuthAccount({
      endpoint: new URL(resource),
      config,
      settings,
      log,
      store: this.#store,
      person,
    });
  }

  /**
   * Ends sign-ins: takes their tokens back where the authorization server offers that, and forgets them in any case.
   *
   * @throws ConnectorError `MCPC_SIGN_IN` when a file cannot be removed
   */
  async end(filter: SignInFilter): Promise<readonly (SignInSummary & { revocation: Revocation })[]> {
    const { settings, log, flags } = this.#options;
    const config = readConfig(flags);
    const ended = [];
    for (const signIn of await this.#matching(filter)) {
      const web = new Web({ endpoint: new URL(signIn.key.resource), settings, log });
      const revocation = await revoke(signIn, { web, log, config });
      await this.#store.remove(signIn.key);
      ended.push({ ...summaryOf(signIn), revocation });
    }
    return ended;
  }

  async #matching({ endpoint, profile }: SignInFilter): Promise<readonly SignIn[]> {
    const resource = endpoint === undefined ? undefined : canonicalUri(endpoint);
    return (await this.#store.list()).filter(
      ({ key }) =>
        (resource === undefined || key.resource === resource) &&
        (profile === undefined || key.profile === profile),
    );
  }
}

function summaryOf({ key, client, scopes, tokens, savedAt, signedInAt }: SignIn): SignInSummary {
  const expiresAt = tokens?.expiresAt;
  return {
    ...key,
    clientId: client.id,
    scopes,
    state: stateOf(tokens),
    ...(expiresAt !== undefined && { expiresAt }),
    savedAt,
    ...(signedInAt !== undefined && { signedInAt }),
  };
}

function stateOf(tokens: SignIn['tokens']): SignInSummary['state'] {
  if (tokens === undefined) return 'over';
  if (tokens.expiresAt === undefined || tokens.expiresAt > Date.now()) return 'valid';
  return tokens.refreshToken === undefined ? 'over' : 'expired';
}
