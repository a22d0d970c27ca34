import { parseEndpoint } from '@mcp-connect/core';
import { serveTcp, testTransport, transportOf, type PeerHandler, type Served } from '@mcp-connect/testing';
import plugin from './index.js';

/** Starts a server of this wire. */
async function serve(handler: PeerHandler): Promise<Served> {
  const served = await serveTcp(handler);
  return { ...served, endpoint: parseEndpoint(`x-scheme://${served.endpoint.address}`) };
}

describe('x-plugin-name keeps the contract of a transport', () => {
  testTransport(it, { kind: transportOf(plugin, 'x-scheme', {}), serve });
});
