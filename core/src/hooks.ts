import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { FullTap } from 'tapable';
import Bail from 'tapable/lib/AsyncSeriesBailHook.js';
import Series from 'tapable/lib/AsyncSeriesHook.js';
import Waterfall from 'tapable/lib/AsyncSeriesWaterfallHook.js';
import type { Candidate, Exchange, Hooks, OpenTransport, TapOptions } from './contract.js';
import type { Endpoint } from './endpoint.js';
import { ConnectorError, reasonOf } from './errors.js';
import { HookExchange } from './exchange.js';
import { inTime } from './in-time.js';
import { judged } from './returned.js';
import type { Credentials } from './transport.js';

type MaybePromise<T> = T | Promise<T>;

/** How long a tap may take, in milliseconds. */
const PATIENCE = 10_000;

type Callback = (error: Error | null, value?: unknown) => void;
type TapDone = (error: unknown, result?: unknown) => void;

/** Makes the five hooks of one connector. */
export function createHooks(): Hooks {
  const hooks = {
    beforeSend: new Waterfall<[JSONRPCMessage, Exchange]>(['message', 'exchange'], 'beforeSend'),
    afterReceive: new Waterfall<[JSONRPCMessage, Exchange]>(['message', 'exchange'], 'afterReceive'),
    selectTransport: new Bail<[readonly Candidate[], Exchange], Candidate>(
      ['candidates', 'exchange'],
      'selectTransport',
    ),
    authenticate: new Series<[Credentials, Endpoint]>(['credentials', 'endpoint'], 'authenticate'),
    openTransport: new Waterfall<[OpenTransport, Endpoint]>(['open', 'endpoint'], 'openTransport'),
  };
  for (const hook of Object.values(hooks)) {
    hook.intercept({ register: (tap: FullTap) => guard(hook.name as keyof Hooks, tap) });
  }
  return hooks as unknown as Hooks;
}

/**
 * Gives every tap one shape: it may return a value or a promise, and what it throws names plugin and hook, as does what
 * it returns that the hook cannot use. tapable alone does not await an async function handed to `tap`.
 *
 * @throws Error when the tap is none
 */
function guard(hook: keyof Hooks, tap: FullTap): FullTap {
  const { name, type } = tap;
  const { patience = hook === 'authenticate' ? Infinity : PATIENCE } = tap as Partial<TapOptions>;
  const fn = tap.fn as (...args: unknown[]) => unknown;
  if (typeof fn !== 'function') throw new Error(`its tap of ${hook} is no function`);
  if (!(patience > 0)) throw new Error(`the patience of its tap of ${hook} is no number of milliseconds`);
  const named = (error: unknown): ConnectorError =>
    error instanceof ConnectorError
      ? error
      : new ConnectorError('MCPC_PLUGIN', `Plugin ${name} failed in ${hook}: ${reasonOf(error)}`, {
          cause: error,
          hint: `Report this to the authors of ${name}, or run without --plugin ${name}`,
        });
  const run = (first: unknown, second: unknown, done: Callback): void => {
    const exchange = second instanceof HookExchange ? second : undefined;
    if (exchange?.handled === true) return done(null);
    if (exchange !== undefined) exchange.plugin = name;
    const settle = (value: unknown): unknown => {
      // Whoever has answered may return what they like.
      if (exchange?.handled === true) return undefined;
      if (exchange !== undefined && value !== undefined && value !== first) exchange.changedBy = name;
      return judged(hook, { plugin: name, value, first });
    };
    let value: unknown;
    try {
      value = type === 'async' ? called(fn, first, second) : fn(first, second);
      if (!isPromise(value)) value = settle(value);
    } catch (error) {
      done(named(error));
      return;
    }
    if (!isPromise(value)) return done(null, value);
    // A tap that never settles would leave its message without an answer.
    void inTime(value, patience)
      .then(settle)
      .then(
        (settled) => done(null, settled),
        (error: unknown) => done(named(error)),
      );
  };
  return { ...tap, type: 'async', fn: run };
}

/** Calls a tap that was added with `tapAsync` and tells its end by a callback. */
function called(fn: (...args: unknown[]) => unknown, first: unknown, second: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end: TapDone = (error, result) => (error ? reject(error as Error) : resolve(result));
    fn(first, second, end);
  });
}

/**
 * Runs a hook, and stays synchronous while its taps do: a line without waiting plugins pays for no promise.
 *
 * @throws ConnectorError of the first tap that failed; also as a rejection
 */
export function runHook<A, B, R>(
  hook: { callAsync(first: A, second: B, done: (error: Error | null, value?: R) => void): void },
  first: A,
  second: B,
): MaybePromise<R | undefined> {
  let outcome: { error: Error | null; value: R | undefined } | undefined;
  let waiting: { resolve(value: R | undefined): void; reject(error: Error): void } | undefined;
  hook.callAsync(first, second, (error, value) => {
    if (waiting === undefined) outcome = { error, value };
    else if (error) waiting.reject(error);
    else waiting.resolve(value);
  });
  if (outcome === undefined) return new Promise((resolve, reject) => (waiting = { resolve, reject }));
  if (outcome.error) throw outcome.error;
  return outcome.value;
}

/** Goes on with a value now, or when its promise settles. */
export function after<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isPromise(value) ? value.then(next) : next(value);
}

function isPromise<T>(value: T | PromiseLike<T>): value is Promise<T> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
