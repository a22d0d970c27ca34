import { once } from 'node:events';
import { Aside } from './aside.js';
import { Asked } from './asked.js';
import { takeApart, together } from './batch.js';
import { Dispatcher } from './dispatch.js';
import type { Endpoint } from './endpoint.js';
import { Envelope } from './envelope.js';
import { Equivalence, type EquivalenceMode } from './equivalence.js';
import { ConnectorError, toConnectorError } from './errors.js';
import type { Answer, Hooks } from './contract.js';
import { Lane } from './lane.js';
import { Ledger, type Call } from './ledger.js';
import type { Leg } from './leg.js';
import { LegSet, type LegParts, type LegStatus } from './legs.js';
import type { LogAudience } from './log-messages.js';
import type { Log } from './log.js';
import { Notifications } from './notifications.js';
import {
  cancellation,
  keyOf,
  overLimit,
  refusal,
  refuseDuplicate,
  refuseInvalid,
  replyWith,
} from './reply.js';
import type { Retry } from './retry.js';
import type { Affinity } from './router.js';
import type { Outline } from './scan.js';
import { Sources, type EndpointSource } from './sources.js';
import { Taps } from './taps.js';
import type { Settings } from './transport.js';
import { atMost } from './waiting.js';
import { watchSleep, type Clock } from './wake.js';

/** The side of the client: takes the messages that are meant for it. */
export interface Client {
  /** Hands over one message. A returned promise asks for a pause until it settles. */
  deliver(envelope: Envelope): void | Promise<void>;
  /** Learns that the servers have been told `initialized`: from now on the client may be sent what it did not ask for. */
  oninitialized?(): void;
}

/** What a pipeline is made from. */
export interface PipelineOptions {
  readonly client: Client;
  readonly hooks: Hooks;
  readonly retry: Retry;
  readonly settings: Settings;
  readonly log: Log;
  /** Shows when the machine has slept; the one on the wall where none is given. */
  readonly clock?: Clock;
  readonly affinity: Affinity;
  readonly equivalence: EquivalenceMode;
  /** The endpoints to begin with. */
  readonly endpoints: readonly Endpoint[];
  /** What stands behind the endpoints of a scheme, where that may change. */
  sourceOf(scheme: string): EndpointSource | undefined;
  /** How many connections there are to an endpoint; each is a leg. */
  connections(endpoint: Endpoint): number;
  /** Makes the leg of an endpoint. */
  makeLeg(parts: LegParts): Leg;
}

/** How long requests in flight may still take once the connector stops, in milliseconds. */
const GRACE = 2_000;

/** How long servers may take to hear that answers are no longer wanted, in milliseconds. */
const FAREWELL = 500;

/** Messages that wait for `initialize` or a hook may fill this many bytes before the client is asked to pause. */
const MOST_HELD = 1_048_576;

/**
 * The line. A message of the client goes
 * `receive → beforeSend → selectTransport → authenticate → transport.send`, a message of a server
 * `onmessage → afterReceive → client.deliver`. Requests are on the books of the ledger from the first step to their
 * one answer; the dispatcher carries them to a server.
 */
export class Pipeline {
  readonly #client: Client;
  readonly #hooks: Hooks;
  readonly #legs: LegSet;
  readonly #sources: Sources;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #ledger = new Ledger();
  readonly #dispatcher: Dispatcher;
  readonly #aside: Aside;
  readonly #taps: Taps;
  readonly #asked = new Asked();
  readonly #notifications: Notifications;
  /** Keeps the client's messages in order while a hook, `initialize` or `initialized` takes its time. */
  readonly #inbound = new Lane();
  /** Keeps the servers' messages in order while a hook takes its time. */
  readonly #outbound = new Lane();
  readonly #hurry = new AbortController();
  readonly #stopWatching: () => void;
  #closing: Promise<void> | undefined;

  constructor(options: PipelineOptions) {
    this.#client = options.client;
    this.#hooks = options.hooks;
    this.#settings = options.settings;
    this.#log = options.log;
    this.#legs = new LegSet({
      make: (parts) => options.makeLeg(parts),
      events: {
        onmessage: (leg, envelope) => this.#onmessage(leg, envelope),
        onlost: (leg, id, error) => this.#dispatcher.lost(leg, id, error),
        onalive: (leg, id) => this.#dispatcher.alive(leg, id),
        onclose: (leg, error) => this.#onclose(leg, error),
        onforgotten: (leg) => this.#withdrawQuestions(leg),
      },
      equivalence: new Equivalence(options.equivalence, options.log),
      warm: options.affinity !== 'session',
      hurry: this.#hurry.signal,
      log: options.log,
    });
    this.#aside = new Aside({
      ledger: this.#ledger,
      send: (call, outgoing) => this.#dispatcher.send(call, outgoing),
      deliver: (envelope) => this.#client.deliver(envelope),
      notify: (envelope) => this.#notifications.fromClient(envelope),
      stamp: () => this.#legs.memory.stamp,
    });
    const own = { aside: this.#aside, legs: this.#legs, ledger: this.#ledger };
    this.#dispatcher = new Dispatcher({ ...options, ...own });
    this.#taps = new Taps({
      hooks: options.hooks,
      aside: this.#aside,
      log: options.log,
      isSafe: (call) => this.#dispatcher.isSafe(call),
      affinity: (call) => (call === undefined ? this.#legs.home : this.#dispatcher.affinity(call)),
    });
    this.#notifications = new Notifications({
      client: options.client,
      legs: this.#legs,
      ledger: this.#ledger,
      dispatcher: this.#dispatcher,
      asked: this.#asked,
      log: options.log,
      show: (envelope) => this.#show(envelope),
    });
    this.#sources = new Sources({
      of: (scheme) => options.sourceOf(scheme),
      onchange: (endpoints) =>
        this.#legs.follow(
          endpoints.flatMap((endpoint) =>
            Array.from({ length: options.connections(endpoint) }, () => endpoint),
          ),
        ),
    });
    this.#sources.name(options.endpoints);
    this.#stopWatching = watchSleep(() => this.#woke(), options.clock);
  }

  /** Tells what is going on at each endpoint. */
  status(): LegStatus[] {
    return this.#legs.status();
  }

  /** Goes on with these endpoints in place of those so far. What waits for others is still answered by them. */
  follow(endpoints: readonly Endpoint[]): void {
    this.#sources.name(endpoints);
  }

  // ── From the client ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Takes one line of the client. A returned promise asks for a pause in reading until it settles.
   *
   * @param ended false for a last line that no newline ends, which may have been cut
   */
  receive(line: Buffer, ended = true): void | Promise<void> {
    let envelope: Envelope;
    try {
      envelope = ended ? Envelope.read(line) : Envelope.read(line, { framed: false });
    } catch (error) {
      return this.#client.deliver(refusal('null', toConnectorError(error, 'MCPC_PARSE')));
    }
    return this.accept(envelope);
  }

  /** Takes one message of the client. A returned promise asks for a pause until it settles. */
  accept(envelope: Envelope): void | Promise<void> {
    const deliver = (answer: Envelope | undefined): void | Promise<void> =>
      answer === undefined ? undefined : this.#client.deliver(answer);
    return envelope.kind === 'batch'
      ? takeApart(envelope, (part, collect) => this.#admit(part, collect), deliver)
      : this.#admit(envelope, deliver);
  }

  /** Answers a line of the client that was too large to be kept. */
  refuse(outline: Outline, length: number): void {
    const error = overLimit(length, this.#settings.maxMessageSize);
    this.#log.warn?.('%s', error.message);
    if (outline.id === undefined) return;
    const idText = keyOf(outline.id) === undefined ? 'null' : outline.id;
    // Without a method it is an answer, for which a server waits.
    if (outline.method === undefined) void this.#reply(refusal(idText, error));
    else void this.#client.deliver(refusal(idText, error));
  }

  #admit(envelope: Envelope, deliver: Call['deliver']): void | Promise<void> {
    const { kind, idText, size } = envelope;
    if (kind === 'invalid' || kind === 'batch') return deliver(refuseInvalid(idText));
    const call = kind === 'request' ? this.#ledger.open(envelope, deliver) : undefined;
    if (kind === 'request' && call === undefined) return deliver(refuseDuplicate(idText));
    const held = this.#inbound.run(() => this.#pass(envelope, call), size);
    return this.#inbound.weight > MOST_HELD ? held : undefined;
  }

  /** Takes a message through `beforeSend` and on. A returned promise holds back all later messages. */
  #pass(envelope: Envelope, call: Call | undefined): void | Promise<void> {
    return this.#hooks.beforeSend.taps.length === 0
      ? this.#forward(envelope, call)
      : this.#tap(envelope, call);
  }

  #tap(envelope: Envelope, call: Call | undefined): void | Promise<void> {
    const fail = (error: ConnectorError): void => {
      if (call === undefined) this.#log.error?.('%s', error.message);
      else this.#dispatcher.fail(call, error);
    };
    const answer = (body: Answer): void => {
      if (call !== undefined) void this.#dispatcher.answer(call, replyWith(call.envelope.idText, body));
    };
    return this.#taps.run('beforeSend', envelope, { call, fail, answer }, (changed) =>
      this.#forward(changed, call),
    );
  }

  #forward(envelope: Envelope, call: Call | undefined): void | Promise<void> {
    if (envelope.kind === 'response') return this.#reply(envelope);
    if (call === undefined) return this.#notifications.fromClient(envelope);
    if (!this.#ledger.has(call)) return undefined;
    this.#dispatcher.send(call, envelope);
    if (envelope.method !== 'initialize') return call.leg?.transport?.drain?.();
    // Nothing overtakes `initialize`: what the client sends behind it belongs to the session that it opens.
    return this.#ledger.has(call) ? new Promise((resolve) => (call.onsettled = resolve)) : undefined;
  }

  /** Carries the client's answer to the server that asked. */
  #reply(envelope: Envelope): void | Promise<void> {
    const found = this.#asked.answer(envelope);
    if (found === undefined) {
      this.#log.debug?.('dropped an answer of the client: no server asked under id %s', envelope.idText);
      return undefined;
    }
    void found.leg.tell(found.response);
    return found.leg.transport?.drain?.();
  }

  /** What decides which log lines of ours the client may be sent now. */
  get audience(): LogAudience {
    const waiting = this.#ledger.calls().filter(({ cancelled }) => !cancelled);
    return {
      session: this.#legs.memory,
      requests: waiting.map(({ envelope }) => envelope),
    };
  }

  /** The machine has slept: connections may have died without a sign. */
  #woke(): void {
    this.#log.debug?.('the machine has slept; connections are looked after');
    for (const leg of this.#legs.all) leg.woke();
  }

  // ── From a server ────────────────────────────────────────────────────────────────────────────────────────────

  #onmessage(leg: Leg, envelope: Envelope): void | Promise<void> {
    switch (envelope.kind) {
      case 'response':
        return this.#onresponse(leg, envelope);
      case 'request':
        return this.#show(this.#asked.ask(leg, envelope));
      case 'notification':
        return this.#notifications.fromServer(leg, envelope);
      case 'batch':
        return together(envelope.parts().map((part) => this.#onmessage(leg, part)));
      case 'invalid':
        return this.#oninvalid(leg, envelope);
    }
  }

  #onresponse(leg: Leg, envelope: Envelope): void | Promise<void> {
    const call = this.#ledger.find(envelope.key);
    if (call === undefined || call.leg !== leg) {
      this.#log.warn?.(
        'dropped an answer of %s: no request waits under id %s',
        leg.endpoint.label,
        envelope.idText,
      );
      return undefined;
    }
    this.#dispatcher.answered(call, envelope);
    return call.aside || this.#hooks.afterReceive.taps.length === 0
      ? this.#dispatcher.answer(call, envelope)
      : this.#tapAnswer(call, envelope);
  }

  #tapAnswer(call: Call, envelope: Envelope): void | Promise<void> {
    const fail = (error: ConnectorError): void => this.#dispatcher.fail(call, error);
    const answer = (body: Answer): void =>
      void this.#dispatcher.answer(call, replyWith(envelope.idText, body));
    return this.#outbound.run(() =>
      this.#taps.run('afterReceive', envelope, { call, fail, answer }, (changed) =>
        this.#dispatcher.answer(call, changed),
      ),
    );
  }

  /** Takes a server's own request or notification through `afterReceive` to the client. */
  #show(envelope: Envelope): void | Promise<void> {
    return this.#hooks.afterReceive.taps.length === 0
      ? this.#client.deliver(envelope)
      : this.#tapNews(envelope);
  }

  // Apart, as all that makes closures: they would cost every message a context, also where no hook is tapped.
  #tapNews(envelope: Envelope): void | Promise<void> {
    const fail = (error: ConnectorError): void => {
      this.#log.error?.('%s', error.message);
      if (envelope.kind === 'request') void this.#reply(refusal(envelope.idText, error));
    };
    const answer = (body: Answer): void => void this.#reply(replyWith(envelope.idText, body));
    return this.#outbound.run(() =>
      this.#taps.run('afterReceive', envelope, { call: undefined, fail, answer }, (changed) =>
        this.#client.deliver(changed),
      ),
    );
  }

  /** Something under an id that waits is that request's answer, however spoilt; anything else answers nobody. */
  #oninvalid(leg: Leg, envelope: Envelope): void {
    const text = `${leg.endpoint.label} sent JSON that is no JSON-RPC message.`;
    const hint = 'Report this to the authors of the server';
    const error = new ConnectorError('MCPC_BAD_RESPONSE', text, { hint, delivered: 'unknown' });
    this.#log.warn?.('%s', error.message);
    if (envelope.key !== undefined) this.#dispatcher.lost(leg, envelope.key, error);
  }

  #onclose(leg: Leg, cause: ConnectorError | undefined): void {
    const text = `${leg.endpoint.label} closed the connection.`;
    const error = cause ?? new ConnectorError('MCPC_CONNECTION_LOST', text, { delivered: 'unknown' });
    this.#log.warn?.('%s', error.message);
    this.#withdrawQuestions(leg);
    this.#dispatcher.lostAll(leg, error);
  }

  /** Tells the client that nobody waits any more for what a server asked. */
  #withdrawQuestions(leg: Leg): void {
    for (const idText of this.#asked.forget(leg)) {
      void this.#client.deliver(cancellation(idText, 'the server that asked is gone'));
    }
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Lets requests in flight finish for up to two seconds, cancels and answers the rest, and closes every leg.
   * Calling it again returns the same end.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Cuts the end short, since whoever started us is about to end us by force: nothing is waited for any more. */
  hurry(): void {
    this.#hurry.abort();
  }

  async #close(): Promise<void> {
    this.#stopWatching();
    this.#dispatcher.endNews();
    const answered = this.#inbound.idle().then(() => this.#ledger.idle());
    const { signal } = this.#hurry;
    const hurried = signal.aborted ? undefined : once(signal, 'abort');
    await atMost(GRACE, Promise.race([Promise.all([answered, this.#outbound.idle()]), hurried]));
    await atMost(FAREWELL, this.#dispatcher.stop());
    this.#notifications.close();
    this.#sources.close();
    await this.#legs.close();
  }
}
