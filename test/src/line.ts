import {
  Connector,
  createLog,
  DEFAULT_SETTINGS,
  Envelope,
  type Credentials,
  type Endpoint,
  type Log,
  type RequestId,
  type Settings,
  type TransportContext,
  type TransportKind,
} from '@mcp-connect/core';
import { textOf, type PeerMessage } from './peer.js';

/** A message that has reached a server of a {@link Line}. */
export interface Arrival {
  readonly endpoint: Endpoint;
  readonly envelope: Envelope;
  readonly credentials: Credentials;
  /** What the transport was opened with. */
  readonly context: TransportContext;
  /** Says something to the client, on a later turn, as over a network. */
  say(message: object): void;
}

/** What a line is made from. */
export interface LineOptions {
  /** The endpoints, the first one first. */
  readonly endpoints: readonly string[];
  /** The scheme of the endpoints. */
  readonly scheme: string;
  readonly settings?: Partial<Settings>;
  /** Adds the plugin under test and what it needs. */
  use(connector: Connector): void;
  /** Stands for the servers. What it throws is how the sending failed. */
  serve(arrival: Arrival): void;
}

/** A connector with a client and servers in this process: all that lies between is real. */
export class Line {
  readonly log: Log;
  /** Lines of the log, at its most talkative. */
  readonly logged: string[] = [];
  /** All that the client was handed, in order. */
  readonly delivered: Envelope[] = [];
  readonly #pipeline: ReturnType<Connector['connect']>;
  readonly #waiting = new Set<() => void>();
  #asked = 0;

  constructor({ endpoints, scheme, settings, use, serve }: LineOptions) {
    this.log = createLog({ level: 'trace', write: ({ text }) => this.logged.push(text) });
    const connector = new Connector({ log: this.log, settings: { ...DEFAULT_SETTINGS, ...settings } });
    for (const endpoint of endpoints) connector.endpoint(endpoint);
    connector.use({
      name: 'servers of this process',
      apply: (registry) => registry.transport(scheme, kindOf(serve)),
    });
    use(connector);
    this.#pipeline = connector.connect({ deliver: (envelope) => this.#deliver(envelope) });
  }

  /** Sends a request and returns its answer. */
  async ask(method = 'ping', params: object = {}): Promise<PeerMessage> {
    const id = `line-${this.#asked++}`;
    void this.say({ id, method, params });
    return (await this.answerTo(id)).message as PeerMessage;
  }

  /** Sends a message of the client. */
  say(message: object): void | Promise<void> {
    return this.#pipeline.receive(Buffer.from(textOf(message)));
  }

  /** Settles with the answer to a request once the client has it. */
  async answerTo(id: RequestId): Promise<Envelope> {
    const find = (): Envelope | undefined =>
      this.delivered.find(({ kind, key }) => kind === 'response' && key === id);
    await this.until(() => find() !== undefined);
    return find()!;
  }

  /** Settles once a condition holds that rests on what the client was handed. */
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

  close(): Promise<void> {
    return this.#pipeline.close();
  }

  #deliver(envelope: Envelope): void {
    this.delivered.push(envelope);
    for (const look of this.#waiting) look();
  }
}

/** Runs a test on a line, which ends with it. */
export async function onLine(options: LineOptions, run: (line: Line) => Promise<void>): Promise<void> {
  const line = new Line(options);
  try {
    await run(line);
  } finally {
    await line.close();
  }
}

function kindOf(serve: LineOptions['serve']): TransportKind {
  return {
    open: (context) => {
      let closed = false;
      const say = (message: object): void => {
        const envelope = Envelope.read(Buffer.from(textOf(message)));
        setImmediate(() => {
          if (!closed) void context.onmessage(envelope);
        });
      };
      return {
        send(envelope, credentials) {
          serve({ endpoint: context.endpoint, envelope, credentials, context, say });
        },
        async close() {
          closed = true;
        },
      };
    },
  };
}
