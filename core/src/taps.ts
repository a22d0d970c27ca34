import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { Aside } from './aside.js';
import { Envelope } from './envelope.js';
import { ConnectorError, reasonOf, toConnectorError } from './errors.js';
import { HookExchange } from './exchange.js';
import type { Answer, Candidate, Hooks } from './contract.js';
import { runHook } from './hooks.js';
import type { Call } from './ledger.js';
import type { Log } from './log.js';

/** What taps are run with. */
export interface TapsOptions {
  readonly hooks: Hooks;
  readonly aside: Aside;
  readonly log: Log;
  /** Whether carrying the request out twice does no harm. */
  isSafe(call: Call): boolean;
  /** The endpoint that a request, or any other message, is best sent to. */
  affinity(call: Call | undefined): Candidate | undefined;
}

/** Whose message taps see, and what becomes of it where one fails or answers it. */
export interface Tapped {
  /** The request that it is, or answers; undefined for all else. */
  readonly call: Call | undefined;
  fail(error: ConnectorError): void;
  answer(body: Answer): void;
}

/** Runs the taps of the two hooks that messages pass, `beforeSend` and `afterReceive`. */
export class Taps {
  readonly #options: TapsOptions;

  constructor(options: TapsOptions) {
    this.#options = options;
  }

  /**
   * Takes a message through the taps of a hook and on to `next`, unless a tap answered or dropped it. A tap that fails ends a
   * request with an error; a notification goes on as it was, since no one could be told of its loss.
   */
  run(
    name: 'beforeSend' | 'afterReceive',
    envelope: Envelope,
    { call, fail, answer }: Tapped,
    next: (changed: Envelope) => void | Promise<void>,
  ): void | Promise<void> {
    const { hooks, aside, log } = this.#options;
    const exchange = new HookExchange({
      id: call?.envelope.id,
      method: call?.envelope.method ?? envelope.method,
      attempts: call?.attempts ?? [],
      state: call?.state ?? new Map(),
      aside,
      safe: () => call === undefined || this.#options.isSafe(call),
      affinity: () => this.#options.affinity(call),
      onanswer: answer,
      ondrop: (plugin, reason) => {
        const error = dropped(envelope, plugin, reason);
        log.debug?.('%s', error.message);
        if (call !== undefined || envelope.kind === 'request') fail(error);
      },
    });
    const failed = (error: unknown): void | Promise<void> => {
      fail(toConnectorError(error, 'MCPC_PLUGIN'));
      return call === undefined && envelope.kind !== 'request' ? next(envelope) : undefined;
    };
    let ran: JSONRPCMessage | undefined | Promise<JSONRPCMessage | undefined>;
    try {
      ran = runHook(hooks[name], envelope.message, exchange);
    } catch (error) {
      return failed(error);
    }
    const go = (changed: JSONRPCMessage | undefined): void | Promise<void> => {
      if (exchange.handled) return undefined;
      if (changed === undefined || changed === envelope.message) return next(envelope);
      let replacement: Envelope;
      try {
        replacement = serialised(changed);
      } catch (error) {
        return failed(notJson(name, exchange.changedBy, error));
      }
      return next(underSameId(replacement, envelope));
    };
    return ran instanceof Promise ? ran.then(go, failed) : go(ran);
  }
}

/** Wraps a message of a tap, as bytes: one that cannot be written is found out while it can still be told. */
function serialised(message: JSONRPCMessage): Envelope {
  const envelope = Envelope.of(message);
  void envelope.line;
  return envelope;
}

function notJson(hook: string, plugin: string, cause: unknown): ConnectorError {
  const text = `Plugin ${plugin} failed in ${hook}: its message cannot be written as JSON: ${reasonOf(cause)}`;
  return new ConnectorError('MCPC_PLUGIN', text, { cause, hint: `Report this to the authors of ${plugin}` });
}

function dropped(envelope: Envelope, plugin: string, reason: string | undefined): ConnectorError {
  const what = envelope.method ?? 'an answer';
  return new ConnectorError(
    'MCPC_PLUGIN',
    `Plugin ${plugin} dropped ${what}${reason === undefined ? '.' : `: ${reason}`}`,
  );
}

/** A tap may change all but the id, by which both sides know whose answer it is. */
function underSameId(changed: Envelope, original: Envelope): Envelope {
  return original.key === undefined || changed.key === original.key
    ? changed
    : changed.withId(original.idText);
}
