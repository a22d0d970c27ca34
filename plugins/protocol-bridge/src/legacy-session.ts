import { ConnectorError, reasonOf, type Credentials, type RequestId } from '@mcp-connect/core';
import type { Answer, DirectionContext } from './direction.js';
import type { LegacyRevision } from './legacy-client.js';
import { LEGACY, METHOD_NOT_FOUND, UNSUPPORTED_VERSION } from './modern.js';
import { notificationOf } from './messages.js';
import { membersOf, type ModernRequest } from './modern-request.js';

type Members = Readonly<Record<string, unknown>>;

/** What a legacy server said when the session began. */
export interface Opened {
  readonly protocolVersion: string;
  readonly capabilities: Members;
  readonly serverInfo: Members;
  readonly instructions: unknown;
}

/** An error that the server answered a request of the bridge's own with. */
export class ServerError extends Error {
  readonly error: Required<Answer>['error'];

  constructor(error: Required<Answer>['error']) {
    super(error.message);
    this.error = error;
  }
}

/** What a session tells of itself. */
export interface SessionEvents {
  /** Brings a new session to where the lost one was, before anything else is sent. */
  onrenewed(): Promise<void>;
  /** Learns that the session is lost and that no new one could be begun. */
  onfailed(error: ConnectorError): void;
}

/** Errors by which a server says that it has no sessions. */
const SESSIONLESS = new Set([UNSUPPORTED_VERSION, METHOD_NOT_FOUND]);

/**
 * The one session that a legacy server sees, whatever a modern client asks: begun with the first request, in the name
 * of its client, and begun anew when the server has lost it (2025-11-25 basic/lifecycle).
 */
export class LegacySession {
  readonly #context: DirectionContext;
  readonly #events: SessionEvents;
  #opener: ModernRequest | undefined;
  #opened: Opened | undefined;
  #opening: Promise<Opened> | undefined;
  /** True from the second session on. */
  #renewing = false;

  constructor(context: DirectionContext, events: SessionEvents) {
    this.#context = context;
    this.#events = events;
  }

  /** The capabilities of the client in whose name the session is. */
  get declared(): Members {
    return this.#opener?.capabilities ?? {};
  }

  /** What the server said; undefined while there is no session. */
  get opened(): Opened | undefined {
    return this.#opened;
  }

  /**
   * Returns what the server said when the session began, beginning it first where needed.
   *
   * @throws ServerError when the server refuses, or ConnectorError; both as rejections
   */
  ready(request: ModernRequest, credentials: Credentials): Opened | Promise<Opened> {
    this.#opener ??= request;
    return this.#opened ?? this.#begin(credentials);
  }

  /**
   * Sends a request of the bridge's own in the session, and returns its result.
   *
   * @param inPlaceOf the key of the client's request that it is sent for
   * @throws ServerError or ConnectorError
   */
  async ask(method: string, params: Members, inPlaceOf?: RequestId): Promise<Members> {
    const options = inPlaceOf === undefined ? {} : { inPlaceOf };
    return resultOf(await this.#context.upstream.ask(method, params, options).answer);
  }

  /** Learns that the server has lost the session. A new one is begun at once: the client may be listening. */
  forgotten(lost: Opened | undefined): void {
    if (lost === undefined || lost !== this.#opened) return;
    this.#opened = undefined;
    this.#context.client.log.info?.('%s lost the session; it is begun anew', this.#label);
    this.#begin().catch((error: unknown) => this.#events.onfailed(lossOf(error)));
  }

  get #label(): string {
    return this.#context.client.endpoint.label;
  }

  #begin(credentials?: Credentials): Promise<Opened> {
    this.#opening ??= this.#open(credentials).finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #open(credentials: Credentials | undefined): Promise<Opened> {
    const { upstream } = this.#context;
    const renewed = this.#renewing;
    const opened = openedBy(await this.#initialize(credentials), this.#label);
    await upstream.send(notificationOf('notifications/initialized'), credentials);
    if (renewed) await this.#events.onrenewed();
    this.#renewing = true;
    this.#opened = opened;
    this.#context.confirmed();
    return opened;
  }

  async #initialize(credentials: Credentials | undefined): Promise<Members> {
    try {
      return await this.#introduce(LEGACY[0], credentials);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      const named = namedBy(error);
      if (named !== undefined) return this.#introduce(named, credentials);
      if (!SESSIONLESS.has(error.error.code)) throw error;
      throw this.#misjudged(error);
    }
  }

  /** Begins a session in a revision; the server may still choose another one. */
  async #introduce(protocolVersion: LegacyRevision, credentials: Credentials | undefined): Promise<Members> {
    const { client, upstream } = this.#context;
    const { capabilities, clientInfo } = this.#opener!;
    const params = {
      protocolVersion,
      capabilities: capabilitiesOf(capabilities),
      clientInfo: { name: 'mcp-connect', version: '0', ...clientInfo },
    };
    // A server must not be told that `initialize` is cancelled (2025-11-25 basic/utilities/cancellation).
    const { answer } = upstream.ask('initialize', params, credentials && { credentials });
    let patience: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      patience = setTimeout(() => reject(this.#timedOut()), client.settings.timeout);
    });
    try {
      return resultOf(await Promise.race([answer, late]));
    } finally {
      clearTimeout(patience);
    }
  }

  /** What the server said of its era no longer holds: the request that needs the session is to ask anew. */
  #misjudged(cause: ServerError): ConnectorError {
    this.#context.misjudged();
    const text = `${this.#label} refused to begin a session: ${cause.message}`;
    return new ConnectorError('MCPC_SESSION_LOST', text, { cause, delivered: 'rejected' });
  }

  #timedOut(): ConnectorError {
    const seconds = this.#context.client.settings.timeout / 1000;
    return new ConnectorError('MCPC_TIMEOUT', `${this.#label} began no session within ${seconds} s.`, {
      hint: 'Check that the server is up, or allow more time with --timeout SECONDS',
    });
  }
}

/**
 * The newest revision that a server names which does not answer with it, but refuses the one that it was asked for
 * (2025-11-25 basic/lifecycle, Error Handling).
 */
function namedBy({ error }: ServerError): LegacyRevision | undefined {
  const { supported } = membersOf(error.data);
  if (!Array.isArray(supported)) return undefined;
  const [refused, ...older] = LEGACY;
  return supported.includes(refused) ? undefined : older.find((revision) => supported.includes(revision));
}

/** The capabilities of a client as a legacy server is told them. Roots of a modern client never announce a change. */
function capabilitiesOf({ roots, tasks: _tasks, ...kept }: Members): Members {
  return roots === undefined ? kept : { ...kept, roots: {} };
}

function openedBy(result: Members, label: string): Opened {
  const { protocolVersion, capabilities, serverInfo, instructions } = result;
  if (!(LEGACY as readonly unknown[]).includes(protocolVersion)) {
    throw new ConnectorError('MCPC_BAD_RESPONSE', `${label} speaks no revision of MCP that is known here.`, {
      hint: 'Update mcp-connect, or the server',
      delivered: 'rejected',
    });
  }
  return {
    protocolVersion: protocolVersion as string,
    capabilities: membersOf(capabilities),
    serverInfo: membersOf(serverInfo),
    instructions,
  };
}

/** What was under way in a session may have been carried out, whatever became of the session. */
function lossOf(error: unknown): ConnectorError {
  return new ConnectorError('MCPC_CONNECTION_LOST', reasonOf(error), { cause: error, delivered: 'unknown' });
}

function resultOf({ result, error }: Answer): Members {
  if (error !== undefined) throw new ServerError(error);
  return result ?? {};
}
