import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
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

  describe('that reads slowly, when its input has ended', () => {
    const SIZE = 4_000_000;
    const folder = mkdtempSync(join(tmpdir(), 'mcp-connect-client-'));
    after(() => rmSync(folder, { recursive: true }));

    /** Serves a client over a socket, up to the end of its input. Its one answer is under way then. */
    async function ended(): Promise<{ readonly reader: Socket; readonly closed: Promise<void> }> {
      const path = join(folder, randomUUID());
      const listener = createServer().listen(path);
      await once(listener, 'listening');
      const output = connect(path);
      const [reader] = (await once(listener, 'connection')) as [Socket];
      listener.close();
      const server = new Scripted((message, channel) =>
        channel.say({ id: message.id, result: { text: 'x'.repeat(SIZE) } }),
      );
      const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
      connector.transport('s', server);
      connector.endpoint('s://server');
      const input = new PassThrough();
      const serving = serveClient(connector, { input, output, patience: 100 });
      input.end('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
      await Promise.all([serving.ended, serving.greeted]);
      const closed = serving.close().then(() => void output.destroy());
      return { reader, closed };
    }

    it('gets all of its answer', async () => {
      const { reader } = await ended();
      let read = 0;
      for await (const chunk of reader as AsyncIterable<Buffer>) {
        read += chunk.length;
        await pause(10);
      }
      expect(read).to.be.greaterThan(SIZE);
    });

    it('is not waited for when it reads nothing', async () => {
      const { reader, closed } = await ended();
      await closed;
      reader.destroy();
      expect(reader.bytesRead).to.be.lessThan(SIZE);
    });
  });
});
