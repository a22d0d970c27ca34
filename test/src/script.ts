import type { Endpoint } from '@mcp-connect/core';
import type { PeerMessage } from './peer.js';

/** The body of a JSON-RPC response. */
type Body =
  { readonly result: object } | { readonly error: { readonly code: number; readonly message: string } };

/** An answer, and how it is given. */
export interface Reply {
  readonly kind: 'reply';
  readonly body: Body;
  /** True for a stream of events, where the wire has them. */
  readonly sse: boolean;
  /** Messages that come before the answer; drawn no faster than the wire takes them. */
  readonly before: Iterable<object>;
  /** Messages that come behind the answer. */
  readonly after: Iterable<object>;
  /** How often the answer is given. */
  readonly times: number;
  /** True to spread the JSON over several lines. */
  readonly pretty: boolean;
  /** True to give every event an id, with which a cut stream can be resumed. */
  readonly ids: boolean;
  /** Milliseconds between one message and the next. */
  readonly pause: number;
  /** Bytes that are written at a time; the whole message where not given. */
  readonly chunk: number;
  /** True to break the connection off in the middle of the answer. */
  readonly broken: boolean;
}

/** What a scripted server does with one request. */
export type Outcome =
  | Reply
  | { readonly kind: 'raw'; readonly bytes: string | Buffer; readonly type: string }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly executed: boolean;
    }
  | { readonly kind: 'end' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'listen' }
  | Poll
  | { readonly kind: 'cut'; readonly after: string | undefined };

/** An answer for which the client has to ask again and again, on HTTP (2025-11-25 basic/transports, Listening). */
export interface Poll {
  readonly kind: 'poll';
  /** How many streams end without the answer before one brings it. */
  readonly rounds: number;
  /** Milliseconds that each of them asks the client to wait. */
  readonly retry: number;
}

/** Decides what becomes of a request; undefined stands for a plain answer. */
export type Script = (request: PeerMessage) => Outcome | undefined;

/** How an answer may differ from a plain one. */
export type ReplyOptions = Partial<Omit<Reply, 'kind' | 'body' | 'sse'>>;

/** Answers with a result, on HTTP as a JSON reply. */
export function reply(result: object = {}, options: ReplyOptions = {}): Outcome {
  return { kind: 'reply', body: { result }, ...replyOptions(options), sse: false };
}

/** Answers with a result, on HTTP as a stream of events; line wires know no difference. */
export function replySse(result: object = {}, options: ReplyOptions = {}): Outcome {
  return { kind: 'reply', body: { result }, ...replyOptions(options), sse: true };
}

/** Answers with an error of the server. */
export function replyError(code: number, message = 'scripted'): Outcome {
  return { kind: 'reply', body: { error: { code, message } }, ...replyOptions({}), sse: false };
}

/** Writes bytes as they are in place of an answer, on HTTP as a whole body of this type. */
export function raw(bytes: string | Buffer, type = 'application/json'): Outcome {
  return { kind: 'raw', bytes, type };
}

/** Answers with an HTTP status. Counts as carried out from 500 upwards, unless told otherwise. */
export function status(
  code: number,
  {
    headers = {},
    body = '',
    executed = code >= 500,
  }: { headers?: Record<string, string>; body?: string; executed?: boolean } = {},
): Outcome {
  return { kind: 'status', status: code, headers, body, executed };
}

/** Ends the reply or connection properly, but without the answer. */
export function end(): Outcome {
  return { kind: 'end' };
}

/** Reads the request and never says a word. */
export function hang(): Outcome {
  return { kind: 'hang' };
}

/** Opens a stream of news and acknowledges it (2026-07-28 patterns/subscriptions). */
export function listen(): Outcome {
  return { kind: 'listen' };
}

/**
 * Ends the stream behind an event id, and gives the answer to whoever asks for what comes behind it. The result tells
 * in `waits` how long the client waited each time, in milliseconds.
 */
export function poll(rounds: number, retry: number): Outcome {
  return { kind: 'poll', rounds, retry };
}

/** Breaks the connection off once the request was read, or behind these first bytes of a reply. */
export function cut(after?: string): Outcome {
  return { kind: 'cut', after };
}

/** Plays one outcome for each request of a method, in turn; the last one goes for all that follow. */
export function inTurn(method: string, ...outcomes: readonly Outcome[]): Script {
  let turn = 0;
  return (request) => {
    if (request.method !== method) return undefined;
    return outcomes[Math.min(turn++, outcomes.length - 1)];
  };
}

/** What becomes of a request that the script says nothing of: openers of both eras get a server's answer. */
export function defaultOutcome({ method, params }: PeerMessage): Outcome {
  if (method === 'subscriptions/listen') return listen();
  if (method === 'server/discover') {
    const supportedVersions = ['2026-07-28'];
    return reply({
      resultType: 'complete',
      supportedVersions,
      capabilities: {},
      ttlMs: 0,
      cacheScope: 'private',
    });
  }
  if (method !== 'initialize') return reply();
  return reply({
    protocolVersion: params?.['protocolVersion'] ?? '2025-06-18',
    capabilities: {},
    serverInfo: { name: 'scripted', version: '0' },
  });
}

/** A raw server without any MCP library that does as its script says, and keeps count of what it carried out. */
export interface ScriptedServer {
  readonly endpoint: Endpoint;
  /** Every message that reached the server, in order. */
  readonly messages: readonly PeerMessage[];
  /**
   * How many requests of this method the server has carried out. `GET` stands for streams of news,
   * `DELETE` for the end of sessions.
   */
  executions(method: string): number;
  /** How many channels are open on which the server can say something by itself. */
  readonly listeners: number;
  /** Says something by itself on each of them. */
  announce(message: object): void;
  /** Settles once so many messages, or so many of one method, have reached the server. */
  received(count: number, method?: string): Promise<void>;
  /** How many requests of this method were given up by their client, which closed the connection under them. */
  abandoned(method: string): number;
  /** Settles once a condition holds that rests on what reached the server. */
  until(holds: () => boolean): Promise<void>;
  /** Breaks every connection off at once; the server goes on listening. */
  cut(): void;
  /** Breaks every connection off, and every new one as soon as it is made, until it starts again. */
  turnAway(): void;
  /** Goes away: breaks every connection off, stops listening and forgets its sessions. */
  stop(): Promise<void>;
  /** Comes back at the address where it was. */
  start(): Promise<void>;
  /** Ends all connections and stops listening, for good. */
  close(): Promise<void>;
}

/** Keeps the books of a scripted server. */
export class Journal {
  readonly messages: PeerMessage[] = [];
  readonly #executed = new Map<string, number>();
  readonly #abandoned = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  /** Notes a message, with what becomes of it when it is a request. */
  note(message: PeerMessage, outcome: Outcome | undefined): void {
    this.messages.push(message);
    const executed = outcome !== undefined && (outcome.kind !== 'status' || outcome.executed);
    if (executed) this.count(message.method!);
    else this.#look();
  }

  /** Notes that something was carried out. */
  count(method: string): void {
    this.#executed.set(method, this.executions(method) + 1);
    this.#look();
  }

  /** Notes that the client closed the connection under a request. */
  abandon({ method }: PeerMessage): void {
    this.#abandoned.set(method!, this.abandoned(method!) + 1);
    this.#look();
  }

  abandoned(method: string): number {
    return this.#abandoned.get(method) ?? 0;
  }

  executions(method: string): number {
    return this.#executed.get(method) ?? 0;
  }

  received(count: number, method?: string): Promise<void> {
    const fits = (message: PeerMessage): boolean => method === undefined || message.method === method;
    return this.until(() => this.messages.filter(fits).length >= count);
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** The part of a server that is read from these books. */
  get books(): Pick<ScriptedServer, 'messages' | 'executions' | 'abandoned' | 'received' | 'until'> {
    return {
      messages: this.messages,
      executions: (method) => this.executions(method),
      abandoned: (method) => this.abandoned(method),
      received: (count, method) => this.received(count, method),
      until: (holds) => this.until(holds),
    };
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

function replyOptions(options: ReplyOptions): Omit<Reply, 'kind' | 'body' | 'sse'> {
  return {
    before: [],
    after: [],
    times: 1,
    pretty: false,
    ids: false,
    pause: 0,
    chunk: Number.POSITIVE_INFINITY,
    broken: false,
    ...options,
  };
}

/** The first message on a stream of news, which the request under this id has opened. */
export function acknowledgement({ id, params }: PeerMessage): object {
  return {
    method: 'notifications/subscriptions/acknowledged',
    params: {
      notifications: params?.['notifications'],
      _meta: { 'io.modelcontextprotocol/subscriptionId': id },
    },
  };
}
