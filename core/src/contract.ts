import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { AsyncSeriesBailHook, AsyncSeriesHook, AsyncSeriesWaterfallHook } from 'tapable';
import type { Endpoint } from './endpoint.js';
import type { ConnectorError } from './errors.js';
import type { Credentials, TransportKind } from './transport.js';

/** An endpoint as a strategy sees it. */
export interface Candidate {
  readonly endpoint: Endpoint;
  /** Place in the order in which the endpoints were named, from 0. */
  readonly index: number;
  /** True while a channel to it is open. */
  readonly open: boolean;
  /** Requests that are waiting for its answer. */
  readonly pending: number;
  /**
   * `ejected` while it gets no requests, because it failed several times in a row or asked to slow down; `probing` while
   * it is asked whether it is back.
   */
  readonly state: 'up' | 'ejected' | 'probing';
  /** Transport failures since its last sign of life; with none it is known to work. */
  readonly failures: number;
  /** Why it gets no requests although it is up: how it differs from the server that the client knows. */
  readonly quarantined: string | undefined;
}

/** How one attempt at a request ended. */
export interface Attempt {
  readonly candidate: Candidate;
  readonly error: ConnectorError;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** The body of a JSON-RPC response: what a plugin answers in a server's stead, or what a server answered a plugin. */
export type Answer =
  | { readonly result: object }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } };

/** A request or notification of a plugin's own. */
export interface OwnMessage {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** What a hook may know of, and do with, the message that it is handed. */
export interface Exchange {
  /** The id of the client's request; undefined for a message that is no request and answers none. */
  readonly id: RequestId | undefined;
  /** The method of the request or notification. */
  readonly method: string | undefined;
  /** True when carrying the request out twice does no harm. */
  readonly safe: boolean;
  /** The candidate that the session or request is bound to, where it is bound. */
  readonly affinity: Candidate | undefined;
  /** Attempts at this request that have failed, the first one first. */
  readonly attempts: readonly Attempt[];
  /** True once a tap has answered or dropped the message; the taps behind it are not run. */
  readonly handled: boolean;
  /** Values that plugins keep for as long as the request lives, by a key of their own. */
  readonly state: Map<unknown, unknown>;
  /** Answers the request in the server's stead; the message goes no further. */
  answer(answer: Answer): void;
  /** Takes the message off the line. A dropped request is answered with an error that says so. */
  drop(reason?: string): void;
  /**
   * Sends a request of the plugin's own to a server, by strategies, sign-in and retries like any other, but past the
   * hooks of messages. Where there is a session, send none before the client has said `initialized`.
   *
   * @returns what the server answers, or the error that says why there is no answer: it never rejects
   * @throws TypeError when the request cannot be written as JSON
   */
  request(request: OwnMessage): Promise<Answer>;
  /** Sends a notification of the plugin's own to the client, past the hooks. */
  notifyClient(notification: OwnMessage): void;
  /** Sends a notification of the plugin's own to the servers, past the hooks. */
  notifyServer(notification: OwnMessage): void;
}

/** How a channel to one endpoint is opened; see `TransportKind.open`. */
export type OpenTransport = TransportKind['open'];

/** How a tap is added. */
export interface TapOptions {
  /** The plugin's name. */
  readonly name: string;
  /** Name of a plugin before whose tap this one is run. */
  readonly before?: string;
  /** Taps of a lower stage are run first; 0 where not given. */
  readonly stage?: number;
  /**
   * How long the tap may take, in milliseconds: 10 000 where not given, but without limit in `authenticate`, which may
   * have to ask a person. Give `Infinity` to a tap that asks one elsewhere.
   */
  readonly patience?: number;
}

type Tapped<H, F> = Omit<H, 'tap'> & {
  /** Adds a tap under the plugin's name. Async functions are awaited. */
  tap(options: string | TapOptions, fn: F): void;
};
type MaybePromise<T> = T | Promise<T>;

/** The places where plugins take part. Every tap is named after its plugin, and every error says which tap it was. */
export interface Hooks {
  /** Each message of the client, in order, before a server is chosen. Return a new message, or nothing for unchanged. */
  readonly beforeSend: Tapped<
    AsyncSeriesWaterfallHook<[JSONRPCMessage, Exchange]>,
    (message: JSONRPCMessage, exchange: Exchange) => MaybePromise<JSONRPCMessage | void>
  >;
  /** Each message of a server, in order, before the client gets it. Return a new message, or nothing for unchanged. */
  readonly afterReceive: Tapped<
    AsyncSeriesWaterfallHook<[JSONRPCMessage, Exchange]>,
    (message: JSONRPCMessage, exchange: Exchange) => MaybePromise<JSONRPCMessage | void>
  >;
  /**
   * Chooses where a request goes. The first tap that returns a candidate decides. Candidates are the endpoints that get
   * requests now, at least one. Nobody is asked where there is no more than one endpoint in all.
   */
  readonly selectTransport: Tapped<
    AsyncSeriesBailHook<[readonly Candidate[], Exchange], Candidate>,
    (candidates: readonly Candidate[], exchange: Exchange) => MaybePromise<Candidate | void>
  >;
  /** Fills in the credentials of every attempt; `credentials.challenge` is set when the last one was refused. */
  readonly authenticate: Tapped<
    AsyncSeriesHook<[Credentials, Endpoint]>,
    (credentials: Credentials, endpoint: Endpoint) => MaybePromise<void>
  >;
  /** Wraps how channels are opened: return a function that opens one and intercepts what it likes. */
  readonly openTransport: Tapped<
    AsyncSeriesWaterfallHook<[OpenTransport, Endpoint]>,
    (open: OpenTransport, endpoint: Endpoint) => MaybePromise<OpenTransport | void>
  >;
}
