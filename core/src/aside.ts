import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { Envelope } from './envelope.js';
import type { Call, Ledger } from './ledger.js';
import { randomId } from './random.js';
import type { Answer, OwnMessage } from './contract.js';
import { malformedAnswer } from './reply.js';

/** What stands around messages of plugins. */
export interface AsideOptions {
  readonly ledger: Ledger;
  /** Starts on a request. */
  send(call: Call, outgoing: Envelope): void;
  /** Hands a message to the client. */
  deliver(envelope: Envelope): void | Promise<void>;
  /** Hands a notification to the servers. */
  notify(envelope: Envelope): void | Promise<void>;
  /** What requests of the client say of it, where they do (2026-07-28 basic/index, _meta). */
  stamp(): Readonly<Record<string, unknown>> | undefined;
}

/**
 * Messages of plugins' own. They pass beside the hooks and the order of the line: a tap can wait for an answer without
 * waiting for itself.
 */
export class Aside {
  readonly #options: AsideOptions;
  /** No client uses ids that begin like this. */
  #prefix: string | undefined;
  #asked = 0;

  constructor(options: AsideOptions) {
    this.#options = options;
  }

  /** Sends a request to a server and returns the body of its answer, or of the error that says why there is none. */
  request({ method, params }: OwnMessage): Promise<Answer> {
    const { ledger, send, stamp } = this.#options;
    const _meta = stamp();
    const stamped = _meta === undefined ? params : { _meta, ...params };
    this.#prefix ??= `mcpc-aside-${randomId()}-`;
    const id = `${this.#prefix}${this.#asked++}`;
    const envelope = written({ id, method, params: stamped });
    return new Promise((resolve) => {
      const call = ledger.open(envelope, (answer) => resolve(bodyOf(answer!)))!;
      call.aside = true;
      send(call, envelope);
    });
  }

  /** Sends a notification to the client. */
  notifyClient({ method, params }: OwnMessage): void {
    void this.#options.deliver(written({ method, params }));
  }

  /** Sends a notification to the servers. */
  notifyServer({ method, params }: OwnMessage): void {
    void this.#options.notify(written({ method, params }));
  }
}

/** Written at once, so that what JSON cannot hold fails where the plugin hears of it. */
function written(message: object): Envelope {
  const envelope = Envelope.of({ jsonrpc: '2.0', ...message } as JSONRPCMessage);
  void envelope.line;
  return envelope;
}

function bodyOf({ parsed, idText }: Envelope): Answer {
  const message = parsed ?? malformedAnswer(idText).message;
  return 'error' in message ? { error: message.error } : { result: (message as { result: object }).result };
}
