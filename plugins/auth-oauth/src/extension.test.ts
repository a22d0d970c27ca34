import type { JSONRPCMessage } from '@mcp-connect/core';
import { expect } from 'chai';
import { declare, extensionOf } from './extension.js';

const MINE = 'io.modelcontextprotocol/oauth-client-credentials';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

function request(method: string, params?: object): JSONRPCMessage {
  return { jsonrpc: '2.0', id: 1, method, ...(params !== undefined && { params }) } as JSONRPCMessage;
}

describe('The extension of a grant', () => {
  it('is known for the grants that are one', () => {
    expect(extensionOf('client-credentials')).to.equal(MINE);
    expect(extensionOf('enterprise')).to.equal('io.modelcontextprotocol/enterprise-managed-authorization');
    expect(extensionOf('authorization-code')).to.equal(undefined);
  });

  it('is declared in initialize beside those of the client', () => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: { roots: {}, extensions: { 'a/b': { c: 1 } } },
    };
    expect(declare(request('initialize', params), MINE)).to.deep.equal(
      request('initialize', {
        protocolVersion: '2025-11-25',
        capabilities: { roots: {}, extensions: { 'a/b': { c: 1 }, [MINE]: {} } },
      }),
    );
  });

  it('is declared in every modern request', () => {
    const before = request('tools/call', { name: 'x', _meta: { progressToken: 1, [CAPABILITIES]: {} } });
    expect(declare(before, MINE)).to.deep.equal(
      request('tools/call', {
        name: 'x',
        _meta: { progressToken: 1, [CAPABILITIES]: { extensions: { [MINE]: {} } } },
      }),
    );
  });

  it('leaves all other messages alone', () => {
    expect(declare(request('ping'), MINE)).to.equal(undefined);
    expect(declare(request('tools/call', { name: 'x', _meta: {} }), MINE)).to.equal(undefined);
    expect(declare({ jsonrpc: '2.0', id: 1, result: {} }, MINE)).to.equal(undefined);
  });
});
