import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { START, type Figure } from './figures.js';
import { initialize } from './load.js';
import type { Results } from './report.js';
import { bridgeEnvironment, type Session } from './session.js';
import type { Subject } from './subjects.js';

/** What to measure, and where the numbers go. */
export interface Plan {
  readonly subjects: readonly Subject[];
  readonly figures: readonly Figure[];
  readonly rounds: number;
  readonly results: Results;
  readonly progress: NodeJS.WriteStream;
}

/** A subject that failed a figure this often is not asked again. */
const MOST_FAILURES = 2;

/**
 * Measures every figure of every subject once a round. The subjects take turns figure by figure, in another order
 * each round, so that what else happens on the machine meets all of them alike.
 */
export async function measure(plan: Plan): Promise<void> {
  const { subjects, rounds, progress } = plan;
  await withServer(async (open) => {
    // What is read from the disk for the first time is no property of a bridge.
    for (const subject of subjects) await warm(open(subject));
    for (let round = 0; round < rounds; round++) {
      if (progress.isTTY) progress.write(`\rround ${round + 1} of ${rounds} `);
      const first = round % subjects.length;
      const order = [...subjects.slice(first), ...subjects.slice(0, first)];
      await new Round(plan, round, open).run(order);
    }
    if (progress.isTTY) progress.write('\r\u001b[K');
  });
}

/** Runs the server of the bench for as long as `work` takes. */
export async function withServer(
  work: (open: (subject: Subject) => Session) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-connect-bench-'));
  const server = await startServer();
  const env = bridgeEnvironment(folder);
  try {
    await work((subject) => subject.open(server.url, env));
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function warm(session: Session): Promise<void> {
  // A subject that cannot start says so in the rounds.
  await initialize(session).catch(() => undefined);
  await session.stop();
}

class Round {
  readonly #plan: Plan;
  readonly #round: number;
  readonly #open: (subject: Subject) => Session;
  readonly #sessions = new Map<Subject, Session>();

  constructor(plan: Plan, round: number, open: (subject: Subject) => Session) {
    this.#plan = plan;
    this.#round = round;
    this.#open = open;
  }

  async run(order: readonly Subject[]): Promise<void> {
    const { figures } = this.#plan;
    for (const subject of order) await this.#start(subject);
    for (const figure of figures) {
      for (const subject of order) await this.#measure(figure, subject);
    }
    await Promise.all(Array.from(this.#sessions.values(), (session) => session.stop()));
  }

  /** Opens a session and takes the time until `initialize` is answered. */
  async #start(subject: Subject): Promise<void> {
    const { results } = this.#plan;
    if (results.failures(START.id, subject.name) >= MOST_FAILURES) return;
    const startedAt = performance.now();
    const session = this.#open(subject);
    try {
      await initialize(session);
      const ms = session.pid === undefined ? undefined : performance.now() - startedAt;
      results.add(START.id, subject.name, this.#round, ms);
      this.#sessions.set(subject, session);
    } catch (error) {
      results.fail(START.id, subject.name, error);
      await session.stop();
    }
  }

  async #measure(figure: Figure, subject: Subject): Promise<void> {
    const { results } = this.#plan;
    const session = this.#sessions.get(subject);
    if (session === undefined || results.failures(figure.id, subject.name) >= MOST_FAILURES) return;
    try {
      const values = await figure.measure(session);
      figure.metrics.forEach(({ id }, index) => results.add(id, subject.name, this.#round, values[index]));
    } catch (error) {
      results.fail(figure.id, subject.name, error);
      await session.stop();
      await this.#replace(subject);
    }
  }

  /** Opens another session in place of one that may be stuck. */
  async #replace(subject: Subject): Promise<void> {
    const session = this.#open(subject);
    this.#sessions.set(subject, session);
    // If this one fails too, the next figure says so.
    await initialize(session).catch(() => undefined);
  }
}

/** Starts the server of the bench in a process of its own. */
async function startServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const program = fileURLToPath(new URL('../../bench/server.mjs', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: `http://127.0.0.1:${port.toString().trim()}/mcp`,
    async stop() {
      child.stdin.end();
      await once(child, 'close');
    },
  };
}
