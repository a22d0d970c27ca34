import { expect } from 'chai';
import { ownNamespaces } from './debug.js';

describe('DEBUG', () => {
  for (const [given, kept] of [
    ['*', 'mcp-connect*'],
    ['mcp-connect:http', 'mcp-connect:http'],
    ['oclif*,mcp-connect:*, -mcp-connect:line', 'mcp-connect:*,-mcp-connect:line'],
    ['simple-oauth2:*', undefined],
    ['', undefined],
    [undefined, undefined],
  ] as const)
    it(`${given} means ${kept} to us`, () => expect(ownNamespaces(given)).to.equal(kept));
});
