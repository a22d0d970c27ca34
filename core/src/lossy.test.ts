import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { writeLossy } from './lossy.js';

describe('text that may get lost', () => {
  it('does not fill memory where nobody reads it, and goes on once somebody does', () => {
    const stream = new PassThrough();
    const text = 'x'.repeat(100_000);
    for (let i = 0; i < 100; i++) writeLossy(stream, text);
    expect(stream.writableLength).to.be.below(2_000_000);
    while (stream.read() !== null);
    writeLossy(stream, 'read on');
    expect(String(stream.read())).to.equal('read on');
  });
});
