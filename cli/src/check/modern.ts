import {
  ConnectorError,
  Envelope,
  type Connector,
  type ErrorData,
  type JSONRPCMessage,
  type RequestId,
} from '@mcp-connect/core';
import type { Conversation } from './conversation.js';

/** The revision in whose words a modern server is asked. */
export const MODERN = '2026-07-28';

const META = 'io.modelcontextprotocol/';

/** The server's refusal of a revision, which names those that it speaks (2026-07-28 basic/versioning). */
const UNSUPPORTED_VERSION = -32_022;

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';

/** An error that the server sent, with its code as the SDK's errors have it. */
class ServerError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor({ code, message, data }: { code: number; message: string; data?: unknown }) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

interface Asked {
  resolve(result: Record<string, unknown>): void;
  reject(error: Error): void;
  onnews?: (method: string) => void;
}

/** What the conversation is held with. */
export interface ModernOptions {
  readonly connector: Connector;
  readonly clientInfo: { readonly name: string; readonly version: string };
}

/**
 * Greets a server as clients of 2026-07-28 do, with `server/discover`. The messages are made here: SDK 1 does not know
 * the revision (2026-07-28 server/discover).
 */
export async function greetModern(options: ModernOptions): Promise<Conversation> {
  const line = new ModernLine(options);
  try {
    const found = await line.request('server/discover');
    const meta = (found['_meta'] ?? {}) as Record<string, unknown>;
    const server = (meta[`${META}serverInfo`] ?? found['serverInfo'] ?? {}) as Record<string, string>;
    const { instructions, supportedVersions, capabilities } = found;
    return {
      greeting: {
        era: 'modern',
        revisions: Array.isArray(supportedVersions) ? supportedVersions.map(String) : [],
        server: {
          ...(server['name'] !== undefined && { name: server['name'] }),
          ...(server['version'] !== undefined && { version: server['version'] }),
        },
        capabilities: (capabilities ?? {}) as Record<string, unknown>,
        ...(typeof instructions === 'string' && { instructions }),
      },
      request: (method, params) => line.request(method, params),
      news: () => line.listen(),
      close: () => line.close(),
    };
  } catch (error) {
    await line.close();
    throw error;
  }
}

/** The revisions that a refusal of ours names; undefined when it refuses for another reason. */
export function revisionsNamedBy(error: unknown): readonly string[] | undefined {
  if (!(error instanceof ServerError) || error.code !== UNSUPPORTED_VERSION) return undefined;
  const { supported } = (error.data ?? {}) as { supported?: unknown };
  return Array.isArray(supported) ? supported.map(String) : [];
}

/** Requests and their answers over the line, each with what 2026-07-28 asks of every request. */
class ModernLine {
  readonly #pipeline: ReturnType<Connector['connect']>;
  readonly #clientInfo: ModernOptions['clientInfo'];
  readonly #timeout: number;
  readonly #asked = new Map<RequestId, Asked>();
  #count = 0;

  constructor({ connector, clientInfo }: ModernOptions) {
    this.#clientInfo = clientInfo;
    this.#timeout = connector.settings.timeout;
    this.#pipeline = connector.connect({ deliver: (envelope) => this.#ondelivered(envelope) });
  }

  request(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> {
    return this.#ask(method, params).answer;
  }

  /** Opens the stream of news and closes it once it is there (2026-07-28 patterns/subscriptions). */
  async listen(): Promise<string | undefined> {
    const params = { notifications: { toolsListChanged: true } };
    let acknowledge: (words: string) => void = () => undefined;
    const acknowledged = new Promise<string>((resolve) => (acknowledge = resolve));
    const { id, answer } = this.#ask('subscriptions/listen', params, (method) => {
      if (method === ACKNOWLEDGED) acknowledge('open');
    });
    try {
      return await Promise.race([acknowledged, answer.then(() => undefined)]);
    } finally {
      answer.catch(() => undefined);
      this.#accept({ method: 'notifications/cancelled', params: { requestId: id, reason: 'seen enough' } });
    }
  }

  async close(): Promise<void> {
    await this.#pipeline.close();
  }

  #ask(
    method: string,
    params: Readonly<Record<string, unknown>>,
    onnews?: Asked['onnews'],
  ): { id: RequestId; answer: Promise<Record<string, unknown>> } {
    const id = ++this.#count;
    const answer = new Promise<Record<string, unknown>>((resolve, reject) => {
      // The line bounds `server/discover` itself, during which a person may be asked to sign in.
      const limit =
        method === 'server/discover'
          ? undefined
          : setTimeout(() => asked.reject(tooLate(method, this.#timeout)), this.#timeout);
      const done = (): void => {
        clearTimeout(limit);
        this.#asked.delete(id);
      };
      const asked: Asked = {
        resolve: (result) => (done(), resolve(result)),
        reject: (error) => (done(), reject(error)),
        ...(onnews !== undefined && { onnews }),
      };
      this.#asked.set(id, asked);
    });
    const _meta = {
      [`${META}protocolVersion`]: MODERN,
      [`${META}clientInfo`]: this.#clientInfo,
      [`${META}clientCapabilities`]: {},
    };
    this.#accept({ id, method, params: { ...params, _meta } });
    return { id, answer };
  }

  #accept(message: object): void {
    void this.#pipeline.accept(Envelope.of({ jsonrpc: '2.0', ...message } as JSONRPCMessage));
  }

  #ondelivered(envelope: Envelope): void {
    if (envelope.kind === 'notification') {
      for (const { onnews } of this.#asked.values()) onnews?.(envelope.method ?? '');
      return;
    }
    const asked = envelope.id === undefined ? undefined : this.#asked.get(envelope.id);
    if (asked === undefined) return;
    const { message } = envelope;
    if ('error' in message) asked.reject(errorOf(message.error));
    else if ('result' in message) asked.resolve(message.result);
  }
}

function errorOf(error: { code: number; message: string; data?: unknown }): Error {
  const ours = error.data as Partial<ErrorData> | undefined;
  if (ours?.source !== 'mcp-connect' || ours.code === undefined) return new ServerError(error);
  return new ConnectorError(ours.code, error.message, ours.hint === undefined ? {} : { hint: ours.hint });
}

function tooLate(method: string, timeout: number): ConnectorError {
  return new ConnectorError('MCPC_TIMEOUT', `${method} was not answered within ${timeout / 1000} s.`, {
    hint: 'Allow more time with --timeout SECONDS',
  });
}
