import type { Envelope, RequestId } from '@mcp-connect/core';
import { answerTo, paramsOf } from './messages.js';
import { membersOf } from './modern-request.js';
import { INTERNAL_ERROR, METHOD_NOT_FOUND } from './modern.js';
import type { Answer } from './direction.js';

type Members = Readonly<Record<string, unknown>>;

/** Something that a legacy server wants to know from the client before it goes on. */
export interface Inquiry {
  readonly method: string;
  readonly params: Members;
  /**
   * Passes the client's answer on, which is a bare result (2026-07-28 patterns/mrtr).
   *
   * @throws ConnectorError when it did not reach the server, as a rejection
   */
  answer(response: Members): Promise<void>;
  /** Tells that nobody will answer. */
  refuse(reason: string): void;
}

/** The request of a server to ask the user. */
export const ELICIT = 'elicitation/create';

/** What a client must be able to do for each kind of inquiry. */
const CAPABILITIES: Readonly<Record<string, string>> = {
  [ELICIT]: 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
};

/** True for the requests of a server that a modern client can be asked in the middle of a request of its own. */
export function isInquiry(method: string): boolean {
  return method in CAPABILITIES;
}

/** The capabilities without which an inquiry must not reach a client (2026-07-28 patterns/mrtr, client/elicitation). */
export function needsOf({ method, params }: Pick<Inquiry, 'method' | 'params'>): Members {
  const name = CAPABILITIES[method]!;
  if (name === 'elicitation') return { elicitation: { [params['mode'] === 'url' ? 'url' : 'form']: {} } };
  const withTools = name === 'sampling' && ('tools' in params || 'toolChoice' in params);
  return { [name]: withTools ? { tools: {} } : {} };
}

/** Whether a client with these capabilities may be asked. */
export function covers(capabilities: Members, inquiry: Pick<Inquiry, 'method' | 'params'>): boolean {
  return Object.entries(needsOf(inquiry)).every(([name, parts]) => {
    if (!(name in capabilities)) return false;
    const declared = membersOf(capabilities[name]);
    // Elicitation that names no mode is elicitation by form.
    const modes = name === 'elicitation' && !('url' in declared) ? { form: {}, ...declared } : declared;
    return Object.keys(membersOf(parts)).every((part) => part in modes);
  });
}

/** An inquiry as it stands in a result that asks for input; only legacy servers number their elicitations. */
export function inputRequestOf({ method, params }: Inquiry): { method: string; params: Members } {
  const { elicitationId: _id, task: _task, ...kept } = params;
  return { method, params: withoutTask(kept) };
}

/** Where a message names the task that it belongs to (2025-11-25 basic/utilities/tasks); 2026-07-28 has no such thing. */
const RELATED_TASK = 'io.modelcontextprotocol/related-task';

/** The same parameters or result, without a word of the task that it belongs to. */
export function withoutTask({ _meta, ...members }: Members): Members {
  const { [RELATED_TASK]: _task, ...meta } = membersOf(_meta);
  return { ...members, ...(Object.keys(meta).length > 0 && { _meta: meta }) };
}

/** What a {@link Push} is made from, beside the request. */
export interface PushOptions {
  /** The key of the request whose reply the server asks in, where the wire tells. */
  readonly call: RequestId | undefined;
  /** Sends a response to the server. */
  reply(response: Envelope): Promise<void>;
}

/** A request of the server as an inquiry. */
export class Push implements Inquiry {
  readonly method: string;
  readonly params: Members;
  /** The key of the request whose reply the server asks in, where the wire tells. */
  readonly call: RequestId | undefined;
  readonly #request: Envelope;
  readonly #reply: PushOptions['reply'];

  constructor(request: Envelope, { call, reply }: PushOptions) {
    this.#request = request;
    this.#reply = reply;
    this.call = call;
    this.method = request.method!;
    this.params = paramsOf(request);
  }

  /** The id under which the server asks. */
  get key(): Envelope['key'] {
    return this.#request.key;
  }

  /** The task in the middle of which the server asks, where it names one (2025-11-25 basic/utilities/tasks). */
  get taskId(): unknown {
    return membersOf(membersOf(this.params['_meta'])[RELATED_TASK])['taskId'];
  }

  /** True where the server says which call it asks for. */
  get named(): boolean {
    return this.call !== undefined || this.taskId !== undefined;
  }

  answer(response: Members): Promise<void> {
    return this.#reply(answerTo(this.#request, { result: response }));
  }

  refuse(reason: string): void {
    // An elicitation has a word for it; everything else knows only errors.
    const code = this.method === 'roots/list' ? METHOD_NOT_FOUND : INTERNAL_ERROR;
    const refusal: Answer =
      this.method === ELICIT ? { result: { action: 'cancel' } } : { error: { code, message: reason } };
    // Whoever refuses has given up on the server already.
    this.#reply(answerTo(this.#request, refusal)).catch(() => undefined);
  }
}
