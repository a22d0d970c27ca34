import type { Agent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import { ConnectorError, agentFor, reasonOf, tlsFailureOf, type Log, type Settings } from '@mcp-connect/core';
import {
  bareHost,
  guardedAgent,
  isLoopback,
  limitsFor,
  OUT_OF_BOUNDS,
  reachOf,
  type Limits,
} from './network.js';

/** What an authorization server, or the metadata of a resource, replied. */
export interface WebReply {
  readonly status: number;
  /** The body, where it is a JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** One request to an authorization server. */
export interface WebRequest {
  /** Names the address in errors: `the token endpoint`. */
  readonly what: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

/** What a {@link Web} is made from. */
export interface WebOptions {
  /** The MCP server, which sets how far requests may go. */
  readonly endpoint: URL;
  readonly settings: Settings;
  readonly log: Log;
  /** A request takes no longer in all, in milliseconds. */
  readonly patience?: number;
  /** Addresses that the user gave and that are therefore not limited. */
  readonly trusted?: readonly string[];
}

/** Larger replies are refused, in bytes. */
export const MOST_BYTES = 1_048_576;
/** How long a request may take in all where nothing else is said, in milliseconds. */
const PATIENCE = 15_000;
const MOST_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Speaks HTTP with authorization servers, which are named by the MCP server and so are not to be trusted: addresses are
 * checked at every step, replies are bounded in size and time, and nothing follows a redirect to another origin.
 */
export class Web {
  readonly #options: WebOptions;
  #limits: Promise<Limits> | undefined;

  /** A request takes no longer in all, in milliseconds. */
  readonly patience: number;

  constructor(options: WebOptions) {
    this.#options = options;
    this.patience = options.patience ?? PATIENCE;
  }

  /**
   * Checks an address that someone else named: `https:`, or `http:` on this machine, and nothing besides.
   *
   * @param what names the address in errors
   * @throws ConnectorError `MCPC_AUTH_SERVER`
   */
  address(text: unknown, what: string): URL {
    const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined) throw unusable(`${what} is no address`);
    const safe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
    if (!safe) throw unusable(`${what} (${shown(url)}) is not https:`);
    if (url.username !== '' || url.password !== '')
      throw unusable(`${what} (${shown(url)}) holds a password`);
    return url;
  }

  /**
   * Sends one request. Redirects are followed for GET alone, within one origin.
   *
   * @throws ConnectorError `MCPC_AUTH_SERVER`, `MCPC_CONNECT` or `MCPC_TIMEOUT`
   */
  async request(
    address: URL,
    { what, method = 'GET', headers, body, signal }: WebRequest,
  ): Promise<WebReply> {
    const { default: fetch } = await import('node-fetch');
    const ended = AbortSignal.timeout(this.patience);
    const both = signal === undefined ? ended : AbortSignal.any([ended, signal]);
    let url = address;
    for (let hops = 0; ; hops++) {
      const agent = await this.agent(url, what);
      try {
        const response = await fetch(url, {
          method,
          headers: { accept: 'application/json', ...headers },
          ...(body !== undefined && { body }),
          redirect: 'manual',
          size: MOST_BYTES,
          agent,
          signal: both,
        });
        this.#options.log.debug?.('%s %s: %d', method, shown(url), response.status);
        const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null;
        if (location === null) {
          return {
            status: response.status,
            json: objectIn(await response.text()),
          };
        }
        response.body?.resume();
        url = this.#redirected(url, location, { what, method, hops });
      } catch (error) {
        signal?.throwIfAborted();
        throw this.failure(error, url, { what, late: ended.aborted });
      }
    }
  }

  /**
   * Makes the agent for requests to one address, which must be within bounds.
   *
   * @throws ConnectorError `MCPC_AUTH_SERVER`
   */
  async agent(url: URL, what: string): Promise<Agent> {
    const { settings, endpoint, trusted = [] } = this.#options;
    const limits = trusted.some((text) => sameOrigin(text, url))
      ? undefined
      : await (this.#limits ??= limitsFor(endpoint));
    const host = bareHost(url.hostname);
    const outside =
      (isIP(host) !== 0 && limits?.allows(reachOf(host)) === false) ||
      (isLoopback(url) && limits?.allows('loopback') === false);
    if (outside) throw outOfBounds(what, url, endpoint);
    const made = await agentFor(settings, url);
    // The name that the user gave is that of the MCP server's certificate alone.
    if (url.host !== endpoint.host) delete (made as Partial<HttpsAgent>).options?.servername;
    return guardedAgent(made, limits);
  }

  /** Says what went wrong between us and an authorization server. */
  failure(error: unknown, url: URL, { what, late }: { what: string; late: boolean }): ConnectorError {
    if (error instanceof ConnectorError) return error;
    const place = `${what} (${shown(url)})`;
    if (late) {
      const text = `${capital(place)} took longer than ${this.patience / 1000} s.`;
      return new ConnectorError('MCPC_TIMEOUT', text, { cause: error, hint: 'Try again later' });
    }
    const { type, code } = error as { type?: unknown; code?: unknown };
    if (type === 'max-size') return unusable(`${place} sent more than ${MOST_BYTES} bytes`);
    if (code === OUT_OF_BOUNDS) return unusable(`${place}: ${reasonOf(error)}`);
    // node-fetch puts the whole address into its texts.
    const reason = typeof code === 'string' ? code : reasonOf(error);
    const tls = tlsFailureOf(error, 'http');
    // No flag gives the name of its certificate.
    const hint = tls?.fault === 'wrong-name' ? undefined : tls?.hint;
    return new ConnectorError('MCPC_CONNECT', `No connection to ${place}: ${reason}`, {
      cause: error,
      hint: hint ?? 'Check the network, and the certificates given with --ca',
      lasting: tls !== undefined,
    });
  }

  #redirected(
    from: URL,
    location: string,
    { what, method, hops }: { what: string; method: string; hops: number },
  ): URL {
    if (method !== 'GET') throw unusable(`${what} redirects, which would carry what we send elsewhere`);
    if (hops >= MOST_REDIRECTS) throw unusable(`${what} redirects without end`);
    const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
    if (to === undefined || to.origin !== from.origin) {
      throw unusable(`${what} redirects to ${to === undefined ? 'no address' : shown(to)}, another origin`);
    }
    return to;
  }
}

/** Makes the error that an authorization server earns when what it says is missing, wrong or unsafe. */
export function unusable(text: string, hint?: string): ConnectorError {
  return new ConnectorError('MCPC_AUTH_SERVER', `The sign-in is stopped: ${text}.`, {
    hint:
      hint ??
      'Report this to whoever runs the server; with a token of your own, give --auth-token TOKEN instead',
  });
}

/** Names an address in messages, without what may be secret. */
export function shown(url: URL): string {
  return url.host === '' ? url.protocol : `${url.protocol}//${url.host}${url.pathname}`;
}

function sameOrigin(text: string, url: URL): boolean {
  return URL.canParse(text) && new URL(text).origin === url.origin;
}

function outOfBounds(what: string, url: URL, endpoint: URL): ConnectorError {
  return unusable(
    `${what} (${shown(url)}) is inside your network, where a public server such as ${endpoint.host} must not lead`,
    'If that is meant to be, name it yourself with --oauth-auth-url URL and --oauth-token-url URL',
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
