import assert from 'node:assert/strict';
import { parseEndpoint } from '@mcp-connect/core';
import { serveTcp, testTransport, transportOf, type PeerHandler, type Served } from '@mcp-connect/testing';
import { addressOf } from './address.js';
import plugin from './index.js';

const kind = transportOf(plugin, 'x-scheme', {});

/** Starts a server of this wire. */
async function serve(handler: PeerHandler): Promise<Served> {
  const served = await serveTcp(handler);
  return { ...served, endpoint: parseEndpoint(`x-scheme://${served.endpoint.address}`) };
}

describe('x-plugin-name keeps the contract of a transport', () => {
  testTransport(it, { kind, serve });
});

describe('x-plugin-name', () => {
  it('reads an address with its scheme, and one whose transport is named beside it', () => {
    const address = { host: '::1', port: 9090 };
    assert.deepEqual(addressOf(parseEndpoint('x-scheme://[::1]:9090')), address);
    assert.deepEqual(addressOf(parseEndpoint('[::1]:9090', 'x-scheme')), address);
  });

  for (const address of ['localhost', 'localhost:0', 'localhost:70000', 'localhost:9090/path']) {
    it(`refuses ${address} before anything is opened`, () => {
      const endpoint = parseEndpoint(address, 'x-scheme');
      assert.throws(() => kind.validate?.(endpoint), { code: 'MCPC_USAGE' });
    });
  }
});
