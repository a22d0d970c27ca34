import {
  Connector,
  ConnectorError,
  createLog,
  definePlugin,
  Envelope,
  type ErrorCode,
  type FlagValues,
  type Log,
} from '@mcp-connect/core';
import bearer from './index.js';

type Options = Partial<FlagValues<NonNullable<typeof bearer.flags>>>;

/** A server in this process that accepts one token and refuses all others, reached over a real connector. */
export class Guarded {
  /** The only token that is accepted. */
  accepted: string;
  /** The tokens that came, in order. */
  readonly came: (string | undefined)[] = [];
  readonly logged: string[] = [];
  readonly log: Log = createLog({ level: 'info', write: ({ text }) => this.logged.push(text) });
  readonly #pipeline: ReturnType<Connector['connect']>;
  readonly #waiting = new Map<unknown, (outcome: 'ok' | ErrorCode) => void>();
  #asked = 0;

  constructor(accepted: string, options: Options, timeout = 20_000) {
    this.accepted = accepted;
    const connector = new Connector({ log: this.log, settings: { timeout } });
    const send = async (envelope: Envelope, token: string | undefined): Promise<Envelope> => {
      this.came.push(token);
      // As over a network, the verdict is about the moment in which the request left.
      const welcome = token === `Bearer ${this.accepted}`;
      await new Promise((resolve) => setImmediate(resolve));
      if (welcome) return Envelope.of({ jsonrpc: '2.0', id: envelope.id!, result: {} });
      const challenge = { status: 401 };
      throw new ConnectorError('MCPC_UNAUTHORIZED', 'no', { delivered: 'rejected', challenge });
    };
    const memory = definePlugin({
      name: 'memory',
      apply: (registry) =>
        registry.transport('memory', {
          open: ({ onmessage }) => ({
            send: async (envelope, { headers }) =>
              void onmessage(await send(envelope, headers['authorization'])),
            close: async () => undefined,
          }),
        }),
    });
    connector.use(memory).use(bearer, options);
    connector.endpoint('memory://x');
    this.#pipeline = connector.connect({ deliver: (envelope) => this.#deliver(envelope) });
  }

  /** Sends one request; returns the code of our error, or that there was none. */
  ask(): Promise<'ok' | ErrorCode> {
    const id = ++this.#asked;
    const outcome = new Promise<'ok' | ErrorCode>((resolve) => this.#waiting.set(id, resolve));
    void this.#pipeline.accept(Envelope.of({ jsonrpc: '2.0', id, method: 'ping' }));
    return outcome;
  }

  /** The last error as the client saw it. */
  error = '';

  close(): Promise<void> {
    return this.#pipeline.close();
  }

  #deliver(envelope: Envelope): void {
    const { error } = envelope.message as { error?: { message: string; data: { code: ErrorCode } } };
    if (error !== undefined) this.error = error.message;
    this.#waiting.get(envelope.id)!(error === undefined ? 'ok' : error.data.code);
  }
}
