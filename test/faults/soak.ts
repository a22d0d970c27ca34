// `npm run soak`: many calls with servers that restart at random. Memory and files must stay flat, and no call unanswered.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { scriptedHttp, scriptedTcp, type ScriptedServer } from '@mcp-connect/testing';
import { memory } from '../bench/proc.js';
import { RawClient } from './client.js';
import { seeded } from './random.js';
import { MCP_CONNECT } from './subjects.js';

const HELP = `npm run soak -- [options]

  --calls N      how many calls in all, half of them over HTTP and half over TCP (200000)
  --seed N       of the random restarts (1)
`;

/** Calls that are in flight together. */
const BATCH = 100;

/** Chance that the server restarts behind a batch. */
const RESTART = 0.05;

/** How long a batch may take, restart included, in milliseconds. */
const PATIENCE = 30_000;

/** Share of all batches after which everything is warm. */
const WARM = 0.5;

/** Growth behind the warm-up that is no leak: memory in MiB, and files. */
const SLACK = { memory: 24, files: 16 };

/** What was measured of the subject at one time. */
interface Sample {
  readonly memory: number;
  readonly files: number;
}

/** How a soak over one wire went. */
interface Outcome {
  readonly wire: string;
  readonly calls: number;
  readonly restarts: number;
  /** Calls that were answered with an error, since their server went away under them. */
  readonly errors: number;
  readonly warm: Sample;
  readonly last: Sample;
  readonly fault: string | undefined;
}

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) process.stdout.write(HELP);
else await soakAll();

async function soakAll(): Promise<void> {
  const calls = Number(options.calls) / 2;
  const outcomes = [
    await soak('http', await scriptedHttp(() => undefined, { sessions: true }), calls),
    await soak('tcp', await scriptedTcp(() => undefined), calls),
  ];
  process.stdout.write('wire    calls  restarts  errors  MiB warm → end  files warm → end\n');
  for (const outcome of outcomes) {
    process.stdout.write(lineOf(outcome));
    if (outcome.fault !== undefined) process.exitCode = 1;
  }
}

/** Sends batch after batch, and takes the measure of the subject at a quarter of the way and at the end. */
async function soak(wire: string, server: ScriptedServer, calls: number): Promise<Outcome> {
  const random = seeded(Number(options.seed));
  const folder = mkdtempSync(join(tmpdir(), 'mcp-connect-soak-'));
  const start = { endpoint: server.endpoint, flags: [], credentials: false, folder };
  const client = new RawClient(MCP_CONNECT.command(start));
  const batches = Math.ceil(calls / BATCH);
  const warmUp = Math.floor(batches * WARM);
  let warm: Sample = { memory: 0, files: 0 };
  let restarts = 0;
  let errors = 0;
  try {
    await begin(client);
    for (let batch = 0; batch < batches; batch++) {
      const ids = Array.from({ length: BATCH }, (_, n) => batch * BATCH + n);
      for (const id of ids) {
        client.send({ id, method: 'tools/call', params: { name: 'act', arguments: { id } } });
      }
      if (random() < RESTART) {
        restarts++;
        await server.stop();
        await server.start();
      }
      for (const id of ids) {
        const { error } = await client.answer(id, PATIENCE);
        if (error !== undefined) errors++;
      }
      if (batch === warmUp) warm = sample(client.pid);
    }
    const last = sample(client.pid);
    const fault = client.fault ?? growth(warm, last);
    return { wire, calls: batches * BATCH, restarts, errors, warm, last, fault };
  } finally {
    client.end();
    await client.exit;
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function begin(client: RawClient): Promise<void> {
  const clientInfo = { name: 'soak', version: '0' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  client.send({ id: 'init', method: 'initialize', params });
  await client.answer('init', PATIENCE);
  client.send({ method: 'notifications/initialized' });
}

function sample(pid: number): Sample {
  return { memory: memory(pid, 'VmRSS') ?? 0, files: readdirSync(`/proc/${pid}/fd`).length };
}

function growth(warm: Sample, last: Sample): string | undefined {
  if (last.memory - warm.memory > SLACK.memory) return 'memory grows';
  return last.files - warm.files > SLACK.files ? 'open files grow' : undefined;
}

function lineOf({ wire, calls, restarts, errors, warm, last, fault }: Outcome): string {
  const cells = [
    wire.padEnd(4),
    String(calls).padStart(8),
    String(restarts).padStart(9),
    String(errors).padStart(7),
    `${Math.round(warm.memory)} → ${Math.round(last.memory)}`.padStart(15),
    `${warm.files} → ${last.files}`.padStart(17),
    fault ?? 'passed',
  ];
  return `${cells.join(' ')}\n`;
}
