import {
  ConnectorError,
  reasonOf,
  type Challenge,
  type Credentials,
  type Log,
  type Settings,
} from '@mcp-connect/core';
import { tokenClientFor } from './attempt.js';
import { readChallenge, type Asked } from './challenge.js';
import type { Config } from './config.js';
import { Prover } from './dpop.js';
import type { Account, Person, SignIn, Store, Tokens } from './model.js';
import { canonicalUri } from './names.js';
import { Refusal } from './refusal.js';
import { Restraint } from './restraint.js';
import { Shelf } from './shelf.js';
import { signIn } from './sign-in.js';
import { pageUnderWay } from './visit.js';
import { Web } from './web.js';

/** How often a copy that waits its turn looks for the page at which the user is, in milliseconds. */
const LOOK = 400;

/** What an account is made from. */
export interface AccountOptions {
  readonly endpoint: URL;
  readonly config: Config;
  readonly settings: Settings;
  readonly log: Log;
  readonly store: Store;
  readonly person: Person;
  /** How long one request to an authorization server may take, in milliseconds; see {@link Web}. */
  readonly patience?: number;
}

/** After a failed renewal the token in hand is used on for this long before the next one, in milliseconds. */
const RENEWAL_PAUSE = 30_000;

/** How long a renewal may take once the end has come, in milliseconds. */
const FAREWELL = 2_000;

/** Grants that send the user to a page. */
const ASKING = new Set<string>(['authorization-code', 'device-code']);

/**
 * The sign-in of one endpoint. It is the only thing that hands out access tokens, and it keeps them fresh: one renewal
 * and one sign-in at a time, within this process and among all that share the store.
 */
export class OAuthAccount implements Account {
  readonly #options: AccountOptions;
  readonly #resource: string;
  readonly #web: Web;
  #abort = new AbortController();
  /** The credentials that were seen to, with a token or without. */
  readonly #signed = new WeakSet<Credentials>();
  #signIn: SignIn | undefined;
  #loading: Promise<void> | undefined;
  #loaded = false;
  #renewing: Promise<void> | undefined;
  #renewAgain = 0;
  #answering: Promise<void> | undefined;
  readonly #shelf: Shelf;
  readonly #restraint = new Restraint();
  readonly #prover = new Prover();
  page: URL | undefined;

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#resource = canonicalUri(options.endpoint);
    this.#shelf = new Shelf(options, this.#resource);
    const { authUrl, tokenUrl, idp } = options.config;
    const trusted = [authUrl, tokenUrl, idp?.issuer, idp?.tokenUrl].filter((url) => url !== undefined);
    this.#web = new Web({ ...options, trusted });
  }

  sign(credentials: Credentials): void | Promise<void> {
    if (credentials.headers['authorization'] !== undefined) return undefined;
    if (!this.#loaded) return this.#load().then(() => this.sign(credentials));
    const tokens = this.#signIn?.tokens;
    const now = Date.now();
    if (tokens?.expiresAt !== undefined && tokens.expiresAt <= now) {
      if (tokens.refreshToken === undefined) return this.#put(credentials, undefined);
      return this.#renew(tokens.accessToken).then(() => this.#put(credentials, this.#signIn?.tokens));
    }
    const due = tokens?.refreshAt !== undefined && tokens.refreshAt <= now && this.#renewAgain <= now;
    if (due && tokens.refreshToken !== undefined) this.#renewAhead(tokens);
    return this.#put(credentials, tokens);
  }

  signed(credentials: Credentials): boolean {
    return this.#signed.has(credentials);
  }

  answer(challenge: Challenge, refused?: Credentials['headers']): Promise<void> {
    const token =
      refused === undefined ? this.#signIn?.tokens?.accessToken : refused['authorization']?.split(' ').at(-1);
    this.#answering ??= this.#answer(challenge, token).finally(() => {
      this.#answering = undefined;
      this.page = undefined;
    });
    return this.#answering;
  }

  async close(): Promise<void> {
    this.#abort.abort(new ConnectorError('MCPC_SHUTDOWN', 'mcp-connect is stopping.'));
    this.#abort = new AbortController();
    const under = Promise.allSettled([this.#answering, this.#renewing]);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([under, new Promise((resolve) => (timer = setTimeout(resolve, FAREWELL)))]);
    clearTimeout(timer);
  }

  #put(credentials: Credentials, tokens: Tokens | undefined): void {
    this.#signed.add(credentials);
    if (tokens === undefined) return;
    const { accessToken, tokenType } = tokens;
    credentials.headers['authorization'] = `${tokenType} ${accessToken}`;
    const key = this.#signIn?.dpopKey;
    if (tokenType === 'DPoP' && key !== undefined) credentials.prove = this.#prover.with(key, accessToken);
  }

  // ── What is stored ───────────────────────────────────────────────────────────────────────────────────────────

  #load(): Promise<void> {
    return (this.#loading ??= this.#loadLatest());
  }

  async #loadLatest(): Promise<void> {
    this.#signIn = await this.#shelf.latest();
    this.#loaded = true;
  }

  async #keep(signedIn: SignIn): Promise<void> {
    this.#signIn = signedIn;
    await this.#shelf.keep(signedIn);
  }

  // ── Renewal ──────────────────────────────────────────────────────────────────────────────────────────────────

  #renewAhead({ accessToken }: Tokens): void {
    this.#renew(accessToken).catch((error: unknown) => {
      this.#renewAgain = Date.now() + RENEWAL_PAUSE;
      this.#options.log.debug?.('the token was not renewed: %s', reasonOf(error));
    });
  }

  /** Replaces a token, by the refresh token or by what another copy of the program has got meanwhile. */
  #renew(old: string): Promise<void> {
    return (this.#renewing ??= this.#options.store
      .lock(`renew ${this.#lockName}`, () => this.#renewLocked(old), this.#abort.signal)
      .finally(() => (this.#renewing = undefined)));
  }

  get #lockName(): string {
    return `${this.#resource} ${this.#options.config.profile}`;
  }

  /** Never ends half-way: a server that rotates refresh tokens takes a lost one for stolen. */
  async #renewLocked(old: string): Promise<void> {
    const latest = await this.#shelf.latest();
    if (latest?.tokens !== undefined && latest.tokens.accessToken !== old && !isOver(latest.tokens)) {
      this.#signIn = latest;
      return;
    }
    const current = latest ?? this.#signIn;
    const refreshToken = current?.tokens?.refreshToken;
    if (current === undefined || refreshToken === undefined) return;
    const { log } = this.#options;
    try {
      const client = tokenClientFor({ ...this.#options, ...current, web: this.#web }, current.client);
      const tokens = await client.refresh(refreshToken, { resource: current.audience });
      await this.#keep({ ...current, tokens, savedAt: Date.now() });
      log.debug?.('renewed the token for %s', this.#resource);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log.info?.('the sign-in for %s is over: %s', this.#resource, error.message);
      const { tokens: _over, ...rest } = current;
      await this.#keep({ ...rest, savedAt: Date.now() });
    }
  }

  // ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────────

  async #answer(challenge: Challenge, refused: string | undefined): Promise<void> {
    await this.#load();
    const asked = readChallenge(challenge.wwwAuthenticate);
    const current = this.#signIn?.tokens;
    if (asked.error === 'use_dpop_nonce' && challenge.nonce !== undefined) {
      this.#prover.nonce = challenge.nonce;
      return;
    }
    if (asked.error === 'insufficient_scope') return this.#stepUp(asked, refused);
    if (challenge.status === 403) throw this.#forbidden();
    // Another message met the same refusal first.
    if (current !== undefined && current.accessToken !== refused) return;
    if (current?.refreshToken !== undefined) {
      await this.#renew(current.accessToken);
      if (this.#signIn?.tokens !== undefined) return;
    }
    await this.#ask(asked, { refused, keep: [] });
  }

  /** More rights than the ones in hand need the user's word: a refresh cannot widen them (RFC 6749 section 6). */
  async #stepUp(asked: Asked, refused: string | undefined): Promise<void> {
    const current = this.#signIn;
    const wanted = asked.scopes ?? [];
    const keep = current?.scopes ?? [];
    const renewed = current?.tokens !== undefined && current.tokens.accessToken !== refused;
    const missing = wanted.filter((scope) => !keep.includes(scope));
    if (missing.length === 0) {
      if (renewed) return;
      throw this.#forbidden(wanted);
    }
    await this.#ask(asked, { refused, keep: [...keep, ...missing] });
  }

  /** Signs in anew, unless another copy of the program has done so while this one waited for its turn. */
  async #ask(
    asked: Asked,
    { refused, keep }: { refused: string | undefined; keep: readonly string[] },
  ): Promise<void> {
    const { store, config } = this.#options;
    if (!config.asks && ASKING.has(config.grant)) {
      if (await this.#takeNewer(refused, keep)) return;
      throw this.#notAsked();
    }
    this.#restraint.pass();
    // Another copy may have the user at its page: what this one can tell is that page's address.
    const looking = setInterval(() => void this.#findPage(), LOOK);
    looking.unref();
    try {
      await store.lock(
        `sign-in ${this.#lockName}`,
        async (signal) => {
          clearInterval(looking);
          if (await this.#takeNewer(refused, keep)) return;
          if (ASKING.has(config.grant)) this.#restraint.ask(this.#resource);
          const situation = {
            ...this.#options,
            web: this.#web,
            asked,
            keep,
            earlier: await this.#shelf.all(),
            onpage: (page: URL) => void (this.page = page),
          };
          await this.#keep(await signIn(situation, signal));
        },
        this.#abort.signal,
      );
    } catch (error) {
      this.#restraint.fail(error);
      throw error;
    } finally {
      clearInterval(looking);
    }
  }

  /** Takes what another copy of the program has stored meanwhile, if it is better than what was refused. */
  async #takeNewer(refused: string | undefined, keep: readonly string[]): Promise<boolean> {
    const latest = await this.#shelf.latest();
    if (latest === undefined || !isNewer(latest, refused) || !covers(latest, keep)) return false;
    this.#signIn = latest;
    return true;
  }

  #notAsked(): ConnectorError {
    const { profile } = this.#options.config;
    const account = profile === 'default' ? '' : ` --profile ${profile}`;
    return new ConnectorError(
      'MCPC_UNAUTHORIZED',
      `${this.#resource} asks for a sign-in, and none is stored.`,
      {
        delivered: 'rejected',
        hint: `Sign in with: mcp-connect login --endpoint ${this.#resource}${account}`,
      },
    );
  }

  async #findPage(): Promise<void> {
    const page = await pageUnderWay(this.#options);
    if (this.#answering !== undefined) this.page ??= page;
  }

  #forbidden(scopes: readonly string[] = []): ConnectorError {
    const what = scopes.length > 0 ? ` and asks for ${scopes.join(' ')}, which it was given` : '';
    return new ConnectorError('MCPC_UNAUTHORIZED', `${this.#resource} denies this to your account${what}.`, {
      delivered: 'rejected',
      hint: 'Use an account with more rights: mcp-connect login --profile NAME',
    });
  }
}

function isOver({ expiresAt }: Tokens): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now();
}

function isNewer({ tokens }: SignIn, refused: string | undefined): boolean {
  return tokens !== undefined && tokens.accessToken !== refused && !isOver(tokens);
}

function covers({ scopes }: SignIn, needed: readonly string[]): boolean {
  return needed.every((scope) => scopes.includes(scope));
}
