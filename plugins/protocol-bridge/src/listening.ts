import {
  ConnectorError,
  reasonOf,
  type Envelope,
  type RequestId,
  type TransportContext,
} from '@mcp-connect/core';
import type { Question, Upstream } from './direction.js';
import { isObject, notificationOf, paramsOf } from './messages.js';
import { METHOD_NOT_FOUND, SUBSCRIPTION_KEY } from './modern.js';

/** Lists whose changes a stream can tell of, as the members of its filter are named. */
const LISTS = {
  tools: 'toolsListChanged',
  prompts: 'promptsListChanged',
  resources: 'resourcesListChanged',
} as const;

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

/** What a stream of news is asked for, or promises (2026-07-28 basic/patterns/subscriptions). */
type Filter = Readonly<Record<string, unknown>> & { readonly resourceSubscriptions?: unknown };

/** What listening is made from. */
export interface ListeningOptions {
  readonly client: TransportContext;
  readonly upstream: Upstream;
  /** The capabilities that the server declares. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** Gives parameters what describes the client. */
  stamp(params: object): object;
}

/** One stream that is being opened or runs. */
interface Stream {
  readonly question: Question;
  /** Settles with what the server promises to tell. */
  readonly acknowledged: Promise<Filter>;
  acknowledge(promised: Filter): void;
}

/**
 * Hears a modern server's news for a client that expects them in its session. There is one stream at a time; when the
 * client subscribes to more, a new one is made before the old one is broken (2026-07-28 basic/patterns/subscriptions).
 */
export class Listening {
  readonly #options: ListeningOptions;
  readonly #lists: Readonly<Record<string, true>>;
  readonly #uris = new Set<string>();
  /** Streams that have not ended, by the id of their request. */
  readonly #streams = new Map<RequestId, Stream>();
  #current: Stream | undefined;
  #renewing: Promise<Filter> | undefined;
  #waiting: Promise<Filter> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** True once the server has said that it has no such streams. */
  #unknown = false;
  #closed = false;

  constructor(options: ListeningOptions) {
    this.#options = options;
    const changing = Object.entries(LISTS).filter(([list]) => {
      const capability = options.capabilities[list];
      return isObject(capability) && capability['listChanged'] === true;
    });
    this.#lists = Object.fromEntries(changing.map(([, member]) => [member, true]));
  }

  /** Opens the first stream, where there is anything to hear. Settles when the server has taken it up. */
  async start(): Promise<void> {
    if (this.#isIdle) return;
    await this.#renew().catch((error: unknown) => this.#failed(error));
  }

  /**
   * Listens to one more resource. Returns false when the server does not tell of it.
   *
   * @throws ConnectorError when the server cannot be asked
   */
  async subscribe(uri: string): Promise<boolean> {
    const known = this.#uris.has(uri);
    this.#uris.add(uri);
    try {
      const { resourceSubscriptions: promised } = await this.#renew();
      if (Array.isArray(promised) && promised.includes(uri)) return true;
    } catch (error) {
      if (!known) this.#uris.delete(uri);
      throw error;
    }
    this.#uris.delete(uri);
    return false;
  }

  /** Listens to a resource no longer. */
  async unsubscribe(uri: string): Promise<void> {
    if (!this.#uris.delete(uri)) return;
    if (!this.#isIdle) await this.#renew();
    else this.#replace(undefined);
  }

  /** Puts a new stream in the place of one that may be dead. */
  refresh(): void {
    if (this.#current !== undefined) void this.#again();
  }

  /** Takes news of a stream, and hands on what the client expects. Returns false for everything else. */
  takes(envelope: Envelope): boolean {
    const { _meta, ...params } = paramsOf(envelope);
    const stream = this.#streams.get(subscriptionIn(envelope.method, _meta, params) as RequestId);
    if (stream === undefined)
      return envelope.method === ACKNOWLEDGED || _meta?.[SUBSCRIPTION_KEY] !== undefined;
    if (envelope.method === ACKNOWLEDGED) {
      const promised = params['notifications'];
      // News may come in the same turn.
      this.#replace(stream);
      stream.acknowledge(isObject(promised) ? promised : {});
    } else if (envelope.method === 'notifications/cancelled') {
      stream.question.cancel();
    } else if (stream === this.#current) {
      const { [SUBSCRIPTION_KEY]: _, ...rest } = _meta ?? {};
      const meta = Object.keys(rest).length > 0 ? { _meta: rest } : {};
      void this.#options.client.onmessage(notificationOf(envelope.method!, { ...params, ...meta }));
    }
    return true;
  }

  /** Ends all streams. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { question } of this.#streams.values()) question.cancel();
  }

  get #isIdle(): boolean {
    return this.#uris.size === 0 && Object.keys(this.#lists).length === 0;
  }

  /** Opens a stream for all that is wanted now. Those who ask while one is being opened share the next. */
  #renew(): Promise<Filter> {
    if (this.#renewing === undefined) {
      this.#renewing = this.#open().finally(() => (this.#renewing = undefined));
      return this.#renewing;
    }
    this.#waiting ??= this.#renewing
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined;
        return this.#renew();
      });
    return this.#waiting;
  }

  async #open(): Promise<Filter> {
    clearTimeout(this.#timer);
    const { upstream, client, stamp } = this.#options;
    const uris = [...this.#uris];
    const notifications = { ...this.#lists, ...(uris.length > 0 && { resourceSubscriptions: uris }) };
    const question = upstream.ask('subscriptions/listen', stamp({ notifications }));
    let acknowledge!: Stream['acknowledge'];
    const acknowledged = new Promise<Filter>((resolve) => (acknowledge = resolve));
    const stream: Stream = { question, acknowledged, acknowledge };
    this.#streams.set(question.id, stream);
    const ended = question.answer.then(
      ({ error }) => {
        this.#unknown ||= error?.code === METHOD_NOT_FOUND;
        throw endOf(client.endpoint.label, error);
      },
      (error: unknown) => {
        throw error;
      },
    );
    ended.catch((error: unknown) => this.#ended(stream, error));
    const late = AbortSignal.timeout(client.settings.timeout);
    const timedOut = new Promise<never>((_, reject) => {
      late.addEventListener('abort', () => reject(silence(client.endpoint.label)), { once: true });
    });
    try {
      const promised = await Promise.race([acknowledged, ended, timedOut]);
      this.#failures = 0;
      return promised;
    } catch (error) {
      question.cancel();
      throw error;
    }
  }

  #replace(stream: Stream | undefined): void {
    const old = this.#current;
    this.#current = stream;
    if (old !== stream) old?.question.cancel();
  }

  /** A stream that ran is opened again for ever; the client is told to look again, since news may have been missed. */
  #ended(stream: Stream, error: unknown): void {
    this.#streams.delete(stream.question.id);
    if (stream !== this.#current) return;
    this.#current = undefined;
    this.#failed(error);
  }

  #failed(error: unknown): void {
    if (this.#closed || this.#unknown || this.#isIdle) return;
    this.#options.client.log.debug?.('the stream of news is down: %s', reasonOf(error));
    const wait = Math.min(FIRST_WAIT * 2 ** Math.min(this.#failures++, 10), LONGEST_WAIT);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#again(), wait * (0.5 + Math.random() / 2)).unref();
  }

  async #again(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      return this.#failed(error);
    }
    this.#options.client.onmissed();
  }
}

/** The stream that a message belongs to; the end of one names it as a request. */
function subscriptionIn(
  method: string | undefined,
  meta: Readonly<Record<string, unknown>> | undefined,
  params: object,
): unknown {
  return method === 'notifications/cancelled'
    ? (params as { requestId?: unknown }).requestId
    : meta?.[SUBSCRIPTION_KEY];
}

function endOf(label: string, error: { code: number; message: string } | undefined): ConnectorError {
  const text =
    error === undefined
      ? `${label} ended its stream of news.`
      : `${label} opens no stream of news: ${error.message}`;
  return new ConnectorError('MCPC_NO_ANSWER', text, { delivered: 'rejected' });
}

function silence(label: string): ConnectorError {
  return new ConnectorError('MCPC_TIMEOUT', `${label} did not take up a subscription in time.`, {
    delivered: 'unknown',
  });
}
