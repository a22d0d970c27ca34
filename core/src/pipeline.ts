import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { Asked } from './asked.js';
import { Envelope } from './envelope.js';
import { ConnectorError, toConnectorError } from './errors.js';
import { HookExchange, type Answer } from './exchange.js';
import { after, runHook, type Hooks } from './hooks.js';
import { Lane } from './lane.js';
import { Ledger, type Call } from './ledger.js';
import type { Leg, LegEvents } from './leg.js';
import type { Log } from './log.js';
import { cancellation, cancelledId, errorReply, refusal, replyWith } from './reply.js';
import type { Retry } from './retry.js';
import type { Outline } from './scan.js';
import type { Settings } from './transport.js';

/** The side of the client: takes the messages that are meant for it. */
export interface Client {
  /** Hands over one message. A returned promise asks for a pause until it settles. */
  deliver(envelope: Envelope): void | Promise<void>;
}

/** What a pipeline is made from. */
export interface PipelineOptions {
  readonly client: Client;
  readonly hooks: Hooks;
  readonly retry: Retry;
  readonly settings: Settings;
  readonly log: Log;
  /** Makes the legs, one an endpoint, that report to the pipeline. */
  legs(events: LegEvents): readonly Leg[];
}

/** How long requests in flight may still take once the connector stops, in milliseconds. */
const GRACE = 2_000;

/** Messages that wait for `initialize` or for a hook may fill this many bytes before the client is asked to pause. */
const MOST_HELD = 1_048_576;

/** Requests whose first answer `--timeout` bounds: they open a session or ask what the server is. */
const OPENERS = new Set<string | undefined>(['initialize', 'server/discover']);

/**
 * The line. A message of the client goes `accept → beforeSend → selectTransport → authenticate → transport.send`, a
 * message of a server `onmessage → afterReceive → client.deliver`, and the ledger sees to it that every request gets
 * exactly one answer.
 */
export class Pipeline {
  readonly #client: Client;
  readonly #hooks: Hooks;
  readonly #legs: readonly Leg[];
  readonly #retry: Retry;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #ledger = new Ledger();
  readonly #asked = new Asked();
  /** Keeps the client's messages in order while a hook, `initialize` or `initialized` takes its time. */
  readonly #inbound = new Lane();
  /** Keeps the servers' messages in order while a hook takes its time. */
  readonly #outbound = new Lane();
  /** The leg that answered `initialize`: a legacy session lives there. */
  #session: Leg | undefined;
  #stopped = false;
  #closing: Promise<void> | undefined;

  constructor(options: PipelineOptions) {
    this.#client = options.client;
    this.#hooks = options.hooks;
    this.#retry = options.retry;
    this.#settings = options.settings;
    this.#log = options.log;
    this.#legs = options.legs({
      onmessage: (leg, envelope) => this.#onmessage(leg, envelope),
      onlost: (leg, id, error) => this.#onlost(leg, id, error),
      onclose: (leg, error) => this.#onclose(leg, error),
    });
  }

  // ── From the client ──────────────────────────────────────────────────────────────────────────────────────────

  /** Takes one line of the client. A returned promise asks for a pause in reading until it settles. */
  receive(line: Buffer): void | Promise<void> {
    let envelope: Envelope;
    try {
      envelope = Envelope.read(line);
    } catch (error) {
      return this.#client.deliver(refusal('null', toConnectorError(error, 'MCPC_PARSE')));
    }
    return this.accept(envelope);
  }

  /** Takes one message of the client. A returned promise asks for a pause until it settles. */
  accept(envelope: Envelope): void | Promise<void> {
    if (envelope.kind === 'batch') return this.#acceptBatch(envelope);
    return this.#admit(envelope, (answer) => this.#client.deliver(answer));
  }

  /** Answers a line of the client that was too large to be kept. */
  refuse(outline: Outline, length: number): void {
    const limit = this.#settings.maxMessageSize;
    const error = new ConnectorError(
      'MCPC_TOO_LARGE',
      `A message of ${length} bytes is over the limit of ${limit}.`,
      {
        hint: 'Allow larger ones with --max-message-size BYTES',
      },
    );
    this.#log.warn?.('%s', error.message);
    if (outline.id !== undefined && outline.method !== undefined)
      void this.#client.deliver(refusal(outline.id, error));
  }

  /** A batch is answered with one batch, in which every request has its answer (JSON-RPC 2.0 section 6). */
  #acceptBatch(batch: Envelope): void {
    const parts = batch.parts();
    let owing = parts.filter(({ kind }) => kind === 'request' || kind === 'invalid').length;
    const answers: JSONRPCMessage[] = [];
    for (const part of parts) {
      void this.#admit(part, (answer) => {
        answers.push(answer.message);
        if (--owing === 0) return this.#client.deliver(Envelope.of(answers as unknown as JSONRPCMessage));
      });
    }
    if (parts.length === 0) void this.#client.deliver(refusal('null', invalidEnvelope()));
  }

  #admit(envelope: Envelope, deliver: Call['deliver']): void | Promise<void> {
    if (envelope.kind === 'invalid' || envelope.kind === 'batch') {
      return deliver(refusal(envelope.idText, invalidEnvelope()));
    }
    const call = envelope.kind === 'request' ? this.#ledger.open(envelope, deliver) : undefined;
    if (envelope.kind === 'request' && call === undefined)
      return deliver(refusal(envelope.idText, idInUse()));
    const held = this.#inbound.run(() => this.#pass(envelope, call), envelope.size);
    return this.#inbound.weight > MOST_HELD ? held : undefined;
  }

  /** Takes a message through `beforeSend` and on. A returned promise holds back all later messages. */
  #pass(envelope: Envelope, call: Call | undefined): void | Promise<void> {
    if (this.#hooks.beforeSend.taps.length === 0) return this.#forward(envelope, call);
    const exchange = this.#exchange(
      envelope,
      call,
      (answer) => call && this.#answer(call, replyWith(call.envelope.idText, answer)),
    );
    const hooked = this.#hooked('beforeSend', envelope, exchange, (error) => call && this.#fail(call, error));
    return after(hooked, (changed) => (changed === undefined ? undefined : this.#forward(changed, call)));
  }

  #forward(envelope: Envelope, call: Call | undefined): void | Promise<void> {
    if (envelope.kind === 'response') return this.#reply(envelope);
    if (call === undefined) return this.#notify(envelope);
    if (!this.#ledger.has(call)) return undefined;
    call.outgoing = envelope;
    call.deadline = performance.now() + this.#settings.timeout;
    if (OPENERS.has(envelope.method))
      call.limit = setTimeout(() => this.#expire(call), this.#settings.timeout);
    this.#attempt(call);
    if (envelope.method !== 'initialize') return call.leg?.transport?.drain?.();
    // Nothing overtakes `initialize`: what the client sends behind it belongs to the session that it opens.
    return this.#ledger.has(call) ? new Promise((resolve) => (call.onsettled = resolve)) : undefined;
  }

  /** One attempt at a request, straight down the line. */
  #attempt(call: Call): void {
    const attempt = call.attempts.length;
    const failed = (error: unknown): void =>
      this.#failed(call, attempt, toConnectorError(error, 'MCPC_CONNECT'));
    call.startedAt = performance.now();
    call.sent = false;
    try {
      const sent = after(this.#select(call), (leg) => {
        this.#assign(call, leg);
        return after(leg.ready(), (transport) =>
          after(leg.credentials(call.challenge), (credentials) => {
            if (call.attempts.length !== attempt || call.cancelled || !this.#ledger.has(call))
              return undefined;
            call.sent = true;
            return transport.send(call.outgoing, credentials);
          }),
        );
      });
      if (sent !== undefined) sent.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #select(call: Call): Leg | Promise<Leg> {
    if (this.#stopped) throw stopping();
    if (this.#legs.length === 1) return this.#legs[0]!;
    const exchange = this.#exchange(call.outgoing, call, () => undefined);
    const chosen = runHook(this.#hooks.selectTransport, this.#legs, exchange);
    return after(chosen, (candidate) => this.#legs[candidate?.index ?? this.#affinity(call)?.index ?? 0]!);
  }

  /** A legacy session binds its requests to the server that holds it; `initialize` itself is free to go anywhere. */
  #affinity(call: Call): Leg | undefined {
    return call.outgoing.method === 'initialize' || isModern(call.outgoing) ? undefined : this.#session;
  }

  #notify(envelope: Envelope): void | Promise<void> {
    if (envelope.method === 'notifications/cancelled') return this.#cancel(envelope);
    const legs = this.#session ? [this.#session] : this.#legs.filter((leg) => leg.open);
    if (legs.length === 0) this.#log.debug?.('dropped %s: no server is connected', envelope.method);
    const sent = legs.map((leg) => this.#push(leg, envelope));
    // Nothing overtakes `initialized` (MCP basic/lifecycle).
    if (envelope.method === 'notifications/initialized') return Promise.all(sent).then(() => undefined);
    return legs[0]?.transport?.drain?.();
  }

  #cancel(envelope: Envelope): void {
    const call = this.#ledger.find(cancelledId(envelope.message));
    if (call === undefined || call.cancelled || call.envelope.method === 'initialize') return;
    const { leg, sent } = call;
    this.#ledger.cancel(call);
    if (leg !== undefined && sent) void this.#push(leg, envelope);
    // In the modern era, and before the request left, nothing more can come (2026-07-28 patterns/cancellation).
    if (leg === undefined || !sent || isModern(call.outgoing)) this.#settle(call);
  }

  #reply(envelope: Envelope): void | Promise<void> {
    const asked = this.#asked.answer(envelope);
    if (asked === undefined) {
      this.#log.debug?.('dropped an answer of the client: nobody asked under id %s', envelope.idText);
      return undefined;
    }
    void this.#push(asked.leg, asked.response);
    return asked.leg.transport?.drain?.();
  }

  /** Sends a message that has no answer. Its loss is logged: there is no one to tell. */
  async #push(leg: Leg, envelope: Envelope): Promise<void> {
    try {
      const transport = leg.transport ?? (await leg.ready());
      await transport.send(envelope, await leg.credentials());
    } catch (error) {
      this.#log.warn?.('%s did not reach %s: %s', envelope.method ?? 'an answer', leg.endpoint.label, error);
    }
  }

  // ── From a server ────────────────────────────────────────────────────────────────────────────────────────────

  #onmessage(leg: Leg, envelope: Envelope): void | Promise<void> {
    if (envelope.kind === 'response') return this.#onresponse(leg, envelope);
    if (envelope.kind === 'batch')
      return settleAll(envelope.parts().map((part) => this.#onmessage(leg, part)));
    if (envelope.kind === 'invalid') return this.#oninvalid(leg, envelope);
    const withdrawn = envelope.method === 'notifications/cancelled';
    const shown =
      envelope.kind === 'request'
        ? this.#asked.ask(leg, envelope)
        : withdrawn
          ? this.#asked.withdraw(leg, envelope)
          : envelope;
    if (this.#hooks.afterReceive.taps.length === 0) return this.#client.deliver(shown);
    return this.#outbound.run(() => {
      const exchange = this.#exchange(
        shown,
        undefined,
        (answer) => void this.#reply(replyWith(shown.idText, answer)),
      );
      const hooked = this.#hooked('afterReceive', shown, exchange, (error) =>
        this.#refuseServer(shown, error),
      );
      return after(hooked, (changed) => (changed === undefined ? undefined : this.#client.deliver(changed)));
    });
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
    this.#assign(call, undefined);
    if (call.outgoing.method === 'initialize' && 'result' in envelope.message) this.#session = leg;
    if (call.outgoing.method === 'tools/list')
      this.#retry.learn((envelope.message as { result?: unknown }).result);
    if (this.#hooks.afterReceive.taps.length === 0) return this.#answer(call, envelope);
    return this.#outbound.run(() => {
      const exchange = this.#exchange(envelope, call, (answer) =>
        this.#answer(call, replyWith(envelope.idText, answer)),
      );
      const hooked = this.#hooked('afterReceive', envelope, exchange, (error) => this.#fail(call, error));
      return after(hooked, (changed) => (changed === undefined ? undefined : this.#answer(call, changed)));
    });
  }

  /** Something with an id that waits is that request's answer, however spoilt; anything else answers nobody. */
  #oninvalid(leg: Leg, envelope: Envelope): void {
    const call = this.#ledger.find(envelope.key);
    const error = new ConnectorError(
      'MCPC_BAD_RESPONSE',
      `${leg.endpoint.label} sent JSON that is no JSON-RPC message.`,
      {
        hint: 'Report this to the authors of the server',
        delivered: 'unknown',
      },
    );
    if (call?.leg === leg) this.#fail(call, error);
    else this.#log.warn?.('%s', error.message);
  }

  #onlost(leg: Leg, id: RequestId, error: ConnectorError): void {
    const call = this.#ledger.find(id);
    if (call?.leg === leg && call.sent) this.#failed(call, call.attempts.length, error);
  }

  #onclose(leg: Leg, cause: ConnectorError | undefined): void {
    const error =
      cause ??
      new ConnectorError('MCPC_CONNECTION_LOST', `${leg.endpoint.label} closed the connection.`, {
        delivered: 'unknown',
      });
    this.#log.warn?.('%s', error.message);
    this.#asked.forget(leg);
    for (const call of this.#ledger.calls()) {
      if (call.leg === leg && call.sent) this.#failed(call, call.attempts.length, error);
    }
  }

  // ── Answers ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Settles a call with its answer, unless it has one. */
  #answer(call: Call, envelope: Envelope): void | Promise<void> {
    return this.#settle(call) ? call.deliver(envelope) : undefined;
  }

  /** Settles a call with an error of ours, unless it has an answer or the client no longer wants one. */
  #fail(call: Call, error: ConnectorError): void {
    const { attempts, cancelled, envelope } = call;
    if (!this.#settle(call) || cancelled) return;
    this.#log.debug?.('%s failed: %s', call.envelope.method, error.message);
    const redact = (text: string): string => this.#log.redact(text);
    const retryable =
      this.#isSafe(call) || attempts.every((attempt) => attempt.error.delivered !== 'unknown');
    void call.deliver(errorReply(envelope.idText, error, { attempts, retryable, redact }));
  }

  /** One attempt went wrong: another one, or the end. */
  #failed(call: Call, attempt: number, error: ConnectorError): void {
    if (attempt !== call.attempts.length || !this.#ledger.has(call)) return;
    const ms = performance.now() - call.startedAt;
    call.attempts.push({ candidate: call.leg ?? this.#legs[0]!, error, ms });
    this.#assign(call, undefined);
    const safe = this.#isSafe(call);
    const left = call.deadline - performance.now();
    const wait =
      call.cancelled || this.#stopped
        ? undefined
        : this.#retry.next({ attempts: call.attempts, safe, candidates: this.#legs, left });
    if (wait === undefined)
      return this.#fail(call, error.delivered === 'unknown' && !safe ? outcomeUnknown(call, error) : error);
    this.#log.debug?.('%s is sent again in %d ms: %s', call.envelope.method, Math.round(wait), error.message);
    if (wait === 0) this.#attempt(call);
    else call.pause = setTimeout(() => this.#attempt(call), wait);
  }

  #expire(call: Call): void {
    const { leg, sent } = call;
    const seconds = this.#settings.timeout / 1000;
    const last = call.attempts.at(-1)?.error;
    const label = (leg ?? call.attempts.at(-1)?.candidate ?? this.#legs[0]!).endpoint.label;
    const reason = last ? `: ${last.message}` : '';
    this.#fail(
      call,
      new ConnectorError(
        'MCPC_TIMEOUT',
        `${label} did not answer ${call.envelope.method} within ${seconds} s${reason}`,
        {
          cause: last,
          hint:
            last?.hint ??
            'Check the endpoint with mcp-connect test, or allow more time with --timeout SECONDS',
        },
      ),
    );
    if (leg !== undefined && sent && call.envelope.method !== 'initialize') {
      void this.#push(leg, cancellation(call.envelope.idText, 'timeout'));
    }
  }

  #settle(call: Call): boolean {
    this.#assign(call, undefined);
    return this.#ledger.settle(call);
  }

  #assign(call: Call, leg: Leg | undefined): void {
    if (call.leg !== undefined) call.leg.pending--;
    call.leg = leg;
    if (leg !== undefined) leg.pending++;
  }

  #isSafe(call: Call): boolean {
    return this.#retry.isSafe(call.outgoing.method, () => paramsOf(call.outgoing)?.['name']);
  }

  /** A server's request that a hook spoilt is answered with an error; any other message goes on as it was. */
  #refuseServer(envelope: Envelope, error: ConnectorError): void {
    this.#log.error?.('%s', error.message);
    if (envelope.kind === 'request') void this.#reply(refusal(envelope.idText, error));
    else void this.#client.deliver(envelope);
  }

  // ── Hooks ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Runs a message hook. Returns the message as it goes on, or undefined when a tap or its failure ended the way. */
  #hooked(
    name: 'beforeSend' | 'afterReceive',
    envelope: Envelope,
    exchange: HookExchange,
    onfailure: (error: ConnectorError) => void,
  ): Envelope | undefined | Promise<Envelope | undefined> {
    const failed = (error: unknown): undefined =>
      onfailure(toConnectorError(error, 'MCPC_PLUGIN')) as undefined;
    try {
      const { message } = envelope;
      const ran = after(runHook(this.#hooks[name], message, exchange), (changed) => {
        if (exchange.handled) return undefined;
        return changed === undefined || changed === message ? envelope : Envelope.of(changed);
      });
      return ran instanceof Promise ? ran.catch(failed) : ran;
    } catch (error) {
      return failed(error);
    }
  }

  #exchange(envelope: Envelope, call: Call | undefined, onanswer: (answer: Answer) => void): HookExchange {
    return new HookExchange({
      id: call?.envelope.id,
      method: call?.envelope.method ?? envelope.method,
      attempts: call?.attempts ?? [],
      state: call?.state ?? new Map(),
      safe: () => call === undefined || this.#isSafe(call),
      affinity: () => (call === undefined ? this.#session : this.#affinity(call)),
      onanswer,
      ondrop: (reason) => {
        this.#log.debug?.(
          'a plugin dropped %s: %s',
          envelope.method ?? 'an answer',
          reason ?? 'no reason given',
        );
        const error = new ConnectorError(
          'MCPC_PLUGIN',
          `A plugin dropped the request${reason ? `: ${reason}` : '.'}`,
        );
        if (call !== undefined) this.#fail(call, error);
        else if (envelope.kind === 'request') void this.#reply(refusal(envelope.idText, error));
      },
    });
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Lets requests in flight finish for up to two seconds, cancels and answers the rest, and closes every leg.
   * Calling it again returns the same end.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const settled = Promise.all([
      this.#inbound.idle().then(() => this.#ledger.idle()),
      this.#outbound.idle(),
    ]);
    await Promise.race([settled, new Promise((resolve) => (timer = setTimeout(resolve, GRACE)))]);
    clearTimeout(timer);
    this.#stopped = true;
    const told: Promise<void>[] = [];
    for (const call of this.#ledger.calls()) {
      if (call.leg !== undefined && call.sent && !call.cancelled) {
        told.push(this.#push(call.leg, cancellation(call.envelope.idText, 'the client is gone')));
      }
      this.#fail(call, stopping());
    }
    await Promise.race([Promise.all(told), new Promise((resolve) => (timer = setTimeout(resolve, GRACE)))]);
    clearTimeout(timer);
    await Promise.all(this.#legs.map((leg) => leg.close()));
  }
}

function invalidEnvelope(): ConnectorError {
  return new ConnectorError('MCPC_INVALID_MESSAGE', 'The message is not a valid JSON-RPC 2.0 envelope.', {
    hint: 'A request needs "jsonrpc":"2.0", a text "method", and a text or number "id"',
  });
}

function idInUse(): ConnectorError {
  return new ConnectorError(
    'MCPC_INVALID_MESSAGE',
    'A request with this id is already waiting for its answer.',
    {
      hint: 'Give every request an id of its own',
    },
  );
}

function stopping(): ConnectorError {
  return new ConnectorError('MCPC_SHUTDOWN', 'mcp-connect is stopping.');
}

function outcomeUnknown(call: Call, cause: ConnectorError): ConnectorError {
  const what = `${call.envelope.method} was sent, but its outcome is unknown`;
  return new ConnectorError('MCPC_OUTCOME_UNKNOWN', `${what}: ${cause.message}`, {
    cause,
    delivered: 'unknown',
    hint: 'Check at the server whether it was carried out before sending it again',
  });
}

function paramsOf(envelope: Envelope): Record<string, unknown> | undefined {
  return (envelope.message as { params?: Record<string, unknown> }).params;
}

/** A modern request carries its protocol version with it and belongs to no session (2026-07-28 basic/index). */
function isModern(envelope: Envelope): boolean {
  const meta = paramsOf(envelope)?.['_meta'] as Record<string, unknown> | undefined;
  return typeof meta === 'object' && meta !== null && 'io.modelcontextprotocol/protocolVersion' in meta;
}

function settleAll(waits: (void | Promise<void>)[]): void | Promise<void> {
  const pending = waits.filter((wait) => wait !== undefined);
  return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined);
}
