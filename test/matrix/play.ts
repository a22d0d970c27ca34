import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKS, type Check } from './checks.js';
import { connectClient, type MatrixClient } from './clients.js';
import type { Pair } from './pair.js';
import { startServer } from './servers.js';

/** How a check went for a pair. */
export interface Cell {
  readonly check: Check;
  /** Why the pair cannot do it at all. */
  readonly reason: string | undefined;
  /** What was wrong. */
  readonly fault: string | undefined;
}

/** How long one check may take, in milliseconds. */
const PATIENCE = 20_000;

/** Joins a pair by a mcp-connect of its own, and goes through all checks. */
export async function playPair(pair: Pair): Promise<Cell[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-connect-'));
  const peer = await startServer(pair);
  let client: MatrixClient | undefined;
  try {
    client = await connectClient(pair.client, peer.args, { MCP_CONNECT_STATE_DIR: folder });
    const cells: Cell[] = [];
    for (const check of CHECKS) {
      const reason = check.cannot(pair);
      const fault = reason === undefined ? await faultOf(check.run(client)) : undefined;
      cells.push({ check, reason, fault });
    }
    return cells;
  } catch (error) {
    return CHECKS.map((check) => ({ check, reason: undefined, fault: `no connection: ${textOf(error)}` }));
  } finally {
    await client?.close();
    await peer.close();
    await rm(folder, { recursive: true });
  }
}

/** Plays pairs, so many at a time, and hands each over in its turn. */
export async function* playAll(
  pairs: readonly Pair[],
  lanes: number,
): AsyncGenerator<{ pair: Pair; cells: readonly Cell[] }> {
  const playing: { pair: Pair; cells: Promise<Cell[]> }[] = [];
  const waiting = [...pairs];
  const start = (): void => {
    const pair = waiting.shift();
    if (pair !== undefined) playing.push({ pair, cells: playPair(pair) });
  };
  for (let lane = 0; lane < lanes; lane++) start();
  for (let next = playing.shift(); next !== undefined; next = playing.shift()) {
    yield { pair: next.pair, cells: await next.cells };
    start();
  }
}

async function faultOf(run: Promise<void>): Promise<string | undefined> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    limit = setTimeout(resolve, PATIENCE, `nothing within ${PATIENCE / 1_000} s`);
  });
  try {
    return await Promise.race([run.then(() => undefined, textOf), late]);
  } finally {
    clearTimeout(limit);
  }
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}
