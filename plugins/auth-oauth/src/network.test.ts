import { expect } from 'chai';
import { isLoopback, limitsFor, reachOf, type Reach } from './network.js';

describe('The network', () => {
  const addresses: Record<Reach, string[]> = {
    loopback: ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1'],
    private: [
      '10.1.2.3',
      '172.31.0.1',
      '192.168.0.1',
      '100.64.0.1',
      '0.0.0.0',
      '::',
      'fc00::1',
      'fd12::1',
      '::ffff:10.0.0.1',
    ],
    'link-local': ['169.254.169.254', 'fe80::1'],
    public: ['93.184.215.14', '172.32.0.1', '2606:2800:21f:cb07::1'],
  };
  for (const [reach, all] of Object.entries(addresses)) {
    for (const address of all) {
      it(`tells that ${address} is ${reach}`, () => expect(reachOf(address)).to.equal(reach));
    }
  }

  const names: [url: string, loopback: boolean][] = [
    ['http://localhost:1', true],
    ['http://app.localhost', true],
    ['http://127.0.0.1', true],
    ['http://[::1]:80', true],
    ['http://2130706433', true],
    ['http://localhost.example.com', false],
    ['http://127.0.0.1.example.com', false],
    ['http://10.0.0.1', false],
  ];
  for (const [url, loopback] of names) {
    it(`takes ${url} ${loopback ? '' : 'not '}for this machine`, () => {
      expect(isLoopback(new URL(url))).to.equal(loopback);
    });
  }

  const limits: [endpoint: string, allowed: Reach[]][] = [
    ['https://93.184.215.14/mcp', ['public']],
    ['http://127.0.0.1/mcp', ['loopback', 'private', 'public']],
    ['https://10.0.0.1/mcp', ['loopback', 'private', 'public']],
    ['https://169.254.1.1/mcp', ['loopback', 'private', 'link-local', 'public']],
  ];
  for (const [endpoint, allowed] of limits) {
    it(`lets ${endpoint} lead to ${allowed.join(', ')} and nowhere else`, async () => {
      const { allows } = await limitsFor(new URL(endpoint));
      const all: Reach[] = ['loopback', 'private', 'link-local', 'public'];
      expect(all.filter(allows)).to.deep.equal(allowed);
    });
  }
});
