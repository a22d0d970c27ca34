import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Envelope } from './envelope.js';
import type { ConnectorError } from './errors.js';
import { randomId } from './random.js';

interface Waiting {
  resolve(answer: Envelope): void;
  reject(error: ConnectorError): void;
}

/** Requests of our own to one server, under ids that no client uses: their answers are ours too. */
export class OwnRequests {
  #prefix: string | undefined;
  readonly #waiting = new Map<RequestId, Waiting>();
  #asked = 0;

  /**
   * Sends a request under an id of ours and returns its answer.
   *
   * @param send puts the request on the wire
   * @throws whatever `send` throws, or the ConnectorError that the answer was lost by
   */
  async ask(request: Envelope, send: (renamed: Envelope) => void | Promise<void>): Promise<Envelope> {
    this.#prefix ??= `mcpc-${randomId()}-`;
    const id = `${this.#prefix}${this.#asked++}`;
    const answer = new Promise<Envelope>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    // The answer may be refused before anyone awaits it.
    answer.catch(() => undefined);
    try {
      await send(request.withId(JSON.stringify(id)));
      return await answer;
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** Takes a message if it is an answer to one of these requests. */
  take(envelope: Envelope): boolean {
    if (this.#waiting.size === 0 || envelope.kind !== 'response') return false;
    const waiting = this.#waiting.get(envelope.key!);
    waiting?.resolve(envelope);
    return waiting !== undefined;
  }

  /** Ends one of these requests without its answer. Returns false for the id of another. */
  lose(id: RequestId, error: ConnectorError): boolean {
    const waiting = this.#waiting.get(id);
    waiting?.reject(error);
    return waiting !== undefined;
  }

  /** Ends all of these requests without their answers. */
  loseAll(error: ConnectorError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}
