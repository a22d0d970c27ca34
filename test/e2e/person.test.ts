import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { mcpConnect } from './proxy-process.js';
import { Terminal } from './terminal.js';

describe('a person at a terminal', () => {
  it('who starts a serving command is told what it waits for', async () => {
    const { command, args } = mcpConnect(['proxy', '--endpoint', 'tcp://127.0.0.1:1']);
    const shown = new Terminal([command, ...args].join(' '), {});
    try {
      await shown.shows(/^mcp-connect: waiting .*mcp-connect test/m);
    } finally {
      shown.close();
    }
  });

  it('sees what takes its time, and nothing of that when it is over', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const { command, args } = mcpConnect([
      'test',
      '--endpoint',
      `http://127.0.0.1:${port}/mcp`,
      '--timeout',
      '2',
    ]);
    const shown = new Terminal(`env -u CI ${[command, ...args].join(' ')}; read`, { TERM: 'xterm' });
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
