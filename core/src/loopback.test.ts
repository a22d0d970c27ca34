import { expect } from 'chai';
import { isLoopback } from './loopback.js';

describe('A host', () => {
  for (const host of [
    '127.0.0.1',
    '127.8.9.1',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
    '[::ffff:7f00:1]',
    'localhost',
    'LOCALHOST.',
    'mcp.localhost',
  ]) {
    it(`named ${host} is this machine`, () => expect(isLoopback(host)).to.equal(true));
  }

  for (const host of [
    '10.0.0.1',
    '192.168.127.1',
    '::2',
    'fe80::1',
    '[::ffff:a00:1]',
    '127.0.0.1.example.com',
    'localhost.example.com',
    'notlocalhost',
  ]) {
    it(`named ${host} is another one`, () => expect(isLoopback(host)).to.equal(false));
  }
});
