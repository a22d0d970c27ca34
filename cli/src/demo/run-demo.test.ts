import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createLog } from '@mcp-connect/core';
import { expect } from 'chai';
import { runDemo, type DemoSurroundings } from './run-demo.js';

describe('the demo at a terminal', () => {
  it('prints the notifications as a client would get them, and is done', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const stdout = new PassThrough();
    const around = Object.assign(new EventEmitter(), { stdin, stdout }) as unknown as DemoSurroundings;
    const log = createLog({ level: 'error', write: () => undefined });
    await runDemo({ count: 9, interval: 60_000, version: '1.0.0', log, around });
    stdout.end();
    const lines = (await text(stdout)).trimEnd().split('\n');
    const sent = lines.map((line) => JSON.parse(line) as { method: string; params: { level: string } });
    expect(sent.map(({ params }) => params.level)).to.deep.equal([
      'debug',
      'info',
      'notice',
      'warning',
      'error',
      'critical',
      'alert',
      'emergency',
      'debug',
    ]);
    for (const { method } of sent) expect(method).to.equal('notifications/message');
  });
});
