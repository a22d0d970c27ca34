import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { Envelope } from './envelope.js';
import type { Leg } from './leg.js';
import { randomId } from './random.js';
import { cancelledId } from './reply.js';

interface Question {
  readonly leg: Leg;
  /** The id as the server gave it, in JSON. */
  readonly idText: string;
  readonly key: RequestId;
  /** What names the request in news of its progress. */
  readonly token: unknown;
}

/** A client that never answers must not fill memory; the oldest question gives way. */
const MOST_QUESTIONS = 10_000;

/** Ids of questions that came to nothing are remembered up to this number; a client may never answer them. */
const MOST_VOID = 1_000;

/**
 * Remembers which leg made which request of the client, so that each answer goes back to who asked. Ids pass
 * unchanged until two legs use the same one, or a server counts from the beginning again in a new session: then the
 * later one travels under an id of ours.
 */
export class Asked {
  readonly #questions = new Map<RequestId, Question>();
  /** What the client knows questions by that came to nothing: its late answer must not be taken for that to another. */
  readonly #void = new Set<RequestId>();
  #prefix: string | undefined;
  #renamed = 0;

  /** Notes a server's request and returns it as the client shall see it. */
  ask(leg: Leg, request: Envelope): Envelope {
    const key = request.key!;
    const question: Question = { leg, idText: request.idText, key, token: tokenOf(request) };
    const holder = this.#questions.get(key);
    if (holder === undefined ? !this.#void.has(key) : holder.leg === leg) {
      this.#remember(key, question);
      return request;
    }
    this.#prefix ??= `mcpc-${randomId()}-`;
    const id = `${this.#prefix}${this.#renamed++}`;
    this.#remember(id, question);
    return request.withId(JSON.stringify(id));
  }

  /** Finds who asked what the client answers, and returns the answer under the server's own id. */
  answer(response: Envelope): { leg: Leg; response: Envelope } | undefined {
    const { key } = response;
    if (key === undefined || this.#void.delete(key)) return undefined;
    const question = this.#questions.get(key);
    if (question === undefined) return undefined;
    this.#questions.delete(key);
    const renamed = key !== question.key;
    return { leg: question.leg, response: renamed ? response.withId(question.idText) : response };
  }

  /** Finds who asked for what the client tells the progress of. */
  ownerOf(progress: Envelope): Leg | undefined {
    const { params } = (progress.parsed ?? {}) as { params?: { progressToken?: unknown } };
    const token = params?.progressToken;
    if (token === undefined) return undefined;
    return [...this.#questions.values()].findLast((question) => question.token === token)?.leg;
  }

  /** Returns a server's cancellation of its own request as the client shall see it. */
  withdraw(leg: Leg, cancellation: Envelope): Envelope {
    const id = cancelledId(cancellation);
    for (const [shown, question] of this.#questions) {
      if (question.leg !== leg || question.key !== id) continue;
      this.#questions.delete(shown);
      return shown === id ? cancellation : renameCancelled(cancellation.message, shown);
    }
    return cancellation;
  }

  /** Forgets the questions of a leg whose session is gone, and returns their ids as the client knows them, in JSON. */
  forget(leg: Leg): string[] {
    const open = [...this.#questions].filter(([, question]) => question.leg === leg);
    for (const [shown] of open) {
      this.#questions.delete(shown);
      this.#void.add(shown);
      if (this.#void.size > MOST_VOID) this.#void.delete(this.#void.values().next().value!);
    }
    return open.map(([shown, { key, idText }]) => (shown === key ? idText : JSON.stringify(shown)));
  }

  #remember(key: RequestId, question: Question): void {
    this.#questions.set(key, question);
    if (this.#questions.size > MOST_QUESTIONS) this.#questions.delete(this.#questions.keys().next().value!);
  }
}

function tokenOf(request: Envelope): unknown {
  if (!request.bytes.includes('"progressToken"')) return undefined;
  const { params } = (request.parsed ?? {}) as { params?: { _meta?: { progressToken?: unknown } } };
  return params?._meta?.progressToken;
}

function renameCancelled(message: JSONRPCMessage, requestId: RequestId): Envelope {
  const { params } = message as { params?: object };
  return Envelope.of({ ...message, params: { ...params, requestId } } as JSONRPCMessage);
}
