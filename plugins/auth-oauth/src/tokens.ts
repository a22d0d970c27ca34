import { ConnectorError, type Log } from '@mcp-connect/core';
import { hintAt } from './discover.js';
import type { AuthorizationServer, ClientIdentity, Tokens } from './model.js';
import { Refusal, refusalIn } from './refusal.js';
import { definedOf, readFailure, requestToken, type Reply, type TokenParams } from './token-request.js';
import { shown, unusable, type Web, type WebReply } from './web.js';

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

interface Sending {
  /** Names the address in errors. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/** Speaks with one authorization server as one of its clients, and checks what it replies. */
export class TokenClient {
  readonly #options: TokenClientOptions;
  /** What the server last asked to repeat in proofs. */
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

  /** Asks for new tokens in exchange for a refresh token; without a new one, the old one holds on (RFC 6749 section 6). */
  async refresh(refreshToken: string, params: TokenParams, signal?: AbortSignal): Promise<Tokens> {
    const tokens = await this.grant('refresh_token', { ...params, refresh_token: refreshToken }, signal);
    return { refreshToken, ...tokens };
  }

  /**
   * Asks the token endpoint for something that is no access token, and returns the reply as it is.
   *
   * @throws as `grant` does
   */
  async ask(grantType: string, params: TokenParams, signal?: AbortSignal): Promise<Reply> {
    const all = { ...params, ...(await this.#proof()), grant_type: grantType };
    const reply = await this.#post(all, { signal, again: true });
    const { log, server } = this.#options;
    log.debug?.('POST %s: %s', shown(new URL(server.tokenEndpoint)), grantType);
    // Some servers answer 200 with an error inside.
    if (typeof reply['error'] === 'string') throw tokenRefusal(server, 200, reply);
    return reply;
  }

  /** Sends a form that proves who we are to another endpoint of the server, such as the one for revocation. */
  async send(address: string, params: TokenParams, { what, signal }: Sending): Promise<WebReply> {
    const { web, client } = this.#options;
    const { id, secret = '', authMethod } = client;
    const all: TokenParams = {
      ...params,
      ...(await this.#proof()),
      ...(authMethod !== 'client_secret_basic' && { client_id: id }),
      ...(authMethod === 'client_secret_post' && { client_secret: secret }),
    };
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(definedOf(all))) {
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

  /** Proves who we are in the form, where that is not done by a secret. */
  async #proof(): Promise<TokenParams> {
    const { client, server, assertion } = this.#options;
    if (client.authMethod !== 'private_key_jwt') return {};
    return {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion?.(server.issuer),
    };
  }

  /** A server that wants a nonce in proofs says so once, in the refusal of the first one (RFC 9449 section 8). */
  async #post(
    params: TokenParams,
    { signal, again }: { signal: AbortSignal | undefined; again: boolean },
  ): Promise<Reply> {
    const { web, server, client, proof } = this.#options;
    const what = 'the token endpoint';
    const url = web.address(server.tokenEndpoint, 'the token endpoint');
    const agent = await web.agent(url, what);
    const headers: Record<string, string> = proof === undefined ? {} : { dpop: proof(url, this.#nonce) };
    try {
      return await requestToken({ url, client, params, headers, agent, timeout: web.patience, signal });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ConnectorError) throw error;
      const failure = readFailure(error);
      switch (failure.kind) {
        case 'refused': {
          if (isBusy(failure.status)) throw busy(server, failure.status);
          const refusal = tokenRefusal(server, failure.status, failure.payload);
          if (!again || refusal.error !== 'use_dpop_nonce' || failure.nonce === undefined) throw refusal;
          this.#nonce = failure.nonce;
          return this.#post(params, { signal, again: false });
        }
        case 'unreadable':
          throw unusable(`${what} (${shown(url)}) answered with something that is no token`);
        case 'late':
          throw web.failure(error, url, { what, late: true });
        case 'lost':
          throw web.failure(failure.cause, url, { what, late: false });
      }
    }
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

/** A server in trouble has refused nothing: what it would have said is not known. */
function isBusy(status: number): boolean {
  return status === 429 || status >= 500;
}

function busy({ issuer }: AuthorizationServer, status: number): ConnectorError {
  return new ConnectorError('MCPC_CONNECT', `${issuer} gives no token at the moment (${status}).`, {
    status,
    hint: 'Try again later',
  });
}

function tokenRefusal(server: AuthorizationServer, status: number, payload: unknown): Refusal {
  const body = typeof payload === 'object' ? (payload as Record<string, unknown>) : undefined;
  const { error, text } = refusalIn(body ?? undefined, status);
  const anew = 'Sign in anew with mcp-connect login --endpoint URL';
  return new Refusal(`${server.issuer} gives no token ${text}.`, {
    error,
    status,
    hint: error === undefined ? hintAt(server, anew) : (HINTS[error] ?? anew),
  });
}

const HINTS: Readonly<Record<string, string>> = {
  invalid_client: 'Check --oauth-client-id and --oauth-client-secret',
  unauthorized_client:
    'Check what the client may do at the authorization server, or give another --oauth-client-id',
  invalid_scope: 'Name the scopes yourself with --oauth-scopes "ONE TWO"',
  invalid_target: 'Name the resource yourself with --oauth-resource URL',
};

/** Encodes as a form does, which is how ids and secrets go into a header (RFC 6749 section 2.3.1). */
function formEncoded(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2);
}
