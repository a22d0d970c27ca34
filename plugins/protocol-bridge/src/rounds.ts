import { reasonOf, toConnectorError, type ConnectorError, type Log } from '@mcp-connect/core';
import type { Call, Calls } from './legacy-calls.js';
import type { Answer } from './direction.js';
import { covers, ELICIT, needsOf, type Inquiry, type Push } from './inquiry.js';
import { INTERNAL_ERROR } from './modern.js';
import { lacking, mayAsk, membersOf, type ModernRequest } from './modern-request.js';
import { Parking, type Parked } from './parking.js';

/**
 * What a server asks at the same time is asked of the client at the same time, if it comes within so many milliseconds:
 * on TCP, small messages of a server that did not turn Nagle's algorithm off follow each other by 40.
 */
const TOGETHER = 50;
/** How long a question that belongs to no request waits for one, in milliseconds. */
const HOMELESS = 30_000;
/** Questions that wait for a request must not fill memory; the oldest gives way. */
const MOST_HOMELESS = 100;
/** The error of 2025-11-25 that sends a user to a web page first (schema, URLElicitationRequiredError). */
const GO_ELSEWHERE = -32_042;

/** What is done with the calls that questions belong to. */
export interface RoundsHost {
  readonly log: Log;
  /** Answers a request of the client. */
  answer(request: ModernRequest, body: Answer): void | Promise<void>;
  /** Ends a call at the server. */
  cancel(call: Call, reason: string): void;
  /** Hands the outcome of a call to the request that waits for it now. */
  finish(call: Call): void | Promise<void>;
  /** Learns that a call can have no outcome any more. */
  lost(call: Call, error: ConnectorError): void;
}

/** What a client has been asked for. */
interface Subject {
  /** The call in the middle of which the server asks; undefined while the request has not been sent. */
  readonly call?: Call;
  /** True once the user would not do what has to be done first. */
  declined?: boolean;
}

/**
 * Takes the questions of a legacy server to a modern client: the request in the middle of which they come is answered
 * with them, and goes on when the client sends it again with the answers (2026-07-28 patterns/mrtr). All the while the
 * call at the server stays open.
 */
export class Rounds {
  readonly #calls: Calls;
  readonly #host: RoundsHost;
  readonly #parking = new Parking<Subject>((parked) => this.#expired(parked));
  /** Questions that came while no request was under way. */
  readonly #homeless = new Map<Push, NodeJS.Timeout>();

  constructor(calls: Calls, host: RoundsHost) {
    this.#calls = calls;
    this.#host = host;
  }

  /** Takes a question of the server to the client, as soon as a request of the client can carry it. */
  ask(push: Push): void {
    const call = this.#calls.asking(push);
    if (call === undefined) return this.#wait(push);
    call.inquiries.add(push);
    if (call.request !== undefined)
      call.collecting ??= setTimeout(() => void this.#interrupt(call), TOGETHER);
  }

  /** Answers a request that was not sent yet with questions that wait for one. Returns false where there are none. */
  hold(call: Call): boolean {
    if (!mayAsk(call.method)) return false;
    const { capabilities } = call.request!;
    const pushes = [...this.#homeless.keys()].filter((push) => covers(capabilities, push));
    if (pushes.length === 0) return false;
    for (const push of pushes) this.#takeIn(push);
    const request = this.#calls.detach(call);
    this.#calls.end(call);
    void this.#host.answer(request, this.#parking.park(Parking.ask(request, pushes, {})));
    return true;
  }

  /**
   * Goes on with a request whose client has come back.
   *
   * @param send sends a request that the server has not seen yet
   */
  resume(request: ModernRequest, send: () => Promise<void>): void | Promise<void> {
    const parked = this.#parking.take(request);
    if ('error' in parked) return this.#host.answer(request, parked);
    const { inquiries, subject } = parked;
    const { call } = subject;
    for (const [key, inquiry] of inquiries) {
      const response = request.inputResponses[key];
      if (typeof response !== 'object' || response === null) continue;
      inquiries.delete(key);
      this.#pass(inquiry, response, call);
    }
    if (inquiries.size > 0) return this.#host.answer(request, this.#parking.park(parked));
    if (subject.declined === true) return this.#host.answer(request, declined(request));
    if (call === undefined) {
      return send().catch((error: unknown) => {
        this.#parking.restore(request, parked);
        throw error;
      });
    }
    this.#calls.attach(call, request);
    if (call.outcome === undefined) this.#calls.takeOver(call);
    if (call.outcome === undefined && call.inquiries.size > 0) return this.#interrupt(call);
    return this.#host.finish(call);
  }

  /** Takes back what the server no longer wants to know. */
  withdraw(id: unknown): void {
    const isIt = (inquiry: Inquiry): boolean => 'key' in inquiry && inquiry.key === id;
    for (const push of this.#homeless.keys()) if (isIt(push)) this.#takeIn(push);
    for (const { inquiries } of this.#calls.all()) {
      for (const inquiry of inquiries) if (isIt(inquiry)) inquiries.delete(inquiry);
    }
    for (const { inquiries } of this.#parking.all()) {
      for (const [key, inquiry] of inquiries) if (isIt(inquiry)) inquiries.delete(key);
    }
  }

  /**
   * Takes an error that sends the user to a web page to the client, as a question after which the request is sent again.
   * Returns false for all other errors.
   */
  sendElsewhere(request: ModernRequest, { code, data }: Required<Answer>['error']): boolean {
    const { elicitations } = membersOf(data);
    if (code !== GO_ELSEWHERE || !mayAsk(request.method) || !Array.isArray(elicitations)) return false;
    const subject: Subject = {};
    const inquiries = elicitations.map((params) => new Errand(membersOf(params), subject));
    const missing = inquiries.find((inquiry) => !covers(request.capabilities, inquiry));
    const asked = missing
      ? lacking(needsOf(missing))
      : this.#parking.park(Parking.ask(request, inquiries, subject));
    void this.#host.answer(request, asked);
    return true;
  }

  /** Forgets everything: the server is gone. */
  clear(): void {
    this.#parking.clear();
    for (const push of this.#homeless.keys()) this.#takeIn(push);
  }

  /** Answers the request that waits for a call with what the server wants to know before it goes on. */
  #interrupt(call: Call): void | Promise<void> {
    call.collecting = undefined;
    if (call.inquiries.size === 0) return undefined;
    const request = this.#calls.detach(call);
    const missing = [...call.inquiries].find((inquiry) => !covers(request.capabilities, inquiry));
    if (missing !== undefined) {
      this.#host.cancel(call, 'the client cannot be asked for this');
      return this.#host.answer(request, lacking(needsOf(missing)));
    }
    const parked = Parking.ask<Subject>(request, call.inquiries, { call });
    call.inquiries.clear();
    return this.#host.answer(request, this.#parking.park(parked));
  }

  /** Gives the server an answer. A call whose answers do not get there would wait for ever. */
  #pass(inquiry: Inquiry, response: object, call: Call | undefined): void {
    inquiry.answer(membersOf(response)).catch((error: unknown) => {
      this.#host.log.debug?.('an answer of the client did not reach the server: %s', reasonOf(error));
      if (call !== undefined)
        this.#host.lost(call, toConnectorError(error, 'MCPC_CONNECTION_LOST', { delivered: 'unknown' }));
    });
  }

  #wait(push: Push): void {
    const refuse = (): void => {
      this.#takeIn(push);
      push.refuse('no request of the client came that could carry the question');
    };
    this.#homeless.set(push, setTimeout(refuse, HOMELESS).unref());
    if (this.#homeless.size <= MOST_HOMELESS) return;
    const [oldest] = this.#homeless.keys();
    this.#takeIn(oldest!);
    oldest!.refuse('too many questions are waiting');
  }

  #takeIn(push: Push): void {
    clearTimeout(this.#homeless.get(push));
    this.#homeless.delete(push);
  }

  #expired({ inquiries, subject }: Parked<Subject>): void {
    const reason = 'the client did not come back';
    for (const inquiry of inquiries.values()) inquiry.refuse(reason);
    if (subject.call !== undefined) this.#host.cancel(subject.call, reason);
  }
}

/** A web page that the user has to visit before a request can be carried out. */
class Errand implements Inquiry {
  readonly method = ELICIT;
  readonly params: Inquiry['params'];
  readonly #subject: Subject;

  constructor(params: Inquiry['params'], subject: Subject) {
    this.params = { mode: 'url', ...params };
    this.#subject = subject;
  }

  async answer({ action }: Inquiry['params']): Promise<void> {
    if (action !== 'accept') this.#subject.declined = true;
  }

  refuse(): void {}
}

/** What becomes of a request whose user would not do what had to be done first. */
function declined({ method }: ModernRequest): Answer {
  const text = 'The user declined to visit a page that the server asks for first.';
  if (method !== 'tools/call') return { error: { code: INTERNAL_ERROR, message: text } };
  return { result: { resultType: 'complete', isError: true, content: [{ type: 'text', text }] } };
}
