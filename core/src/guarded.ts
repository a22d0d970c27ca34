import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Envelope } from './envelope.js';
import { ConnectorError, reasonOf, type ErrorCode } from './errors.js';
import { inTime } from './in-time.js';
import type { Log } from './log.js';
import type { Credentials, Transport } from './transport.js';

/** Whose transport it is, and what an error becomes that is none of ours. */
export interface GuardedOptions {
  /** The plugin's name. */
  readonly plugin: string;
  readonly code: ErrorCode;
  /** Takes the failures that nobody waits for. */
  readonly log: Log;
}

/** How long a transport may take to close, in milliseconds. */
const PATIENCE = 10_000;

/** A transport of a plugin, whose every failure names the plugin and what it failed at. */
export class GuardedTransport implements Transport {
  readonly #inner: Transport;
  readonly #options: GuardedOptions;

  /** @throws ConnectorError `MCPC_PLUGIN` when it is no transport at all */
  constructor(inner: Transport, options: GuardedOptions) {
    const { send, close } = (inner ?? {}) as Partial<Transport>;
    if (typeof send !== 'function' || typeof close !== 'function') {
      const text = `Plugin ${options.plugin} opened something that is no transport.`;
      throw new ConnectorError('MCPC_PLUGIN', text, {
        hint: `A transport has the methods send and close. Report this to the authors of ${options.plugin}`,
      });
    }
    this.#inner = inner;
    this.#options = options;
  }

  get stateful(): boolean {
    return this.#inner.stateful ?? true;
  }

  send(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    try {
      const sent = this.#inner.send(envelope, credentials);
      if (!(sent instanceof Promise)) return sent;
      return sent.catch((error: unknown) => Promise.reject(this.#named('send', error)));
    } catch (error) {
      throw this.#named('send', error);
    }
  }

  withdraw(id: RequestId): boolean {
    try {
      return this.#inner.withdraw?.(id) ?? false;
    } catch (error) {
      this.#report('withdraw', error);
      return false;
    }
  }

  drain(): Promise<void> | undefined {
    try {
      return this.#inner.drain?.();
    } catch (error) {
      this.#report('drain', error);
      return undefined;
    }
  }

  wake(): boolean {
    try {
      return this.#inner.wake?.() ?? false;
    } catch (error) {
      this.#report('wake', error);
      return false;
    }
  }

  async close(): Promise<void> {
    try {
      await inTime(Promise.resolve(this.#inner.close()), PATIENCE);
    } catch (error) {
      this.#report('close', error);
    }
  }

  #report(method: string, cause: unknown): void {
    this.#options.log.error?.('%s', this.#named(method, cause).message);
  }

  /** What a message met with may have come behind its effect. */
  #named(method: string, cause: unknown): ConnectorError {
    if (cause instanceof ConnectorError) return cause;
    const { plugin, code } = this.#options;
    return new ConnectorError(code, `Plugin ${plugin} failed in ${method}: ${reasonOf(cause)}`, {
      cause,
      delivered: 'unknown',
    });
  }
}
