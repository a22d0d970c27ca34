import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { serveClient } from './client.js';
import { Connector } from './connector.js';
import { createLog } from './log.js';
import { deferred, echo, Scripted } from './scripted.test.js';

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

  it('is served once where its server goes on only when it is gone', async () => {
    const gate = deferred();
    const server = new Scripted(echo);
    const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
    connector.transport('s', server);
    connector.endpoint('s://server');
    const input = new PassThrough();
    const output = new PassThrough({ encoding: 'utf8' });
    let said = '';
    output.on('data', (text: string) => (said += text));
    const serving = serveClient(connector, { input, output });
    const ask = (id: number, text = ''): boolean =>
      input.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { text } })}\n`);
    ask(1);
    await serving.greeted;
    server.channel.busy = gate.promise;
    server.script = (message, channel, envelope) =>
      message.id === 2 ? undefined : channel.say({ id: envelope.id, result: {} });
    ask(2);
    ask(3, MUCH);
    await nextTurn();
    // From here on nothing is welcome, and only a look shows what else there is.
    ask(4);
    input.end();
    for (let ended = false; !ended;) {
      input.resume();
      ended = await Promise.race([serving.ended.then(() => true), nextTurn(false)]);
    }
    gate.resolve();
    void server.channel.say({ id: 2, result: {} });
    await serving.close();
    const answers = said.trimEnd().split('\n');
    expect(answers.map((line) => (JSON.parse(line) as { id: number }).id)).to.deep.equal([1, 2, 3, 4]);
    expect(server.sent.map(({ id }) => id)).to.deep.equal([1, 2, 3, 4]);
  });
});
