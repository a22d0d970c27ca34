import { stripVTControlCharacters } from 'node:util';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { Envelope } from './envelope.js';
import type { Exchange } from './contract.js';
import { LOG_LEVELS, type LogLevel, type LogRecord } from './log.js';
import type { Plugin } from './plugin.js';
import { isSeverity, SEVERITIES, type Severity } from './severity.js';

const LEVEL_OF: Readonly<Record<LogLevel, Severity>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warning',
  error: 'error',
};

const LOGGER = 'mcp-connect';

/** Where a modern request says which log messages it wants (2026-07-28 server/utilities/logging). */
const LOG_LEVEL_KEY = 'io.modelcontextprotocol/logLevel';

/** So many lines wait for a client that may not be sent any yet; older ones are forgotten. */
const MOST_KEPT = 100;

/** So many lines may be sent at once, and so many more each second: messages have the right of way. */
const BURST = 100;
const PER_SECOND = 20;

/** What decides which log lines a client may be sent. */
export interface LogAudience {
  /** What the client's legacy session was told; undefined while there is none. */
  readonly session:
    | {
        /** Whether the server says that it sends log messages. */
        readonly logs: boolean;
        readonly initialized: Envelope | undefined;
        readonly level: Envelope | undefined;
      }
    | undefined;
  /** The client's requests that wait for their answers. */
  readonly requests: readonly Envelope[];
}

/** A client as far as log lines are concerned. */
export interface LogClient {
  /** Hands over one message; a returned promise says that the client lags behind until it settles. */
  deliver(envelope: Envelope): void | Promise<void>;
  audience(): LogAudience;
}

/** How log lines are shown to the client. */
export interface LogMessagesOptions {
  /** The least severe level that is shown. */
  readonly level: LogLevel;
  /** The time in milliseconds, from wherever it is counted; `performance.now` where not given. */
  now?(): number;
}

/**
 * Shows our log lines to the client as `notifications/message`, when it may be sent any: in a legacy session after
 * `initialized` and at the level of its `logging/setLevel`, in the modern era while a request waits that asks for them.
 * Lines from before that are kept for it. A client that lags behind, or too many lines at once, lose some: all of them
 * are on stderr.
 */
export class LogMessages {
  readonly #lowest: number;
  #client: LogClient | undefined;
  #kept: LogRecord[] = [];
  #left = BURST;
  readonly #now: () => number;
  #filledAt: number;
  #lagging = false;
  #leftOut = 0;
  /** True while the client believes that the server logs only because we say so. */
  #announced = false;
  /** What the client then asked for. */
  #level: Severity = 'debug';

  constructor({ level, now = () => performance.now() }: LogMessagesOptions) {
    this.#lowest = LOG_LEVELS.indexOf(level);
    this.#now = now;
    this.#filledAt = now();
  }

  /** Takes a finished line of the log. */
  write(record: LogRecord): void {
    if (LOG_LEVELS.indexOf(record.level) < this.#lowest) return;
    const wanted = this.#wanted();
    if (wanted !== undefined) this.#show(record, wanted);
    else if (this.#kept.push(record) > MOST_KEPT) this.#kept.shift();
  }

  /** Names the client. */
  attach(client: LogClient): void {
    this.#client = client;
  }

  /** Shows what was kept for the client, if it may be sent anything now. */
  flush(): void {
    const wanted = this.#wanted();
    if (wanted === undefined) return;
    for (const record of this.#kept.splice(0)) this.#show(record, wanted);
  }

  /**
   * Returns a plugin that says `logging` in the server's stead where the server does not: only then may log messages be
   * sent (2025-11-25 server/utilities/logging, Capabilities). It has to see every message, which costs time.
   */
  plugin(): Plugin {
    const name = 'mcp-connect:log';
    return {
      name,
      apply: ({ hooks }) => {
        hooks.afterReceive.tap(name, (message, { method }) => {
          if (method === 'initialize' || method === 'server/discover') return this.#announce(message, method);
          return undefined;
        });
        hooks.beforeSend.tap(name, (message, exchange) => {
          if (exchange.method === 'logging/setLevel' && this.#announced) this.#setLevel(message, exchange);
        });
      },
    };
  }

  #announce(answer: JSONRPCMessage, method: string): JSONRPCMessage | undefined {
    if (!('result' in answer)) return undefined;
    const { capabilities } = answer.result as { capabilities?: Record<string, unknown> };
    const logs = capabilities?.['logging'] !== undefined;
    if (method === 'initialize') {
      this.#announced = !logs;
      this.#level = 'debug';
    }
    if (logs) return undefined;
    return { ...answer, result: { ...answer.result, capabilities: { ...capabilities, logging: {} } } };
  }

  #setLevel(request: JSONRPCMessage, exchange: Exchange): void {
    const { level } = (request as { params?: { level?: unknown } }).params ?? {};
    if (isSeverity(level)) {
      this.#level = level;
      exchange.answer({ result: {} });
    } else exchange.answer({ error: { code: -32_602, message: 'There is no such level.' } });
  }

  /** The least severe level that the client may be sent now, as its place in {@link SEVERITIES}. */
  #wanted(): number | undefined {
    const { session, requests } = this.#client?.audience() ?? {};
    if (session?.initialized !== undefined) {
      if (this.#announced) return SEVERITIES.indexOf(this.#level);
      return session.logs ? Math.max(0, SEVERITIES.indexOf(levelSet(session.level) as Severity)) : undefined;
    }
    const asked = (requests ?? []).map(levelAsked).filter((level) => level !== undefined);
    return asked.length === 0 ? undefined : Math.min(...asked);
  }

  #show({ level, text }: LogRecord, wanted: number): void {
    if (SEVERITIES.indexOf(LEVEL_OF[level]) < wanted) return;
    if (this.#lagging || !this.#hasRoom()) {
      this.#leftOut++;
      return;
    }
    if (this.#leftOut > 0) {
      const severe = SEVERITIES[Math.max(wanted, SEVERITIES.indexOf('warning'))]!;
      this.#send(severe, `${this.#leftOut} log lines were left out here.`);
    }
    this.#leftOut = 0;
    this.#send(LEVEL_OF[level], stripVTControlCharacters(text));
  }

  #send(level: Severity, data: string): void {
    this.#left--;
    const params = { level, logger: LOGGER, data };
    const lag = this.#client?.deliver(
      Envelope.of({ jsonrpc: '2.0', method: 'notifications/message', params }),
    );
    if (lag === undefined) return;
    this.#lagging = true;
    void lag.then(() => (this.#lagging = false));
  }

  /** Fills a bucket of so many lines at an even pace. */
  #hasRoom(): boolean {
    const now = this.#now();
    this.#left = Math.min(BURST, this.#left + ((now - this.#filledAt) / 1000) * PER_SECOND);
    this.#filledAt = now;
    return this.#left >= 1;
  }
}

function levelSet(request: Envelope | undefined): unknown {
  return (request?.parsed as { params?: { level?: unknown } } | undefined)?.params?.level;
}

/** A search of the bytes is cheaper than a parse, and few requests hold the key. */
function levelAsked(request: Envelope): number | undefined {
  if (!request.bytes.includes(LOG_LEVEL_KEY)) return undefined;
  const { params } = (request.parsed ?? {}) as { params?: { _meta?: Record<string, unknown> } };
  const level = params?._meta?.[LOG_LEVEL_KEY];
  return isSeverity(level) ? SEVERITIES.indexOf(level) : undefined;
}
