import { parseEndpoint } from '@mcp-connect/core';
import { expect } from 'chai';
import { addressOf } from './address.js';

describe('the address of a socket', () => {
  const good: [text: string, transport: string | undefined, address: object][] = [
    ['tcp://example.com:9090', undefined, { host: 'example.com', port: 9090 }],
    ['tls://example.com:443/', undefined, { host: 'example.com', port: 443 }],
    ['tcp://[::1]:1', undefined, { host: '::1', port: 1 }],
    ['localhost:9090', 'tcp', { host: 'localhost', port: 9090 }],
    ['[fe80::1%eth0]:65535', 'tls', { host: 'fe80::1%eth0', port: 65_535 }],
    ['unix:/run/x.sock', undefined, { path: '/run/x.sock' }],
    ['unix:///run/x.sock', undefined, { path: '/run/x.sock' }],
    ['unix:run/x.sock', undefined, { path: 'run/x.sock' }],
    ['\\\\.\\pipe\\x', undefined, { path: '\\\\.\\pipe\\x' }],
    ['unix:\\\\.\\pipe\\x', undefined, { path: '\\\\.\\pipe\\x' }],
  ];
  for (const [text, transport, address] of good) {
    it(`is read from ${text}${transport ? ` with --transport ${transport}` : ''}`, () => {
      expect(addressOf(parseEndpoint(text, transport))).to.deep.equal(address);
    });
  }

  const bad: [text: string, transport?: string][] = [
    ['tcp://example.com'],
    ['tcp://example.com:0'],
    ['tcp://example.com:9090/mcp'],
    ['tcp://example.com:9090?x=1'],
    ['tcp://me@example.com:9090'],
    ['localhost', 'tcp'],
    ['localhost:65536', 'tcp'],
    ['localhost:http', 'tcp'],
    ['::1:9090', 'tcp'],
    ['unix://run/x.sock'],
  ];
  for (const [text, transport] of bad) {
    it(`is refused in ${text}${transport ? ` with --transport ${transport}` : ''}`, () => {
      expect(() => addressOf(parseEndpoint(text, transport)))
        .to.throw()
        .that.includes({ code: 'MCPC_USAGE' });
    });
  }
});
