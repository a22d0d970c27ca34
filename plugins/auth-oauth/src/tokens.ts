import type { Agent } from 'node:http';
import type { Log } from '@mcp-connect/core';
import type { ModuleOptions } from 'simple-oauth2';
import type { AuthorizationServer, ClientIdentity, Tokens } from './model.js';
import { Refusal, refusalIn } from './refusal.js';
import { MOST_BYTES, shown, unusable, type Web, type WebReply } from './web.js';

/** Parameters of a token request; several values of one name are sent one after the other. */
export type TokenParams = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a token endpoint replied. */
export type Reply = Readonly<Record<string, unknown>>;

interface Sending {
  /** Names the address in errors. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/** What a {@link TokenClient} is made from. */
export interface TokenClientOptions {
  readonly web: Web;
  readonly server: AuthorizationServer;
  readonly client: ClientIdentity;
  readonly log: Log;
  /** Signs who we are, for `private_key_jwt` (RFC 7523 section 2.2). */
  assertion?(audience: string): Promise<string>;
  /** Makes the proof that a request comes from the holder of the key (RFC 9449 section 5). */
  proof?(url: URL, nonce?: string): string;
}

/**
 * Speaks with the token endpoint of one authorization server, by way of simple-oauth2, whose gaps it fills: public
 * clients send no empty secret, agents are not copied, replies are checked and bounded, and nothing is lost between
 * two refreshes because every grant takes the same way.
 */
export class TokenClient {
  readonly #options: TokenClientOptions;
  #nonce: string | undefined;

  constructor(options: TokenClientOptions) {
    this.#options = options;
  }

  /**
   * Asks for tokens.
   *
   * @throws Refusal with the server's error code; ConnectorError `MCPC_AUTH_SERVER`, `MCPC_CONNECT`, `MCPC_TIMEOUT`
   */
  async grant(grantType: string, params: TokenParams, signal?: AbortSignal): Promise<Tokens> {
    return this.#read(await this.ask(grantType, params, signal));
  }

  /**
   * Asks the token endpoint for something that is no access token, and returns the reply as it is.
   *
   * @throws as `grant` does
   */
  async ask(grantType: string, params: TokenParams, signal?: AbortSignal): Promise<Reply> {
    const reply = await this.#post({ ...params, grant_type: grantType }, signal);
    // Some servers answer 200 with an error inside.
    if (typeof reply['error'] === 'string') throw tokenRefusal(this.#options.server, 200, reply);
    return reply;
  }

  /** Sends a form that proves who we are to another endpoint of the server, such as the one for revocation. */
  async send(address: string, params: TokenParams, { what, signal }: Sending): Promise<WebReply> {
    const { web, client, server } = this.#options;
    const { id, secret = '', authMethod } = client;
    const form = new URLSearchParams();
    const all: TokenParams = {
      ...params,
      ...(await this.#proof(server)),
      ...(authMethod !== 'client_secret_basic' && { client_id: id }),
      ...(authMethod === 'client_secret_post' && { client_secret: secret }),
    };
    for (const [name, value] of Object.entries(withoutUndefined(all))) {
      for (const each of [value].flat()) form.append(name, each);
    }
    const basic = Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64');
    return web.request(web.address(address, what), {
      what,
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(authMethod === 'client_secret_basic' && { authorization: `Basic ${basic}` }),
      },
      body: form.toString(),
      signal,
    });
  }

  /** Asks for new tokens in exchange for a refresh token; without a new one, the old one holds on (RFC 6749 section 6). */
  async refresh(refreshToken: string, params: TokenParams, signal?: AbortSignal): Promise<Tokens> {
    const tokens = await this.grant('refresh_token', { ...params, refresh_token: refreshToken }, signal);
    return { refreshToken, ...tokens };
  }

  async #post(params: TokenParams, signal?: AbortSignal): Promise<Reply> {
    try {
      return await this.#send(params, signal);
    } catch (error) {
      const nonce = nonceIn(error);
      if (nonce === undefined || nonce === this.#nonce) throw this.#refusal(error, signal);
      this.#nonce = nonce;
      return this.#send(params, signal).catch((again: unknown) => {
        throw this.#refusal(again, signal);
      });
    }
  }

  async #send(params: TokenParams, signal?: AbortSignal): Promise<Reply> {
    const { web, server, client, log } = this.#options;
    const url = web.address(server.tokenEndpoint, 'The token endpoint');
    const { AuthorizationCode } = (await import('simple-oauth2')).default;
    const oauth = new AuthorizationCode(
      moduleOptions(url, client, {
        agent: await web.agent(url, 'the token endpoint'),
        timeout: web.patience,
      }),
    );
    const proof = this.#options.proof?.(url, this.#nonce);
    const headers = proof === undefined ? {} : { dpop: proof };
    const body = { ...(await this.#proof(server)), ...withoutUndefined(params) };
    signal?.throwIfAborted();
    const sent = oauth.getToken(body as unknown as Parameters<typeof oauth.getToken>[0], { headers });
    const { token } = await abortable(sent, signal);
    log.debug?.('POST %s%s: %s', url.origin, url.pathname, String(params['grant_type']));
    return token;
  }

  /** Proves who we are in the form, where that is not done by a secret. */
  async #proof({ issuer }: AuthorizationServer): Promise<TokenParams> {
    if (this.#options.client.authMethod !== 'private_key_jwt') return {};
    return {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await this.#options.assertion?.(issuer),
    };
  }

  #refusal(error: unknown, signal: AbortSignal | undefined): Error {
    signal?.throwIfAborted();
    const { server, web } = this.#options;
    const { data, output, isBoom } = error as Boom;
    const url = new URL(server.tokenEndpoint);
    const status = data?.res?.statusCode;
    const what = 'the token endpoint';
    if (data?.isResponseError !== true && TOO_LATE.has(output?.statusCode ?? 0)) {
      return web.failure(error, url, { what, late: true });
    }
    if (status !== undefined && status >= 400) return tokenRefusal(server, status, data?.payload);
    if (isBoom !== true || status !== undefined) {
      return unusable(`${what} (${shown(url)}) answered with something that is no token`);
    }
    return web.failure(data ?? error, url, { what, late: false });
  }

  #read(reply: Reply): Tokens {
    const { server, log } = this.#options;
    const { access_token: accessToken, refresh_token: refreshToken, token_type: type } = reply;
    if (typeof accessToken !== 'string' || !VISIBLE.test(accessToken)) {
      throw unusable(`the token endpoint of ${server.issuer} answered without a usable token`);
    }
    const tokenType = TOKEN_TYPES[typeof type === 'string' ? type.toLowerCase() : 'bearer'];
    if (tokenType === undefined) throw unusable(`the token of ${server.issuer} is of an unknown type`);
    log.hide(accessToken, ...(typeof refreshToken === 'string' ? [refreshToken] : []));
    return {
      accessToken,
      tokenType,
      ...(typeof refreshToken === 'string' && refreshToken !== '' && { refreshToken }),
      ...lifetime(reply['expires_in']),
    };
  }
}

/** The errors that simple-oauth2's HTTP client throws. */
interface Boom {
  readonly isBoom?: boolean;
  readonly data?: {
    readonly isResponseError?: boolean;
    readonly payload?: unknown;
    readonly res?: { readonly statusCode?: number };
    readonly headers?: Readonly<Record<string, unknown>>;
  };
  readonly output?: { readonly statusCode?: number };
}

/** How that client tells that its own time limits have passed. */
const TOO_LATE = new Set([408, 504]);

const VISIBLE = /^[\x21-\x7e]+$/;
const TOKEN_TYPES: Readonly<Record<string, Tokens['tokenType'] | undefined>> = {
  bearer: 'Bearer',
  dpop: 'DPoP',
};

/** A token is renewed this long before its end, in milliseconds, but never in the first four fifths of its life. */
const MARGIN = 60_000;

/** Counts from now by this machine's clock, so that a clock that is wrong does no harm. */
function lifetime(expiresIn: unknown): { expiresAt?: number; refreshAt?: number } {
  const seconds = Number(expiresIn);
  if (expiresIn === undefined || expiresIn === null || !Number.isFinite(seconds) || seconds < 0) return {};
  const now = Date.now();
  const life = seconds * 1000;
  return { expiresAt: now + life, refreshAt: now + life - Math.min(MARGIN, life / 5) };
}

/** simple-oauth2 has no public clients: named twice, the client id is sent once and no secret is. */
function moduleOptions(
  url: URL,
  { id, secret, authMethod }: ClientIdentity,
  http: { readonly agent: Agent; readonly timeout: number },
): ModuleOptions {
  const withSecret = secret !== undefined && authMethod !== 'none' && authMethod !== 'private_key_jwt';
  return {
    client: withSecret ? { id, secret } : { id, secret: id, secretParamName: 'client_id' },
    auth: { tokenHost: url.origin, tokenPath: url.pathname + url.search },
    http: { ...http, maxBytes: MOST_BYTES },
    options: { authorizationMethod: withSecret && authMethod === 'client_secret_basic' ? 'header' : 'body' },
  };
}

function tokenRefusal({ issuer }: AuthorizationServer, status: number, payload: unknown): Refusal {
  const body = typeof payload === 'object' ? (payload as Record<string, unknown>) : undefined;
  const { error, text } = refusalIn(body, status);
  return new Refusal(`${issuer} gives no token ${text}.`, {
    error,
    status,
    hint: HINTS[error ?? ''] ?? 'Sign in anew with mcp-connect login --endpoint URL',
  });
}

const HINTS: Readonly<Record<string, string>> = {
  invalid_client: 'Check --oauth-client-id and --oauth-client-secret',
  unauthorized_client:
    'Check what the client may do at the authorization server, or give another --oauth-client-id',
  invalid_scope: 'Name the scopes yourself with --oauth-scopes "ONE TWO"',
  invalid_target: 'Name the resource yourself with --oauth-resource URL',
};

function nonceIn(error: unknown): string | undefined {
  const { payload, headers } = (error as Boom).data ?? {};
  const nonce = headers?.['dpop-nonce'];
  const asked = (payload as { error?: unknown } | undefined)?.error === 'use_dpop_nonce';
  return asked && typeof nonce === 'string' ? nonce : undefined;
}

function withoutUndefined(params: TokenParams): Record<string, string | readonly string[]> {
  return Object.fromEntries(
    Object.entries(params).filter(
      (entry): entry is [string, string | readonly string[]] => entry[1] !== undefined,
    ),
  );
}

/** Encodes as a form does, which is how ids and secrets go into a header (RFC 6749 section 2.3.1). */
function formEncoded(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2);
}

/** The request goes on in the background: a token that nobody waits for any more is not worth a broken connection. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
