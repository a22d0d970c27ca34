import type { JsonWebKey } from 'node:crypto';
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
import { proofs } from './dpop.js';
import type { Account, Person, SignIn, Store, Tokens } from './model.js';
import { canonicalUri } from './names.js';
import { Refusal } from './refusal.js';
import { Restraint } from './restraint.js';
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
  readonly #restraint = new Restraint();
  /** What the server last asked to repeat in proofs. */
  #nonce: string | undefined;
  #prover: { readonly key: JsonWebKey; readonly prove: ReturnType<typeof proofs> } | undefined;
  page: URL | undefined;

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#resource = canonicalUri(options.endpoint);
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
    await this.#answering?.catch(() => undefined);
  }

  #put(credentials: Credentials, tokens: Tokens | undefined): void {
    this.#signed.add(credentials);
    if (tokens === undefined) return;
    const { accessToken, tokenType } = tokens;
    credentials.headers['authorization'] = `${tokenType} ${accessToken}`;
    const key = this.#signIn?.dpopKey;
    if (tokenType !== 'DPoP' || key === undefined) return;
    const prove = this.#proofsOf(key);
    credentials.prove = (request) => ({ dpop: prove({ ...request, accessToken, nonce: this.#nonce }) });
  }

  /** Reading a key takes longer than signing with it. */
  #proofsOf(key: JsonWebKey): ReturnType<typeof proofs> {
    if (this.#prover?.key !== key) this.#prover = { key, prove: proofs(key) };
    return this.#prover.prove;
  }

  // ── What is stored ───────────────────────────────────────────────────────────────────────────────────────────

  #load(): Promise<void> {
    return (this.#loading ??= this.#loadLatest());
  }

  async #loadLatest(): Promise<void> {
    this.#signIn = await this.#latest();
    this.#loaded = true;
  }

  /** The sign-in that this run may use: settings that say otherwise make a stored one useless. */
  async #latest(): Promise<SignIn | undefined> {
    const found = (await this.#earlier()).find(({ tokens }) => tokens !== undefined);
    this.#options.log.hide(found?.tokens?.accessToken, found?.tokens?.refreshToken, found?.client.secret);
    return found;
  }

  async #earlier(): Promise<readonly SignIn[]> {
    const { store, config } = this.#options;
    const all = await store.find(this.#resource, config.profile);
    return all.filter((each) => fits(each, config));
  }

  async #keep(signedIn: SignIn): Promise<void> {
    this.#signIn = signedIn;
    const { store, log } = this.#options;
    await store.write(signedIn).catch((error: unknown) => {
      // The tokens serve for as long as this run lives.
      const { hint = '' } = error as { hint?: string };
      log.warn?.('the sign-in was not stored: %s %s', reasonOf(error), hint);
    });
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
      .lock(`renew ${this.#lockName}`, (signal) => this.#renewLocked(old, signal), this.#abort.signal)
      .finally(() => (this.#renewing = undefined)));
  }

  get #lockName(): string {
    return `${this.#resource} ${this.#options.config.profile}`;
  }

  async #renewLocked(old: string, signal: AbortSignal): Promise<void> {
    const latest = await this.#latest();
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
      const tokens = await client.refresh(refreshToken, { resource: current.audience }, signal);
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
      this.#nonce = challenge.nonce;
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
    await this.#ask(asked, { refused, keep });
  }

  /** Signs in anew, unless another copy of the program has done so while this one waited for its turn. */
  async #ask(
    asked: Asked,
    { refused, keep }: { refused: string | undefined; keep: readonly string[] },
  ): Promise<void> {
    this.#restraint.pass();
    const { store, config } = this.#options;
    // Another copy may have the user at its page: what this one can tell is that page's address.
    const looking = setInterval(() => void this.#findPage(), LOOK);
    looking.unref();
    try {
      await store.lock(
        `sign-in ${this.#lockName}`,
        async (signal) => {
          clearInterval(looking);
          const latest = await this.#latest();
          const needed = [...keep, ...(asked.scopes ?? [])];
          if (
            latest !== undefined &&
            isNewer(latest, refused) &&
            covers(latest, keep.length > 0 ? needed : [])
          ) {
            this.#signIn = latest;
            return;
          }
          if (ASKING.has(config.grant)) this.#restraint.ask(this.#resource);
          const situation = {
            ...this.#options,
            web: this.#web,
            asked,
            keep,
            earlier: await this.#earlier(),
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

function fits({ grant, client, scopes }: SignIn, config: Config): boolean {
  if (grant !== config.grant) return false;
  if (config.clientId !== undefined && config.clientId !== client.id) return false;
  return config.scopes?.every((scope) => scopes.includes(scope)) ?? true;
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
