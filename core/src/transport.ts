import type { Agent } from 'node:http';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Endpoint } from './endpoint.js';
import type { Envelope } from './envelope.js';
import type { Challenge, ConnectorError } from './errors.js';
import type { Log } from './log.js';

/** One request over HTTP just before it leaves, as far as a proof can be about it. */
export interface WebRequest {
  readonly method: string;
  readonly url: URL;
  /** The header fields that it is sent with, by lower-case name; those of the connection, such as `host`, come on top. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** What proves who we are to an endpoint, filled in by the taps of `authenticate` before every attempt. */
export interface Credentials {
  /** Header fields, by lower-case name. Transports without headers leave them alone. */
  readonly headers: Record<string, string>;
  /**
   * Makes header fields that must be fresh for every single request on the wire, such as a proof of possession
   * (RFC 9449) or a signature. Called just before each one, by transports that have headers.
   */
  prove?(request: WebRequest): Readonly<Record<string, string>>;
  /** Why the previous attempt was refused, when it was for want of rights. */
  readonly challenge?: Challenge;
  /**
   * The header fields of the refused attempt, where they are known: credentials that were replaced since then need not
   * be replaced again. The message is sent again only if `headers` come out differently.
   */
  readonly refused?: Readonly<Record<string, string>>;
}

/** Certificates and names for TLS, as given on the command line. */
export interface TlsSettings {
  /** PEM certificates of authorities to trust instead of the built-in ones. */
  readonly ca?: string;
  /** PEM certificate chain and private key that show who we are. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must carry, when it differs from the endpoint's host. */
  readonly servername?: string;
  /** False to take any certificate of a server, whoever signed it and whatever it names. */
  readonly rejectUnauthorized?: boolean;
}

/** How a pool of HTTP connections is kept. */
export interface AgentOptions {
  /** How long an idle connection is kept, in milliseconds; left out, none is kept. */
  readonly idle?: number;
  /** Most connections at once; left out, there is no limit. */
  readonly most?: number;
}

/**
 * Makes a pool of connections to web addresses where they need one, as to pass a proxy; with the certificates of
 * {@link TlsSettings} where the address is `https:`. Returns undefined where connections are to be direct.
 */
export type MakeAgent = (url: URL, options: AgentOptions) => Agent | undefined | Promise<Agent | undefined>;

/** What every part of a connector may need to know of its settings. */
export interface Settings {
  /** Milliseconds for connecting and for the first answer. */
  readonly timeout: number;
  /** How often one request is sent in all to servers that received it. */
  readonly retryAttempts: number;
  /** Base of the wait between two attempts, in milliseconds. */
  readonly retryDelay: number;
  /** How long an endpoint that failed several times in a row gets no requests at first, in milliseconds. */
  readonly ejectionTime: number;
  /** Largest message in bytes, either way. */
  readonly maxMessageSize: number;
  /** Milliseconds for which the reply to a request may be silent; left out, for ever. */
  readonly requestTimeout?: number;
  /** Milliseconds after which a request is given up in any case; left out, never. */
  readonly maxRequestTime?: number;
  readonly tls: TlsSettings;
  /** The only kind of IP address to connect to; left out, both are tried. */
  readonly family?: 4 | 6;
  /** Makes the connections of everything that speaks HTTP; left out, all are direct. */
  readonly makeAgent?: MakeAgent;
  /** The folder for what outlives a run, such as sign-ins; left out, nothing does. */
  readonly stateDir?: string;
}

/**
 * What a transport gets when it is opened. The three callbacks are there from the first moment, so no early message
 * can be lost.
 */
export interface TransportContext {
  readonly endpoint: Endpoint;
  readonly settings: Settings;
  readonly log: Log;
  /** Aborts when the connector stops waiting for this transport to open. */
  readonly signal: AbortSignal;
  /** Aborts when an orderly end takes longer than whoever started us waits: within a second we are ended by force. */
  readonly hurry?: AbortSignal;
  /** Runs the `authenticate` hook, for messages that the transport sends of its own accord. */
  credentials(challenge?: Challenge): Promise<Credentials>;
  /**
   * Hands a message of the server over. A returned promise asks the transport to pause reading until it settles.
   *
   * @param request the `Envelope.key` of the request whose reply the message came with, where the wire tells
   */
  onmessage(envelope: Envelope, request?: RequestId): void | Promise<void>;
  /** Tells that the channel of the request with this `Envelope.key` ended without its answer. */
  onlost(id: RequestId, error: ConnectorError): void;
  /** Tells that the server has forgotten the session. What is under way may yet be answered; a new one is begun. */
  onforgotten(): void;
  /**
   * Tells that the server is alive: bytes came that belong to the reply to this request or, without an id, to the
   * channel of all. Absent while nobody measures silence.
   */
  readonly onalive?: (id?: RequestId) => void;
  /** Tells that messages of the server may have been missed while a stream of its was down. */
  onmissed(): void;
  /** Tells once that the transport is closed for good, with the reason unless `close` was called. */
  onclose(error?: ConnectorError): void;
}

/**
 * One open channel to one server: messages out by `send`, messages in by the context's callbacks.
 * The suite `testTransport` of `@mcp-connect/testing` is this contract in executable form.
 */
export interface Transport {
  /**
   * False while the server keeps nothing for the session, so that another one does as well. Left out, it may keep
   * something.
   */
  readonly stateful?: boolean;
  /**
   * Sends one message. Returns nothing, or a promise, when the transport has taken it over; whatever becomes of a
   * request after that is told by `onmessage`, `onlost` or `onclose`. Messages sent in order leave in order.
   * Cancellation is a message like any other; how it goes out is the transport's business.
   *
   * @throws ConnectorError whose `delivered` tells whether the message may have had an effect
   */
  send(envelope: Envelope, credentials: Credentials): void | Promise<void>;
  /**
   * Takes back the request with this `Envelope.key` if nothing of it has left yet, as while it waits for a connection.
   * Returns true when it never will: nothing more is told of it. Left out, or false: the server may get it.
   */
  withdraw?(id: RequestId): boolean;
  /** Returns a promise that settles when more messages are welcome, or undefined when they are now. */
  drain?(): Promise<void> | undefined;
  /**
   * Learns that the machine has slept, so that connections may have died without a sign, and drops what is easily made
   * anew. Returns true when the channel itself has to be tried out before it is used again.
   */
  wake?(): boolean;
  /** Ends the channel in good order and frees everything. Never throws; calling it again returns the same end. */
  close(): Promise<void>;
}

/** How to reach the servers of one scheme. */
export interface TransportKind {
  /** True where several connections to one endpoint carry more than one does; see `ConnectorOptions.pool`. */
  readonly pooled?: boolean;
  /**
   * Checks an endpoint before anything is opened.
   *
   * @throws ConnectorError `MCPC_USAGE` naming what is wrong and what to type instead
   */
  validate?(endpoint: Endpoint): void;
  /**
   * Opens a channel. It may return before anything is connected, where connecting is part of sending.
   *
   * @throws ConnectorError `MCPC_CONNECT` or `MCPC_TIMEOUT`
   */
  open(context: TransportContext): Transport | Promise<Transport>;
}
