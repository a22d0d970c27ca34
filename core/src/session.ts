import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { Envelope } from './envelope.js';
import { VERSION_KEY } from './modern.js';

/** Server capabilities whose lists can change, with the notification that says so. */
const LISTS = ['tools', 'prompts', 'resources'] as const;

/** What a request of 2026-07-28 has to carry in `_meta`. */
const MODERN = {
  [VERSION_KEY]: '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** What a request of that revision asks to be told on its own way, by the key in `_meta`. */
const LOG_LEVEL_KEY = 'io.modelcontextprotocol/logLevel';

interface InitializeResult {
  readonly capabilities?: Readonly<Record<string, { readonly listChanged?: unknown } | undefined>>;
}

/**
 * What the client has told its server, so that one which lost it, or stands in for it, can be told again: the client's
 * own `initialize`, `initialized`, the log level and the subscriptions (2025-11-25 basic/transports, Session
 * Management). A client has one session, over however many legs.
 */
export class SessionMemory {
  /** Counts the sessions that the client has begun: a server that was told of an older one knows nothing of this one. */
  generation = 0;
  /** What requests of 2026-07-28 carry in `_meta`, as the client last sent it. */
  meta: Readonly<Record<string, unknown>> | undefined;
  #initialize: Envelope | undefined;
  #initialized: Envelope | undefined;
  #level: Envelope | undefined;
  readonly #subscriptions = new Map<string, Envelope>();
  #lists: readonly string[] = [];
  /** Whether the server says that it sends log messages. */
  logs = false;

  /** True once the client has begun a session. */
  get started(): boolean {
    return this.#initialize !== undefined;
  }

  /** Notes a request that the server has answered with a result, or a notification that it was sent. */
  note(message: Envelope, answer?: Envelope): void {
    switch (message.method) {
      case 'initialize':
        this.#begin(message, answer);
        break;
      case 'notifications/initialized':
        this.#initialized = message;
        break;
      case 'logging/setLevel':
        this.#level = message;
        break;
      case 'resources/subscribe':
        this.#subscriptions.set(uriOf(message), message);
        break;
      case 'resources/unsubscribe':
        this.#subscriptions.delete(uriOf(message));
    }
  }

  /** The request that begins the session anew. */
  get initialize(): Envelope | undefined {
    return this.#initialize;
  }

  /** The notification that follows; undefined while the client has not sent it. */
  get initialized(): Envelope | undefined {
    return this.#initialized;
  }

  /** The request that sets the log level; undefined while the client has not asked for one. */
  get level(): Envelope | undefined {
    return this.#level;
  }

  /** The requests that subscribe to all that the client is subscribed to. */
  get subscriptions(): Envelope[] {
    return [...this.#subscriptions.values()];
  }

  /** What the client's requests say of it in `_meta`, for requests of our own; undefined where they say nothing. */
  get stamp(): Readonly<Record<string, unknown>> | undefined {
    if (this.meta === undefined) return undefined;
    const { progressToken: _token, [LOG_LEVEL_KEY]: _level, ...stamp } = this.meta;
    return stamp;
  }

  /** A request that changes nothing. Any answer to it shows that a server lives, a refusal included. */
  question(): Envelope {
    const discover = { method: 'server/discover', params: { _meta: this.stamp ?? MODERN } };
    const body = this.started ? { method: 'ping' } : discover;
    return Envelope.of({ jsonrpc: '2.0', id: 0, ...body } as JSONRPCMessage);
  }

  /** What tells the client to look again: changes may have been missed while there was no session. */
  missed(): Envelope[] {
    const news = (body: object): Envelope => Envelope.of({ jsonrpc: '2.0', ...body } as JSONRPCMessage);
    return [
      ...this.#lists.map((list) => news({ method: `notifications/${list}/list_changed` })),
      ...[...this.#subscriptions.keys()].map((uri) =>
        news({ method: 'notifications/resources/updated', params: { uri } }),
      ),
    ];
  }

  #begin(request: Envelope, answer: Envelope | undefined): void {
    const { capabilities } = (answer?.parsed as { result?: InitializeResult } | undefined)?.result ?? {};
    this.generation++;
    this.#initialize = request;
    this.#initialized = undefined;
    this.#level = undefined;
    this.#subscriptions.clear();
    this.logs = capabilities?.['logging'] !== undefined;
    this.#lists = LISTS.filter((list) => capabilities?.[list]?.listChanged === true);
  }
}

function uriOf(message: Envelope): string {
  return String((message.parsed as { params?: { uri?: unknown } } | undefined)?.params?.uri);
}
