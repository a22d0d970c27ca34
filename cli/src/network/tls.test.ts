import { createLog } from '@mcp-connect/core';
import { expect } from 'chai';
import { trustSystem } from './tls.js';

describe('the authorities of the system', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'warn', write: ({ text }) => lines.push(text) });
  const read = (kind: 'default' | 'system'): string[] => (kind === 'default' ? ['a', 'b'] : ['b', 'c']);

  it('are trusted beside those of Node.js', () => {
    let trusted: readonly string[] = [];
    trustSystem({ getCACertificates: read, setDefaultCACertificates: (all) => (trusted = all) }, log);
    expect(trusted).to.deep.equal(['a', 'b', 'c']);
  });

  it('are left alone where Node.js does not offer them', () => {
    trustSystem({}, log);
    trustSystem({ getCACertificates: read }, log);
    expect(lines).to.deep.equal([]);
  });

  it('do no harm when they cannot be read', () => {
    const getCACertificates = (): string[] => {
      throw new Error('no keychain');
    };
    trustSystem({ getCACertificates, setDefaultCACertificates: () => undefined }, log);
    expect(lines).to.have.length(1);
  });
});
