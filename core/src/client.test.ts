import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { serveClient } from './client.js';
import { Connector } from './connector.js';
import { createLog } from './log.js';
import { Scripted } from './scripted.test.js';

/** More than is read of a client whose messages nobody takes. */
const MUCH = 'x'.repeat(2_000_000);

describe('a client over stdio', () => {
  it('is known to be gone although its server takes nothing any more', async () => {
    const server = new Scripted((_message, channel) => {
      channel.busy = new Promise(() => undefined);
    });
    const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
    connector.transport('s', server);
    connector.endpoint('s://server');
    const input = new PassThrough();
    const output = new PassThrough();
    const serving = serveClient(connector, { input, output });
    for (const id of [1, 2, 3]) {
      const request = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: MUCH } };
      input.write(`${JSON.stringify(request)}\n`);
    }
    input.end();
    await serving.ended;
    serving.hurry();
    await serving.close();
    const answers = String(output.read()).trimEnd().split('\n');
    expect(answers.map((line) => (JSON.parse(line) as { id: number }).id)).to.have.members([1, 2, 3]);
  });
});
