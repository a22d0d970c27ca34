import { runServerScenarios } from '../harness.js';
import type { Outcome } from './differences.js';
import { serveFront } from './front.js';
import { eraOf, type Pair, type Revision } from './pair.js';
import { serveOverHttp, startServer } from './servers.js';

/** Runs all scenarios of a revision against the server itself. */
export async function playDirectly(revision: Revision): Promise<Outcome> {
  const server = await serveOverHttp(eraOf(revision));
  try {
    return await runServerScenarios(server.url, revision);
  } finally {
    await server.close();
  }
}

/** Runs all scenarios of a revision against mcp-connect, with the server behind it. */
export async function playThrough(pair: Pair): Promise<Outcome> {
  const server = await startServer(pair.server, pair.wire);
  const front = await serveFront(pair, server.args);
  try {
    return await runServerScenarios(front.url, pair.revision);
  } finally {
    await front.close();
    await server.close();
  }
}
