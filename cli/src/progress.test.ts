import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { styleFor } from './check/run-test.js';
import { isWatched } from './progress.js';
import { Terminal } from './terminal.test.js';

const RUN = fileURLToPath(new URL('../bin/run.js', import.meta.url));

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

  it('names what takes its time, and leaves nothing behind', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const command = `env -u CI ${process.execPath} ${RUN} test --endpoint http://127.0.0.1:${port}/mcp --timeout 2; read`;
    const shown = new Terminal(command, { TERM: 'xterm', MCP_CONNECT_STATE_DIR: '/nonexistent' });
    try {
      await shown.shows(/^\S initialize$/m);
      expect(await shown.shows(/^Next: /m))
        .to.match(/✗ initialize/)
        .and.not.match(/^\S initialize$/m);
    } finally {
      shown.close();
      silent.close();
    }
  }).timeout(20_000);
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
