import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { Envelope } from './envelope.js';

/** Server capabilities whose lists can change, with the notification that says so. */
const LISTS = ['tools', 'prompts', 'resources'] as const;

interface InitializeResult {
  readonly capabilities?: Readonly<Record<string, { readonly listChanged?: unknown } | undefined>>;
}

/**
 * What a legacy session was told, so that a server which lost it can be told again: the client's own `initialize`,
 * `initialized`, the log level and the subscriptions (2025-11-25 basic/transports, Session Management).
 */
export class SessionMemory {
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

  /** Remembers all that another memory does. */
  copy(other: SessionMemory): void {
    this.#initialize = other.#initialize;
    this.#initialized = other.#initialized;
    this.#level = other.#level;
    this.#lists = other.#lists;
    this.logs = other.logs;
    for (const [uri, request] of other.#subscriptions) this.#subscriptions.set(uri, request);
  }

  /** The request that begins the session anew. */
  get initialize(): Envelope | undefined {
    return this.#initialize;
  }

  /** The notification that follows; undefined while the client has not sent it. */
  get initialized(): Envelope | undefined {
    return this.#initialized;
  }

  /** The client's last `logging/setLevel`. */
  get level(): Envelope | undefined {
    return this.#level;
  }

  /** The requests that bring a new session to where the old one was. */
  replay(): Envelope[] {
    return [...(this.#level === undefined ? [] : [this.#level]), ...this.#subscriptions.values()];
  }

  /** What tells the client to look again: changes may have been missed while there was no session. */
  missed(): Envelope[] {
    return this.#lists.map((list) =>
      Envelope.of({ jsonrpc: '2.0', method: `notifications/${list}/list_changed` } as JSONRPCMessage),
    );
  }

  #begin(request: Envelope, answer: Envelope | undefined): void {
    const { capabilities } = (answer?.parsed as { result?: InitializeResult } | undefined)?.result ?? {};
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
