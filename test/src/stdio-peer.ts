import { fileURLToPath } from 'node:url';
import { commandEndpoint, type Endpoint } from '@mcp-connect/core';
import type { PeerHandler, Served } from './peer.js';
import { serveLines, type LineHandler, type ServedLines } from './tcp-peer.js';

const RELAY = fileURLToPath(new URL('relay.js', import.meta.url));

/**
 * Serves lines to local programs: each start of the endpoint's command is one more connection of this peer.
 *
 * @param greeting what every program writes before anything else, as it is
 */
export async function servePrograms(handler: LineHandler, greeting = ''): Promise<ServedLines> {
  const served = await serveLines(handler, greeting);
  return Object.defineProperties(
    { ...served, endpoint: relayEndpoint(served.port) },
    { connections: { get: () => served.connections } },
  );
}

/** Serves a handler behind a local program. */
export function serveStdio(handler: PeerHandler): Promise<Required<Served>> {
  return servePrograms((text, { say }) => handler(text, say));
}

function relayEndpoint(port: number): Endpoint {
  return commandEndpoint([process.execPath, RELAY, String(port)]);
}
