import {
  InFlight,
  SEVERITIES,
  type ConnectorError,
  type Envelope,
  type RequestId,
  type Severity,
} from '@mcp-connect/core';
import type { Answer } from './direction.js';
import { covers, type Push } from './inquiry.js';
import { notificationOf, requestOf } from './messages.js';
import { mayAsk, type ModernRequest } from './modern-request.js';

/** What becomes of a request: its answer, read or as it came, or the reason why there is none. */
export type Outcome = Answer | Envelope | ConnectorError;

/** One request to a legacy server, which may take several requests of the modern client to finish. */
export class Call {
  /** The id, and the progress token, by which the server knows it. */
  readonly id: number;
  readonly method: string;
  /** The client's request that waits for an answer; undefined while its client has been asked for something. */
  request: ModernRequest | undefined;
  /** True from the moment the server may know of it. */
  sent = false;
  /** What the server wants to know and the client was not asked yet. */
  readonly inquiries = new Set<Push>();
  /** What became of it at the server, when nobody waited for it. */
  outcome: Outcome | undefined;
  /** The task that the server made of it (2025-11-25 basic/utilities/tasks). */
  taskId: string | undefined;
  /** Collects inquiries that come together. */
  collecting: NodeJS.Timeout | undefined;
  /** True once more than one round was needed: what the client then sends again is no new request. */
  resumed = false;
  /** The last progress, which must only ever grow (2026-07-28 patterns/progress). */
  #progress = Number.NEGATIVE_INFINITY;

  constructor(id: number, request: ModernRequest) {
    this.id = id;
    this.method = request.method;
    this.request = request;
  }

  /** The request as the server gets it, with these parameters. */
  outgoing(params: Readonly<Record<string, unknown>>): Envelope {
    const { method, meta } = this.request!;
    const marked = 'progressToken' in meta ? { ...meta, progressToken: this.id } : meta;
    const _meta = Object.keys(marked).length === 0 ? {} : { _meta: marked };
    return requestOf(this.id, method, { ...params, ..._meta });
  }

  /** Returns news of progress as the client shall see it, or undefined where it wants none. */
  progress(params: Readonly<Record<string, unknown>>): Envelope | undefined {
    const progressToken = this.request?.meta['progressToken'];
    const { progress } = params;
    if (progressToken === undefined || typeof progress !== 'number' || progress <= this.#progress)
      return undefined;
    this.#progress = progress;
    const news = { ...params, progressToken };
    return notificationOf('notifications/progress', news);
  }
}

/** The requests that are under way at a legacy server, and those of the client that wait for them. */
export class Calls {
  readonly #byId = new InFlight<Call>();
  /** By the key of the client's request. */
  readonly #waiting = new InFlight<Call>();
  #ids = 0;

  /** Takes up a request of the client. */
  begin(request: ModernRequest): Call {
    const call = new Call(++this.#ids, request);
    this.#byId.set(call.id, call);
    this.#waiting.set(request.envelope.key!, call);
    return call;
  }

  /** The call under the id that the server knows. */
  find(id: RequestId | undefined): Call | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** The call that a request of the client waits for. */
  waitingFor(key: RequestId | undefined): Call | undefined {
    return key === undefined ? undefined : this.#waiting.get(key);
  }

  /** True until the call has ended. */
  has(call: Call): boolean {
    return this.#byId.get(call.id) === call;
  }

  /** Hands the client's request over to be answered; the call itself goes on. */
  detach(call: Call): ModernRequest {
    const request = call.request!;
    call.request = undefined;
    this.#waiting.delete(request.envelope.key!);
    this.#byId.set(call.id, call);
    return request;
  }

  /** Lets another request of the client wait for a call. */
  attach(call: Call, request: ModernRequest): void {
    call.request = request;
    call.resumed = true;
    this.#waiting.set(request.envelope.key!, call);
  }

  /** Ends a call: nothing that the server still says of it is wanted. */
  end(call: Call): void {
    clearTimeout(call.collecting);
    this.#byId.delete(call.id);
    if (call.request !== undefined) this.#waiting.delete(call.request.envelope.key!);
  }

  /** All calls, the oldest first; but those whose clients were asked for something come last, as they were asked. */
  all(): Call[] {
    return [...this.#byId.values()];
  }

  /** The call in the middle of which the server asks, as far as can be told. */
  asking(push: Push): Call | undefined {
    const open = this.all().filter(({ method, sent }) => sent && mayAsk(method));
    const named = open.find(
      ({ id, taskId }) => id === push.call || (taskId !== undefined && taskId === push.taskId),
    );
    if (named !== undefined) return named;
    const answerable = open.filter(({ request }) => request !== undefined);
    const able = answerable.filter(({ request }) => covers(request!.capabilities, push));
    // Several calls that ask one thing each are more common than one call that asks several.
    const likely = able.find(({ inquiries }) => inquiries.size === 0) ?? able[0] ?? answerable[0];
    // What follows a question comes soon, while clients that never come back only grow older.
    return likely ?? open.at(-1);
  }

  /** Lets a call that waits ask what was put down for calls whose clients are away, and may well be its own. */
  takeOver(call: Call): void {
    const { capabilities } = call.request!;
    for (const { request, inquiries } of this.all()) {
      if (request !== undefined) continue;
      for (const push of inquiries) {
        if (push.named || !covers(capabilities, push)) continue;
        inquiries.delete(push);
        call.inquiries.add(push);
      }
    }
  }

  /**
   * True where a request that waits wants to see log messages of this level.
   *
   * @param id of the call that the message belongs to, where that is known
   */
  wants(level: unknown, id: RequestId | undefined): boolean {
    const severity = SEVERITIES.indexOf(level as Severity);
    const call = this.find(id);
    const concerned = call === undefined ? [...this.#waiting.values()] : [call];
    return concerned.some(
      ({ request }) => request?.level !== undefined && severity >= SEVERITIES.indexOf(request.level),
    );
  }

  /** The least severe level that a waiting request asks for. */
  get level(): Severity | undefined {
    const wanted = new Set([...this.#waiting.values()].map(({ request }) => request?.level));
    return SEVERITIES.find((level) => wanted.has(level));
  }
}
