import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { styleFor } from '../check/run-test.js';
import { isWatched } from './progress.js';

const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
const file = new PassThrough();

describe('progress', () => {
  it('is for a person at a terminal alone', () => {
    expect(isWatched({ stderr: terminal, env: { TERM: 'xterm' }, json: false })).to.equal(true);
    expect(isWatched({ stderr: terminal, env: { TERM: 'xterm' }, json: true })).to.equal(false);
    expect(isWatched({ stderr: terminal, env: { TERM: 'dumb' }, json: false })).to.equal(false);
    expect(isWatched({ stderr: terminal, env: { CI: 'true' }, json: false })).to.equal(false);
    expect(isWatched({ stderr: file, env: {}, json: false })).to.equal(false);
  });
});

describe('colour', () => {
  for (const [what, out, env, colour] of [
    ['at a terminal', terminal, {}, true],
    ['in a file', file, {}, false],
    ['at a terminal with NO_COLOR', terminal, { NO_COLOR: '1' }, false],
    ['at a terminal that knows none', terminal, { TERM: 'dumb' }, false],
    ['in a file with FORCE_COLOR', file, { FORCE_COLOR: '1' }, true],
    ['at a terminal with FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, false],
  ] as const) {
    it(`is ${colour ? 'there' : 'not there'} ${what}`, () => {
      expect(styleFor(out, env).colour).to.equal(colour);
    });
  }
});
