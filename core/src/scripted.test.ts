import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { Connector } from './connector.js';
import { Envelope } from './envelope.js';
import { ConnectorError, type Delivered, type ErrorCode } from './errors.js';
import type { EquivalenceMode } from './equivalence.js';
import { createLog, type Log } from './log.js';
import type { Client, Pipeline } from './pipeline.js';
import type { ErrorData } from './reply.js';
import type { RetryTools } from './retry.js';
import type { Affinity } from './router.js';
import type { Clock } from './wake.js';
import type { Credentials, Settings, Transport, TransportContext, TransportKind } from './transport.js';

/** Any JSON-RPC message, as tests look at it. */
export interface Message {
  readonly id?: RequestId | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: ErrorData };
}

/** What a scripted server does with a message that was sent to it. */
export type Script = (message: Message, channel: Channel, envelope: Envelope) => void | Promise<void>;

/** One open channel to a scripted server, seen from the server. */
export class Channel implements Transport {
  readonly context: TransportContext;
  readonly sent: Message[] = [];
  readonly credentials: Credentials[] = [];
  readonly stateful: boolean;
  closed = 0;
  /** What `drain` returns. */
  busy: Promise<void> | undefined;
  wake?: () => boolean;
  withdraw?: (id: RequestId) => boolean;
  readonly #script: Script;

  constructor(context: TransportContext, script: Script, stateful: boolean) {
    this.context = context;
    this.stateful = stateful;
    this.#script = script;
  }

  send(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    const message = envelope.message as Message;
    this.sent.push(message);
    this.credentials.push(credentials);
    return this.#script(message, this, envelope);
  }

  drain(): Promise<void> | undefined {
    return this.busy;
  }

  async close(): Promise<void> {
    this.closed++;
  }

  /** Speaks as the server: a message, or its exact text. */
  say(message: object | string): void | Promise<void> {
    const text = typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message });
    return this.context.onmessage(Envelope.read(Buffer.from(text)));
  }

  /** The methods that were sent, in order. */
  get methods(): (string | undefined)[] {
    return this.sent.map(({ method }) => method);
  }
}

/** Answers every request with its own params. */
export const echo: Script = ({ id, method, params }, channel) => {
  if (id !== undefined && method !== undefined) void channel.say({ id, result: { ...params } });
};

/** A server in this process that does as its script says. */
export class Scripted implements TransportKind {
  readonly channels: Channel[] = [];
  script: Script;
  /** Whether its channels say that it keeps something for a session. */
  stateful = true;
  /** What channels do when the machine has slept; undefined for transports that do not care. */
  wake: (() => boolean) | undefined;
  /** Runs before a channel opens, for servers that let wait or refuse. */
  onopen: ((context: TransportContext) => void | Promise<void>) | undefined;

  constructor(script: Script = echo) {
    this.script = script;
  }

  open(context: TransportContext): Transport | Promise<Transport> {
    const script: Script = (message, at, envelope) => this.script(message, at, envelope);
    const channel = new Channel(context, script, this.stateful);
    if (this.wake !== undefined) channel.wake = this.wake;
    const opened = (): Channel => {
      this.channels.push(channel);
      return channel;
    };
    const waiting = this.onopen?.(context);
    return waiting === undefined ? opened() : waiting.then(opened);
  }

  /** The newest channel. */
  get channel(): Channel {
    return this.channels.at(-1)!;
  }

  /** All messages that reached the server, over all its channels. */
  get sent(): Message[] {
    return this.channels.flatMap(({ sent }) => sent);
  }
}

/** A client in this process that writes down what it gets. */
export class RecordingClient implements Client {
  readonly messages: Message[] = [];
  readonly texts: string[] = [];
  /** What `deliver` returns. */
  busy: Promise<void> | undefined;
  #waiting: { ready(): boolean; resolve(): void }[] = [];

  deliver(envelope: Envelope): void | Promise<void> {
    this.texts.push(envelope.bytes.toString());
    this.messages.push((envelope.parsed ?? {}) as Message);
    for (const { ready, resolve } of this.#waiting) if (ready()) resolve();
    return this.busy;
  }

  /** Settles once the condition holds; it is looked at after each message. */
  until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ ready, resolve }));
  }

  /** Settles with the first message with this id. */
  async answer(id: RequestId | null): Promise<Message> {
    await this.until(() => this.answers(id).length > 0);
    return this.answers(id)[0]!;
  }

  answers(id: RequestId | null): Message[] {
    return this.messages.filter((message) => message.id === id && message.method === undefined);
  }
}

/** A client, a pipeline and scripted servers, joined. */
export interface Line {
  readonly connector: Connector;
  readonly pipeline: Pipeline;
  readonly client: RecordingClient;
  /** Says one message as the client. */
  tell(message: object): void | Promise<void>;
  /** Says one line as the client. */
  line(text: string): void | Promise<void>;
}

/** What differs from a plain line to one server. */
export interface LineOptions {
  readonly settings?: Partial<Settings>;
  readonly retryTools?: RetryTools;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly affinity?: Affinity;
  readonly equivalence?: EquivalenceMode;
  /** Taps hooks before the line starts. */
  tap?(connector: Connector): void;
}

/** Makes a line to these servers, in this order. */
export function lineTo(servers: Scripted | readonly Scripted[], options: LineOptions = {}): Line {
  const { settings = {}, retryTools = 'annotated', tap, ...others } = options;
  const connector = new Connector({
    log: createLog({ level: 'error', write: () => undefined }),
    settings: { timeout: 5_000, retryDelay: 10, ...settings },
    retryTools,
    ...others,
  });
  [servers].flat().forEach((server, index) => {
    connector.transport(`s${index}`, server as Scripted);
    connector.endpoint(`s${index}://server`);
  });
  tap?.(connector);
  const client = new RecordingClient();
  const pipeline = connector.connect(client);
  const line = (text: string): void | Promise<void> => pipeline.receive(Buffer.from(text));
  return {
    connector,
    pipeline,
    client,
    line,
    tell: (message) => line(JSON.stringify({ jsonrpc: '2.0', ...message })),
  };
}

/** A promise with its ends in the hands of the test. */
export function deferred(): { readonly promise: Promise<void>; resolve(): void; reject(error: Error): void } {
  let ends!: { resolve(): void; reject(error: Error): void };
  const promise = new Promise<void>((resolve, reject) => (ends = { resolve, reject }));
  return { promise, ...ends };
}

/** Fails a message as a transport does. */
export function failure(code: ErrorCode, delivered: Delivered = 'no'): ConnectorError {
  return new ConnectorError(code, 'scripted failure', { delivered });
}

/** Whatever a parsed message is, as the SDK's type. */
export function asMessage(message: object): JSONRPCMessage {
  return { jsonrpc: '2.0', ...message } as JSONRPCMessage;
}
