import {
  Connector,
  createLog,
  Envelope,
  type Endpoint,
  type JSONRPCMessage,
  type Pipeline,
  type TransportKind,
} from '@mcp-connect/core';
import { memoryTransport, type PeerMessage, type Say } from '@mcp-connect/testing';
import bridge from './index.js';
import { MODERN } from './modern.js';

/** What a scripted server does with a request. Undefined stands for an empty result, `false` for no answer. */
export type Handle = (message: PeerMessage, say: (message: object) => void) => object | false | undefined;

/** Messages that have come, to be waited for. */
export class Mailbox {
  readonly messages: PeerMessage[] = [];
  readonly #waiting = new Set<() => void>();

  put(message: PeerMessage): void {
    this.messages.push(message);
    for (const look of this.#waiting) look();
  }

  /** The first message that fits, as soon as there is one. */
  next(fits: (message: PeerMessage) => boolean): Promise<PeerMessage> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.messages.find(fits);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** How many messages there are of this method. */
  count(method: string): number {
    return this.messages.filter((message) => message.method === method).length;
  }
}

/** A client and a scripted server with the bridge between them. */
export interface Joined {
  /** What the client got. */
  readonly client: Mailbox;
  /** What the server got. */
  readonly server: Mailbox;
  /** Says something to the bridge in the server's place. */
  say(message: object): void;
  /** Sends a message of the client as it is. */
  write(message: object): void;
  /** Sends a request, and returns its answer. */
  request(id: number | string, method: string, params?: object): Promise<PeerMessage>;
  /** Sends a request as a modern client does, and returns its answer. */
  ask(id: number | string, method: string, params?: object, meta?: object): Promise<PeerMessage>;
  /** Breaks the channel to the server off. */
  cut(): void;
  close(): Promise<void>;
}

/** The `_meta` of a modern client that can be asked anything. */
export const ABLE = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'modern', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {
    elicitation: { form: {}, url: {} },
    sampling: {},
    roots: {},
  },
};

/** Joins a client to a server of 2025-11-25 that does as `handle` says and declares these capabilities. */
export async function joinToLegacy(
  handle: Handle = () => undefined,
  capabilities: object = {},
): Promise<Joined> {
  return joined((message, say) => {
    const { method, params } = message;
    if (method === 'server/discover') return { error: { code: -32_601, message: 'Method not found' } };
    if (method !== 'initialize') return handle(message, say);
    const { protocolVersion } = params as { protocolVersion: string };
    return { result: { protocolVersion, capabilities, serverInfo: { name: 'legacy', version: '1' } } };
  });
}

/** Joins a client to a server of 2026-07-28 alone that does as `handle` says and answers `server/discover` with this. */
export async function joinToModern(
  handle: Handle = () => undefined,
  discovered: object = {},
): Promise<Joined> {
  return joined((message, say) => {
    const { id, method, params } = message;
    switch (method) {
      case 'initialize':
        return { error: { code: -32_022, message: 'Unsupported', data: { supported: [MODERN] } } };
      case 'server/discover':
        return {
          result: { resultType: 'complete', supportedVersions: [MODERN], capabilities: {}, ...discovered },
        };
      case 'subscriptions/listen': {
        const answer = handle(message, say);
        if (answer !== undefined) return answer;
        const { notifications } = params as { notifications: object };
        const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
        say({ method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta } });
        return false;
      }
      default:
        return handle(message, say);
    }
  });
}

/** Joins a client to a server that does as `handle` says from the first message on. */
export async function joined(handle: Handle): Promise<Joined> {
  const memory = memoryTransport();
  const server = new Mailbox();
  let saying: Say | undefined;
  const say = (message: object): void => void saying?.(JSON.stringify({ jsonrpc: '2.0', ...message }));
  const served = await memory.serve((text, answer) => {
    saying = answer;
    const message = JSON.parse(text) as PeerMessage;
    const body = message.id === undefined || message.method === undefined ? false : handle(message, say);
    server.put(message);
    if (body !== false) say({ id: message.id, ...(body ?? { result: {} }) });
  });
  const client = new Mailbox();
  const pipeline = connect(memory.kind, served.endpoint, client);
  const write = (message: object): void =>
    void pipeline.accept(Envelope.of({ jsonrpc: '2.0', ...message } as JSONRPCMessage));
  const request = (id: number | string, method: string, params: object = {}): Promise<PeerMessage> => {
    write({ id, method, params });
    return client.next((message) => message.id === id && message.method === undefined);
  };
  return {
    client,
    server,
    say,
    write,
    request,
    ask: (id, method, params = {}, meta = {}) =>
      request(id, method, { ...params, _meta: { ...ABLE, ...meta } }),
    cut: () => served.cut?.(),
    async close() {
      await pipeline.close();
      await served.close();
    },
  };
}

function connect(kind: TransportKind, endpoint: Endpoint, client: Mailbox): Pipeline {
  const log = createLog({ level: 'error', write: () => undefined });
  const connector = new Connector({ log, settings: { timeout: 2_000, retryDelay: 20 } });
  connector.use({ name: 'memory', apply: (registry) => registry.transport('memory', kind) });
  connector.use(bridge);
  connector.endpoint(endpoint);
  return connector.connect({ deliver: (envelope) => client.put(envelope.message as PeerMessage) });
}
