import { setTimeout as pause } from 'node:timers/promises';
import {
  Connector,
  createLog,
  Envelope,
  type JSONRPCMessage,
  type LegStatus,
  type Pipeline,
} from '@mcp-connect/core';
import roundRobin from '@mcp-connect/strategy-round-robin';
import {
  hang,
  reply,
  replySse,
  scriptedHttp,
  type PeerMessage,
  type ScriptedServer,
} from '@mcp-connect/testing';
import http from '@mcp-connect/transport-http';
import { seeded } from './random.js';

/** What a storm is made of. */
export interface StormOptions {
  readonly backends: number;
  /** Requests in flight together. */
  readonly concurrency: number;
  /** How many requests in all. */
  readonly requests: number;
  /** How many requests in calm weather behind that, over which the spread is measured. */
  readonly calm: number;
  readonly seed: number;
  /** Milliseconds of a first ejection. */
  readonly ejectionTime: number;
}

/** How a storm went. */
export interface StormReport {
  /** What befell the backends, by kind. */
  readonly faults: Readonly<Record<Fault, number>>;
  readonly safe: { readonly sent: number; readonly errors: readonly string[] };
  readonly tools: { readonly sent: number; readonly results: number; readonly unknown: number };
  /** Tool calls that were carried out more than once. */
  readonly twice: number;
  /** Tool calls that were answered with a result and not carried out. */
  readonly invented: number;
  /** Requests that were answered more than once. */
  readonly answeredTwice: number;
  /** Requests that each backend answered in calm weather. */
  readonly spread: readonly number[];
  readonly status: readonly LegStatus[];
}

type Fault = (typeof FAULTS)[number];

const FAULTS = ['kill', 'reset', 'hang', 'slow'] as const;

/** Requests without side effects, as clients send them. */
const SAFE = ['resources/read', 'prompts/get', 'tools/list', 'completion/complete', 'ping'] as const;

/** Share of requests that are tool calls with side effects. */
const TOOLS = 0.1;

/**
 * Answers from one fault to the next, and how many pass while one lasts, as shares of the requests in flight; each is a
 * random half to whole of it. Time would make it another storm on every machine.
 */
const BETWEEN = 2;
const LASTING = 1;
/** Milliseconds after which it goes on though no answer comes. */
const PATIENCE = 2_000;

/** One backend with a session of its own for each client, which can be made to misbehave. */
class Backend {
  readonly server: ScriptedServer;
  state: 'well' | 'hung' | 'slow' = 'well';
  /** True while something is wrong with it. */
  troubled = false;

  private constructor(server: ScriptedServer) {
    this.server = server;
  }

  /** @param onexecuted learns of each tool call that is carried out */
  static async start(onexecuted: (key: unknown) => void): Promise<Backend> {
    const server = await scriptedHttp((request) => backend.#outcome(request, onexecuted), { sessions: true });
    const backend = new Backend(server);
    return backend;
  }

  /** @param end settles when the fault has lasted long enough */
  async suffer(fault: Fault, end: () => Promise<void>): Promise<void> {
    this.troubled = true;
    if (fault === 'kill') {
      await this.server.stop();
      await end();
      await this.server.start();
    } else if (fault === 'reset') {
      this.server.cut();
    } else {
      this.state = fault === 'hang' ? 'hung' : 'slow';
      await end();
      this.state = 'well';
      // What hangs is ended from outside sooner or later.
      if (fault === 'hang') this.server.cut();
    }
    this.troubled = false;
  }

  #outcome({ method, params }: PeerMessage, onexecuted: (key: unknown) => void) {
    if (method === 'tools/call') onexecuted(params?.['key']);
    if (this.state === 'hung') return hang();
    if (method === 'initialize') return undefined;
    const result = method === 'tools/list' ? { tools: [] } : {};
    // A slow answer trickles in behind a comment of its own.
    return this.state === 'slow' ? replySse(result, { before: [NEWS], pause: 50 }) : reply(result);
  }
}

const NEWS = { method: 'notifications/message', params: { level: 'info', data: 'slow' } };

/**
 * Sends requests over several legacy backends while these are killed, reset, hung and slowed at random, one of them
 * always spared, and then some more in calm weather.
 */
export async function storm(options: StormOptions): Promise<StormReport> {
  const random = seeded(options.seed);
  const executed = new Map<unknown, number>();
  const onexecuted = (key: unknown): void => void executed.set(key, (executed.get(key) ?? 0) + 1);
  const backends: Backend[] = [];
  while (backends.length < options.backends) backends.push(await Backend.start(onexecuted));
  const faults = { kill: 0, reset: 0, hang: 0, slow: 0 };
  const crew = new Crew(backends, options.ejectionTime);
  try {
    await crew.initialize();
    let over = false;
    const some = (share: number): number => share * options.concurrency * (0.5 + random() / 2);
    const rage = async (): Promise<void> => {
      const suffering: Promise<void>[] = [];
      while (!over) {
        const spared = backends.filter(({ troubled }) => !troubled);
        const fault = FAULTS[Math.floor(random() * FAULTS.length)]!;
        if (spared.length > 1) {
          faults[fault]++;
          const backend = spared[Math.floor(random() * spared.length)]!;
          suffering.push(backend.suffer(fault, () => crew.answers(some(LASTING))));
        }
        await crew.answers(some(BETWEEN));
      }
      await Promise.all(suffering);
    };
    const raging = rage();
    await crew.send(options.requests, options.concurrency, () =>
      random() < TOOLS ? 'tools/call' : SAFE[Math.floor(random() * SAFE.length)]!,
    );
    over = true;
    crew.release();
    await raging;
    await crew.allUp();
    const before = crew.status().map(({ answered }) => answered);
    await crew.send(options.calm, options.concurrency, () => 'resources/read');
    const status = crew.status();
    const spread = status.map(({ answered }, n) => answered - before[n]!);
    const { tally } = crew;
    const times = (key: unknown): number => executed.get(key) ?? 0;
    return {
      faults,
      safe: { sent: tally.safe, errors: tally.errors },
      tools: { sent: tally.tools, results: tally.done.length, unknown: tally.unknown },
      twice: [...executed.values()].filter((count) => count > 1).length,
      invented: tally.done.filter((key) => times(key) === 0).length,
      answeredTwice: tally.answeredTwice,
      spread,
      status,
    };
  } finally {
    await crew.close();
    await Promise.all(backends.map(({ server }) => server.close()));
  }
}

/** The client's side of a storm. */
class Crew {
  readonly #pipeline: Pipeline;
  readonly #waiting = new Map<unknown, (message: PeerMessage) => void>();
  readonly tally = {
    safe: 0,
    errors: [] as string[],
    tools: 0,
    done: [] as unknown[],
    unknown: 0,
    answeredTwice: 0,
  };
  readonly #goals = new Set<{ readonly goal: number; resolve(): void }>();
  #answered = 0;
  #released = false;
  #id = 0;

  constructor(backends: readonly Backend[], ejectionTime: number) {
    const connector = new Connector({
      log: createLog({ level: 'error', write: () => undefined }),
      // A request that meets fault after fault is lost with the third one by default.
      settings: { ejectionTime, retryDelay: 100, retryAttempts: 8 },
      affinity: 'auto',
      equivalence: 'strict',
    });
    for (const { server } of backends) connector.endpoint(server.endpoint);
    connector.use(http).use(roundRobin);
    this.#pipeline = connector.connect({ deliver: ({ message }) => this.#deliver(message as PeerMessage) });
  }

  async initialize(): Promise<void> {
    const clientInfo = { name: 'storm', version: '0' };
    await this.#ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
    this.#say({ method: 'notifications/initialized' });
    await this.allUp();
  }

  /** Sends so many requests, never more than `concurrency` at once. */
  async send(count: number, concurrency: number, method: () => string): Promise<void> {
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await this.#one(method());
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  }

  /** Settles when so many more answers have come, or no more will. */
  answers(count: number): Promise<void> {
    if (this.#released) return Promise.resolve();
    const goal = this.#answered + count;
    const reached = new Promise<void>((resolve) => this.#goals.add({ goal, resolve }));
    // Where every request waits for a backend that hangs, no answer comes.
    return Promise.race([reached, pause(PATIENCE)]);
  }

  /** Lets everyone go on who waits for answers. */
  release(): void {
    for (const { resolve } of this.#goals) resolve();
    this.#released = true;
  }

  status(): LegStatus[] {
    return this.#pipeline.status();
  }

  /** Settles when all backends get requests. */
  async allUp(): Promise<void> {
    const isUp = ({ state, open, quarantined }: LegStatus): boolean =>
      state === 'up' && open && quarantined === undefined;
    while (!this.status().every(isUp)) await pause(20);
  }

  close(): Promise<void> {
    return this.#pipeline.close();
  }

  async #one(method: string): Promise<void> {
    const isTool = method === 'tools/call';
    const key = this.#id;
    const { error } = await this.#ask(method, isTool ? { name: 'act', key } : {});
    const { tally } = this;
    if (isTool) {
      tally.tools++;
      if (error === undefined) tally.done.push(key);
      else tally.unknown++;
    } else {
      tally.safe++;
      if (error !== undefined) tally.errors.push(`${method}: ${error.message} (${attemptsOf(error.data)})`);
    }
  }

  #ask(method: string, params: object): Promise<PeerMessage> {
    const id = this.#id++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#say({ id, method, params });
    });
  }

  #say(message: object): void {
    void this.#pipeline.accept(Envelope.of({ jsonrpc: '2.0', ...message } as JSONRPCMessage));
  }

  #deliver(message: PeerMessage): void {
    if (message.method !== undefined) return;
    const resolve = this.#waiting.get(message.id);
    if (resolve === undefined) this.tally.answeredTwice++;
    this.#waiting.delete(message.id);
    this.#answered++;
    for (const waiting of this.#goals) {
      if (waiting.goal > this.#answered) continue;
      this.#goals.delete(waiting);
      waiting.resolve();
    }
    resolve?.(message);
  }
}

/** Words the attempts that an error of ours tells of. */
function attemptsOf(data: unknown): string {
  const { attempts = [] } = (data ?? {}) as {
    attempts?: readonly { endpoint: string; error: string; ms: number }[];
  };
  return attempts
    .map(({ endpoint, error, ms }) => `${endpoint} ${error.split(':', 1)[0]} after ${ms} ms`)
    .join(', ');
}
