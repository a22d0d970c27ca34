import type { Connector, Endpoint, Log } from '@mcp-connect/core';
import type { ForwardProxy } from '../network/forward.js';
import { adviceOn, called, wordsOfResult, type ToolCall } from './call.js';
import { treatmentBy, wordsOfTreatment, type Treatment } from './clients.js';
import type { Conversation, Greeting } from './conversation.js';
import { isRefusal, type Failure } from './failure.js';
import { inventory, type Inventory } from './inventory.js';
import { nextCommand } from './next.js';
import { addressOf, reach, reachProxy, speaksTls, type Address } from './reach.js';
import { SignInWatch } from './sign-in.js';
import { Steps, type Step } from './steps.js';
import type { TypedLine } from './typed.js';
import { WireWatch } from './wire-watch.js';

/** What is checked, and how thoroughly. */
export interface CheckOptions {
  /** Leads to the one endpoint to check; not started yet. */
  readonly connector: Connector;
  readonly log: Log;
  /** Who asks, as servers are told. */
  readonly clientInfo: { readonly name: string; readonly version: string };
  /** `greeting` ends when it is known who answers; `everything` also asks what the server offers. */
  readonly depth: 'greeting' | 'everything';
  readonly call?: ToolCall;
  /** Finds the proxy by way of which an address is reached, if any: a direct connection would prove nothing. */
  readonly proxyFor?: (url: URL) => ForwardProxy | undefined;
  /** What was typed, for the command to type next. */
  readonly line: TypedLine;
  /** Is told the name of each step as it is taken. */
  readonly onstep?: (name: string) => void;
}

/** What a check found. */
export interface CheckReport extends Partial<Greeting>, Partial<Inventory> {
  readonly ok: boolean;
  /** The endpoint without its secrets. */
  readonly endpoint: string;
  readonly transport: string;
  readonly steps: readonly Step[];
  /** What becomes of the messages of clients of each revision. */
  readonly clients?: Treatment;
  /** The result of the tool that was to be called. */
  readonly call?: Readonly<Record<string, unknown>>;
  /** How far our clock is ahead of the server's, in milliseconds; over HTTP only. */
  readonly clockAhead?: number;
  readonly error?: Failure;
  /** The command to type next. */
  readonly next?: string;
}

/** Failures of `initialize` after which the server may still speak the modern era. */
const TRY_MODERN = new Set<Failure['code']>(['MCPC_HTTP_STATUS', 'MCPC_BAD_RESPONSE']);

/**
 * Connects to an endpoint as a client does, and tells step by step how it went. A failure is part of the report.
 *
 * @throws ConnectorError `MCPC_USAGE` when the endpoint cannot be right
 */
export async function check(options: CheckOptions): Promise<CheckReport> {
  const { connector, log } = options;
  const endpoint = connector.endpoints[0]!;
  const watch = new WireWatch(endpoint);
  try {
    return await new Check(options, watch, new Steps(log.redact, options.onstep)).run(endpoint);
  } finally {
    watch.close();
  }
}

/** Failures of `initialize` behind which there may be a server that expects TLS. */
const NO_MESSAGES = new Set<Failure['code']>([
  'MCPC_HTTP_STATUS',
  'MCPC_BAD_RESPONSE',
  'MCPC_CONNECTION_LOST',
  'MCPC_NO_ANSWER',
  'MCPC_TIMEOUT',
]);

class Check {
  readonly #options: CheckOptions;
  readonly #watch: WireWatch;
  readonly #steps: Steps;
  readonly #signIn: SignInWatch;
  /** Whether the server speaks TLS where the endpoint asks for none. */
  #speaksTls = false;
  /** What to type for a call that failed. */
  #flags: readonly string[] | undefined;

  constructor(options: CheckOptions, watch: WireWatch, steps: Steps) {
    this.#options = options;
    this.#watch = watch;
    this.#steps = steps;
    this.#signIn = new SignInWatch(watch);
    options.connector.use(this.#signIn.plugin()).start();
  }

  async run(endpoint: Endpoint): Promise<CheckReport> {
    const { depth, connector, line, log } = this.#options;
    const steps = this.#steps;
    await this.#reach(endpoint);
    const conversation = steps.failed === undefined ? await this.#greet(endpoint) : undefined;
    const found = conversation === undefined || depth === 'greeting' ? {} : await this.#explore(conversation);
    await conversation?.close();
    const { failed } = steps;
    return {
      ok: failed === undefined,
      endpoint: endpoint.label,
      transport: endpoint.scheme,
      ...conversation?.greeting,
      ...(conversation && { clients: treatmentBy(conversation.greeting.revisions) }),
      ...found,
      steps: steps.all,
      ...(this.#watch.date && { clockAhead: this.#watch.date.here - this.#watch.date.there }),
      ...(failed?.error && {
        error: failed.error,
        next: log.redact(
          nextCommand({
            endpoint,
            failure: failed.error,
            line,
            oauth: this.#signIn.offersOauth,
            timeout: connector.settings.timeout / 1000,
            speaksTls: this.#speaksTls,
            redirect: this.#watch.redirect,
            call: this.#flags,
          }),
        ),
      }),
    };
  }

  async #reach(endpoint: Endpoint): Promise<void> {
    const address = addressOf(endpoint);
    const { settings } = this.#options.connector;
    if (address === undefined) return;
    const { url } = endpoint;
    const proxy = url && this.#options.proxyFor?.(url);
    if (url !== undefined && proxy !== undefined) return reachProxy(this.#steps, { url, proxy }, settings);
    // Whoever makes the agents may bring the authorities of the system along, which hold for all of this process.
    if (url?.protocol === 'https:') await settings.makeAgent?.(url, {});
    return reach(this.#steps, address, settings);
  }

  // ── Who answers ──────────────────────────────────────────────────────────────────────────────────────────────

  async #greet(endpoint: Endpoint): Promise<Conversation | undefined> {
    const steps = this.#steps;
    const { greetLegacy } = await import('./legacy.js');
    const spoken = { ...this.#options, watch: this.#watch };
    const legacy = await steps.take('initialize', () => greetLegacy(spoken), wordsOfGreeting);
    if (legacy !== undefined) {
      const modern = endpoint.scheme === 'http' ? await this.#alsoModern() : [];
      return this.#met({ ...legacy, greeting: joined(legacy.greeting, modern) });
    }
    const { error } = steps.failed!;
    if (error !== undefined && (isRefusal(error) || TRY_MODERN.has(error.code))) {
      const modern = await this.#insteadModern(error);
      if (modern !== undefined) return this.#met(modern);
    }
    if (error !== undefined && NO_MESSAGES.has(error.code)) await this.#explain(endpoint, error);
    if (this.#signIn.challenge !== undefined) {
      const { tried, words } = this.#signIn;
      steps.note('sign-in', tried ? `refused: ${words}` : words, 'skipped');
    }
    return undefined;
  }

  /** Looks for what may be behind a server that hangs up or says something that is no message. */
  async #explain(endpoint: Endpoint, { code }: Failure): Promise<void> {
    const address = addressOf(endpoint);
    if (address === undefined) return;
    this.#speaksTls = await this.#expectsTls(endpoint, address);
    const [plain, secure] = endpoint.scheme === 'tcp' ? ['tcp', 'tls'] : ['http', 'https'];
    if (this.#speaksTls)
      this.#steps.advise(`The server speaks TLS there: write ${secure}:// in place of ${plain}://`);
    else if (code === 'MCPC_CONNECTION_LOST')
      this.#steps.advise('The log of the server may tell why; --debug shows what is done here');
  }

  async #expectsTls({ url }: Endpoint, address: Address): Promise<boolean> {
    const isProxied = url !== undefined && this.#options.proxyFor?.(url) !== undefined;
    if (address.withoutTls !== undefined || isProxied) return false;
    return speaksTls(address, this.#options.connector.settings);
  }

  #met(conversation: Conversation): Conversation {
    const { era, revisions } = conversation.greeting;
    this.#steps.note('sign-in', this.#signIn.words);
    this.#steps.note('era', `${era}, ${revisions.join(', ')}`);
    this.#steps.note('clients', wordsOfTreatment(treatmentBy(revisions)));
    this.#steps.note('capabilities', Object.keys(conversation.greeting.capabilities).join(', ') || 'none');
    return conversation;
  }

  /** A server that refuses `initialize` may be of 2026-07-28 alone: then that is no failure. */
  async #insteadModern(refusal: Failure): Promise<Conversation | undefined> {
    const { greetModern } = await import('./modern.js');
    const tried = new Steps(this.#options.log.redact, this.#options.onstep);
    const modern = await tried.take('discover', () => greetModern(this.#options), wordsOfGreeting);
    if (modern === undefined) return undefined;
    this.#steps.forgive(`refused: ${refusal.message}`);
    this.#steps.all.push(...tried.all);
    return modern;
  }

  /** Whether a server that speaks the legacy era also speaks the modern one; one question tells. */
  async #alsoModern(): Promise<readonly string[]> {
    const { greetModern } = await import('./modern.js');
    try {
      const modern = await greetModern(this.#options);
      await modern.close();
      return modern.greeting.revisions;
    } catch {
      return [];
    }
  }

  // ── What it offers ───────────────────────────────────────────────────────────────────────────────────────────

  async #explore(conversation: Conversation): Promise<Partial<CheckReport>> {
    const steps = this.#steps;
    const { call } = this.#options;
    if (conversation.greeting.era === 'modern') steps.note('ping', 'gone since 2026-07-28', 'skipped');
    else {
      await steps.take(
        'ping',
        () => conversation.request('ping'),
        () => 'answered',
      );
    }
    const offered = await inventory(steps, conversation);
    await this.#news(conversation);
    if (call === undefined) return offered;
    const result = await steps.take(`call ${call.tool}`, () => called(conversation, call), wordsOfResult);
    if (result === undefined) await this.#advise(conversation, call);
    return { ...offered, ...(result !== undefined && { call: result }) };
  }

  /** Looks for what to type in place of a call that failed. */
  async #advise(conversation: Conversation, call: ToolCall): Promise<void> {
    const { all, failed } = this.#steps;
    const last = all.at(-1)!;
    const advice = await adviceOn(call, last.error!, conversation);
    if (advice === undefined) return;
    this.#steps.advise(advice.hint);
    // What failed before the call comes first.
    if (failed === last) this.#flags = advice.flags;
  }

  async #news(conversation: Conversation): Promise<void> {
    const tried = new Steps(this.#options.log.redact, this.#options.onstep);
    const found = await tried.take(
      'notifications',
      () => conversation.news(),
      (words) => words ?? '',
    );
    if (found !== undefined) this.#steps.all.push(...tried.all);
    else this.#steps.note('notifications', tried.failed?.text ?? 'no stream is offered', 'skipped');
  }
}

function joined(greeting: Greeting, more: readonly string[]): Greeting {
  return { ...greeting, revisions: [...new Set([...greeting.revisions, ...more])] };
}

function wordsOfGreeting({ greeting: { server } }: Conversation): string {
  return [server.name ?? 'a server without a name', server.version].filter(Boolean).join(' ');
}
