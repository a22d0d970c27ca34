import { ConnectorError, type ErrorCode } from './errors.js';
import type { Attempt, Candidate } from './contract.js';
import type { Settings } from './transport.js';

/** Which tool calls may be sent again when nobody knows whether they were carried out. */
export type RetryTools = 'never' | 'annotated' | 'all';

/** Requests that do no harm when carried out twice. Tool calls are judged one by one; all else counts as harmful. */
const SAFE_METHODS = new Set([
  'initialize',
  'server/discover',
  'ping',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'prompts/get',
  'resources/read',
  'completion/complete',
  'resources/subscribe',
  'resources/unsubscribe',
  'logging/setLevel',
  'subscriptions/listen',
  'tasks/get',
  'tasks/list',
  'tasks/result',
]);

/** Failures before a request was sent that may pass by themselves. */
const PASSING = new Set<ErrorCode>(['MCPC_CONNECT', 'MCPC_CONNECTION_LOST', 'MCPC_NO_ENDPOINT']);

/** The first wait before connecting again, in milliseconds; the jitter may halve it. */
export const CONNECT_BACKOFF = 100;
const LONGEST_WAIT = 10_000;
const LONGEST_RETRY_AFTER = 30_000;
const LONGEST_REOPENING = 30_000;

/** Retries may make up this share of all requests, so that a server in trouble is not pushed over. */
const MOST_RETRIES = 0.2;
/** So many retries are always allowed within one window. */
const FREE_RETRIES = 10;
/** Length of a window in milliseconds. */
const WINDOW = 10_000;

/** Counts requests and retries in windows of ten seconds. */
class Budget {
  #since = 0;
  #requests = 0;
  #retries = 0;

  /** Notes a request of the client. */
  count(): void {
    this.#roll();
    this.#requests++;
  }

  /** Takes one retry out of the window. Returns false when there is none left. */
  spend(): boolean {
    this.#roll();
    if (this.#retries >= Math.max(FREE_RETRIES, this.#requests * MOST_RETRIES)) return false;
    this.#retries++;
    return true;
  }

  #roll(): void {
    const now = performance.now();
    if (now - this.#since < WINDOW) return;
    this.#since = now;
    this.#requests = 0;
    this.#retries = 0;
  }
}

/** What the decision about another attempt rests on. */
export interface RetryQuestion {
  /** All attempts so far; the last one has just failed. */
  readonly attempts: readonly Attempt[];
  /** Whether carrying the request out twice does no harm. */
  readonly safe: boolean;
  /** Whether the request is a stream that is opened again for ever. */
  readonly endless?: boolean;
  /** Whether the request opens a session, and so waits for servers that come up late. */
  readonly opening?: boolean;
  /** Every endpoint that could take the request. */
  readonly candidates: readonly Candidate[];
  /** Milliseconds until connecting for this request must end. */
  readonly left: number;
}

/** When and where a request is sent again. */
export interface NextAttempt {
  /** Milliseconds to wait before. */
  readonly wait: number;
  /** Whether it goes to the same endpoint, which has been mended, and not to one that a strategy chooses. */
  readonly stay: boolean;
}

/**
 * Decides in one place whether a request is sent again. The rule is the failure contract's table: what never reached
 * a server is always sent again, what was refused is sent once more after the repair, and what may have been carried
 * out is sent again only when that does no harm.
 */
export class Retry {
  readonly #settings: Settings;
  readonly #tools: RetryTools;
  /** Tools whose listing says that a second call does no harm. */
  readonly #harmless = new Set<string>();
  readonly #budget = new Budget();

  constructor(settings: Settings, tools: RetryTools) {
    this.#settings = settings;
    this.#tools = tools;
  }

  /** Notes a request of the client: retries are kept in proportion to them. */
  count(): void {
    this.#budget.count();
  }

  /** Learns from a `tools/list` result which tools are read-only or idempotent (MCP server/tools, annotations). */
  learn(result: unknown): void {
    const tools = (result as { tools?: unknown } | undefined)?.tools;
    if (!Array.isArray(tools)) return;
    for (const tool of tools as {
      name?: unknown;
      annotations?: { readOnlyHint?: unknown; idempotentHint?: unknown };
    }[]) {
      if (typeof tool?.name !== 'string') continue;
      const harmless = tool.annotations?.readOnlyHint === true || tool.annotations?.idempotentHint === true;
      if (harmless) this.#harmless.add(tool.name);
      else this.#harmless.delete(tool.name);
    }
  }

  /** Tells whether a request may be carried out twice. `tool` is asked for only when the request is a tool call. */
  isSafe(method: string | undefined, tool: () => unknown): boolean {
    if (method !== 'tools/call') return method !== undefined && SAFE_METHODS.has(method);
    if (this.#tools !== 'annotated') return this.#tools === 'all';
    const name = tool();
    return typeof name === 'string' && this.#harmless.has(name);
  }

  /** Decides on another attempt; undefined means that there must be none. */
  next({ attempts, safe, endless, opening, candidates, left }: RetryQuestion): NextAttempt | undefined {
    const last = attempts.at(-1);
    if (last === undefined) return { wait: 0, stay: false };
    const { error } = last;
    if (error.delivered === 'unknown' && !safe) return undefined;
    // The same answer would be as large again.
    if (error.code === 'MCPC_TOO_LARGE') return undefined;
    if (endless && error.delivered !== 'rejected')
      return { wait: this.#reopening(attempts.length), stay: false };
    // All are known to be down: only who opens a session waits for servers that come up late.
    if (error.code === 'MCPC_NO_ENDPOINT' && !opening) return undefined;
    const sent = attempts.filter((attempt) => attempt.error.delivered !== 'no').length;
    if (error.delivered !== 'no' && sent >= this.#settings.retryAttempts) return undefined;
    if (isRepaired(attempts, error)) return { wait: 0, stay: true };
    const up = candidates.filter(({ state }) => state === 'up');
    const tried = new Set(attempts.map((attempt) => attempt.candidate));
    const untried = (up.length > 0 ? up : candidates).some((candidate) => !tried.has(candidate));
    // A strategy or a session may stay with one endpoint: only a chain of first tries goes on without a pause.
    if (untried && tried.size === attempts.length) return { wait: 0, stay: false };
    const wait = this.#pause(attempts, error, { sent, left });
    return wait === undefined ? undefined : { wait, stay: false };
  }

  #reopening(failures: number): number {
    return jitter(Math.min(this.#settings.retryDelay * 2 ** Math.min(failures - 1, 20), LONGEST_REOPENING));
  }

  #pause(
    attempts: readonly Attempt[],
    error: ConnectorError,
    { sent, left }: { sent: number; left: number },
  ): number | undefined {
    if (error.delivered === 'no') return this.#beforeSending(attempts, error, left);
    if (error.delivered === 'rejected' && error.code !== 'MCPC_RATE_LIMITED') return undefined;
    if (!this.#budget.spend()) return undefined;
    const wait =
      error.retryAfter ?? jitter(Math.min(this.#settings.retryDelay * 2 ** (sent - 1), LONGEST_WAIT));
    return wait <= LONGEST_RETRY_AFTER ? wait : undefined;
  }

  #beforeSending(attempts: readonly Attempt[], error: ConnectorError, left: number): number | undefined {
    if (!mayPass(attempts, error)) return undefined;
    const step = Math.min(
      CONNECT_BACKOFF * 2 ** Math.min(attempts.length - 1, 20),
      this.#settings.retryDelay,
    );
    const wait = jitter(step);
    return wait < left ? wait : undefined;
  }
}

/** What one endpoint fails with for good says nothing of another that may come up late. */
function mayPass(attempts: readonly Attempt[], error: ConnectorError): boolean {
  if (!error.lasting) return isPassing(error);
  const failures = new Map(attempts.map((attempt) => [attempt.candidate, attempt.error]));
  return [...failures.values()].some((failure) => !failure.lasting && isPassing(failure));
}

/** Whatever becomes of a request of our own, as to begin the session anew, may pass too: it is harmless. */
function isPassing({ code, cause }: ConnectorError): boolean {
  return PASSING.has(code) || (cause instanceof ConnectorError && cause.delivered === 'unknown');
}

/**
 * A refusal that can be mended is, once; the same refusal a second time is the server's last word. A server may ask for
 * one thing after another, though: a sign-in, then a nonce or more rights.
 */
function isRepaired(attempts: readonly Attempt[], { code, challenge }: ConnectorError): boolean {
  if (code !== 'MCPC_UNAUTHORIZED' && code !== 'MCPC_SESSION_LOST') return false;
  const [, ...before] = attempts
    .map(({ error }) => error)
    .filter((error) => error.code === code)
    .reverse();
  const asked = challenge?.wwwAuthenticate;
  if (asked === undefined) return before.length === 0;
  return before.every((error) => error.challenge?.wwwAuthenticate !== asked);
}

function jitter(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random() / 2);
}
