import {
  cancellation,
  ConnectorError,
  InFlight,
  randomId,
  reasonOf,
  type Challenge,
  type Credentials,
  type Envelope,
  type RequestId,
  type Transport,
  type TransportContext,
} from '@mcp-connect/core';
import type { Answer, AskOptions, Question, Upstream } from './direction.js';
import { requestOf } from './messages.js';

/** Who waits for an answer of the server. Exactly one of the two is called, once. */
export interface Waiting {
  /** Runs within the turn in which the answer came in. */
  answered(answer: Envelope): void;
  lost(error: ConnectorError): void;
  /** The key of the client's request that waits through this one. */
  readonly inPlaceOf?: RequestId | undefined;
}

/** The channel to the server, with the requests of the bridge's own that are under way in it. */
export class UpstreamChannel implements Upstream {
  readonly http: boolean;
  readonly #context: TransportContext;
  #prefix: string | undefined;
  readonly #waiting = new InFlight<Waiting>();
  #asked = 0;
  /** The transport of the moment; a program that died of a question is started again. */
  wire: Transport | undefined;

  constructor(context: TransportContext) {
    this.#context = context;
    this.http = context.endpoint.scheme === 'http' || context.endpoint.scheme === 'sse';
  }

  get stateful(): boolean {
    return this.wire?.stateful ?? true;
  }

  send(envelope: Envelope, credentials?: Credentials): void | Promise<void> {
    if (this.wire === undefined) throw closed(this.#context);
    return credentials === undefined ? this.#sendSigned(envelope) : this.wire.send(envelope, credentials);
  }

  ask(method: string, params: object, options: AskOptions = {}): Question {
    this.#prefix ??= `mcpc-bridge-${randomId()}-`;
    const id = `${this.#prefix}${this.#asked++}`;
    const answer = new Promise<Answer>((resolve, reject) => {
      this.watch(id, {
        answered: ({ parsed }) =>
          parsed === undefined ? reject(unreadable(this.#context)) : resolve(parsed as Answer),
        lost: reject,
        inPlaceOf: options.inPlaceOf,
      });
    });
    // Whoever asked may have lost interest.
    answer.catch(() => undefined);
    void this.#start(id, requestOf(id, method, params), options);
    return {
      id,
      answer,
      cancel: () => {
        const waiting = this.#take(id);
        if (waiting === undefined) return;
        waiting.lost(new ConnectorError('MCPC_CANCELLED', `${method} was taken back.`));
        void this.#tell(cancellation(JSON.stringify(id), 'the answer is no longer needed'));
      },
    };
  }

  /** Has the answer to a request come here and nowhere else; for one of the client's that is an opener. */
  watch(id: RequestId, waiting: Waiting): void {
    this.#waiting.set(id, waiting);
  }

  /** No longer waits for the answer to a request. */
  unwatch(id: RequestId): void {
    this.#waiting.delete(id);
  }

  /** Takes an answer to a question. Returns false for every other message. */
  takes(envelope: Envelope): boolean {
    if (this.#waiting.size === 0 || envelope.kind !== 'response') return false;
    const waiting = this.#take(envelope.key);
    if (waiting === undefined) return false;
    waiting.answered(envelope);
    return true;
  }

  /** Takes the loss of a question. Returns false when the id is none of ours. */
  takesLoss(id: RequestId, error: ConnectorError): boolean {
    const waiting = this.#take(id);
    waiting?.lost(error);
    return waiting !== undefined;
  }

  /** The request of the client that a sign of life counts for. */
  standsFor(id: RequestId | undefined): RequestId | undefined {
    return id === undefined ? undefined : (this.#waiting.get(id)?.inPlaceOf ?? id);
  }

  /** Rejects all that waits: no answer can come any more. */
  lose(error?: ConnectorError): void {
    const reason = error ?? closed(this.#context);
    for (const id of this.#waiting.keys()) this.#take(id)?.lost(reason);
  }

  async #start(id: string, request: Envelope, { credentials, headers }: AskOptions): Promise<void> {
    try {
      if (credentials === undefined) await this.#sendSigned(request, headers);
      else await this.send(request, withHeaders(credentials, headers));
    } catch (error) {
      this.#take(id)?.lost(error as ConnectorError);
    }
  }

  async #tell(envelope: Envelope): Promise<void> {
    try {
      await this.send(envelope);
    } catch (error) {
      this.#context.log.debug?.('%s did not reach the server: %s', envelope.method, reasonOf(error));
    }
  }

  async #sendSigned(envelope: Envelope, headers?: AskOptions['headers']): Promise<void> {
    const send = async (challenge?: Challenge): Promise<void> => {
      const credentials = await this.#context.credentials(challenge);
      await this.send(envelope, withHeaders(credentials, headers));
    };
    try {
      await send();
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.challenge === undefined) throw error;
      await send(error.challenge);
    }
  }

  #take(id: RequestId | undefined): Waiting | undefined {
    if (id === undefined) return undefined;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

function withHeaders(credentials: Credentials, headers: AskOptions['headers']): Credentials {
  return headers === undefined ? credentials : { headers: { ...credentials.headers, ...headers } };
}

function closed({ endpoint }: TransportContext): ConnectorError {
  return new ConnectorError('MCPC_CONNECTION_LOST', `The connection to ${endpoint.label} is closed.`);
}

function unreadable({ endpoint }: TransportContext): ConnectorError {
  const text = `${endpoint.label} answered with something that is no valid message.`;
  return new ConnectorError('MCPC_BAD_RESPONSE', text, { delivered: 'unknown' });
}
