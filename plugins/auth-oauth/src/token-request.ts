import type { Agent } from 'node:http';
import type { ModuleOptions } from 'simple-oauth2';
import type { ClientIdentity } from './model.js';
import { MOST_BYTES } from './web.js';

/** Parameters of a token request; several values of one name are sent one after the other. */
export type TokenParams = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a token endpoint replied. */
export type Reply = Readonly<Record<string, unknown>>;

/** One request to a token endpoint. */
export interface TokenRequest {
  readonly url: URL;
  readonly client: ClientIdentity;
  /** The parameters, `grant_type` among them. */
  readonly params: TokenParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: Agent;
  /** How long it may take, in milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a token request by way of simple-oauth2. Its one method for codes carries every grant, since parameters win
 * over its own: so nothing is lost in its handling of refresh tokens.
 *
 * @throws what {@link readFailure} reads; the signal's reason
 */
export async function requestToken(request: TokenRequest): Promise<Reply> {
  const { params, headers, signal } = request;
  const { AuthorizationCode } = (await import('simple-oauth2')).default;
  const oauth = new AuthorizationCode(moduleOptions(request));
  signal?.throwIfAborted();
  const sent = oauth.getToken(definedOf(params) as unknown as Parameters<typeof oauth.getToken>[0], {
    headers,
  });
  const { token } = await abortable(sent, signal);
  return token;
}

/** simple-oauth2 has no public clients: named twice, a parameter is sent once, and no empty secret is. */
function moduleOptions({ url, client, params, agent, timeout }: TokenRequest): ModuleOptions<string> {
  const { id, secret, authMethod } = client;
  const withSecret = secret !== undefined && authMethod !== 'none' && authMethod !== 'private_key_jwt';
  // A workload that is no client sends no id either: the grant is named in its stead, which it is anyhow.
  const [name, value] = id === '' ? ['grant_type', String(params['grant_type'])] : ['client_id', id];
  return {
    client: withSecret
      ? { id, secret }
      : { id: value, secret: value, idParamName: name, secretParamName: name },
    auth: { tokenHost: url.origin, tokenPath: url.pathname + url.search },
    http: { agent, timeout, maxBytes: MOST_BYTES },
    options: { authorizationMethod: withSecret && authMethod === 'client_secret_basic' ? 'header' : 'body' },
  };
}

/** Why a token request failed. */
export type Failure =
  /** The server refused it with this status, and this body where that was JSON. */
  | { readonly kind: 'refused'; readonly status: number; readonly payload?: unknown; readonly nonce?: string }
  /** The server's answer cannot be read. */
  | { readonly kind: 'unreadable' }
  /** There was no answer in time. */
  | { readonly kind: 'late' }
  /** The connection failed. */
  | { readonly kind: 'lost'; readonly cause: unknown };

/** The errors of simple-oauth2's HTTP client. */
interface Boom {
  readonly isBoom?: boolean;
  readonly data?: {
    /** True for a reply with a status of 400 and above that could be read. */
    readonly isResponseError?: boolean;
    readonly payload?: unknown;
    readonly res?: { readonly statusCode?: number };
    readonly headers?: Readonly<Record<string, unknown>>;
  };
  readonly output?: { readonly statusCode?: number };
}

/** How that client tells that its own time limits have passed. */
const TOO_LATE = new Set<number | undefined>([408, 504]);

/** Reads what {@link requestToken} has thrown. */
export function readFailure(error: unknown): Failure {
  const { data, output, isBoom } = error as Boom;
  const status = data?.res?.statusCode;
  if (data?.isResponseError !== true && TOO_LATE.has(output?.statusCode)) return { kind: 'late' };
  if (status !== undefined && status >= 400) {
    const nonce = data?.headers?.['dpop-nonce'];
    return { kind: 'refused', status, payload: data?.payload, ...(typeof nonce === 'string' && { nonce }) };
  }
  if (isBoom !== true || status !== undefined) return { kind: 'unreadable' };
  return { kind: 'lost', cause: data ?? error };
}

/** Leaves out the parameters that have no value. */
export function definedOf(params: TokenParams): Record<string, string | readonly string[]> {
  return Object.fromEntries(
    Object.entries(params).filter(
      (entry): entry is [string, string | readonly string[]] => entry[1] !== undefined,
    ),
  );
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
