import assert from 'node:assert/strict';
import { Connector, createLog, Envelope } from '@mcp-connect/core';
import { memoryTransport, testPlugin, type PeerMessage } from '@mcp-connect/testing';
import plugin from './index.js';

const OPTIONS = { 'x-prefix-note': 'Ask before you write.' };

describe('x-plugin-name leaves alone what is none of its business', () => {
  testPlugin(it, { plugin, options: () => OPTIONS });
});

describe('x-plugin-name', () => {
  it('adds a note to the instructions of the server', async () => {
    const wire = memoryTransport();
    const served = await wire.serve((text, say) => {
      const { id } = JSON.parse(text) as PeerMessage;
      void say(JSON.stringify({ jsonrpc: '2.0', id, result: { instructions: 'Hello.' } }));
    });
    const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
    connector.use(plugin, OPTIONS).transport('memory', wire.kind);
    connector.endpoint(served.endpoint);
    let deliver!: (answer: Envelope) => void;
    const answer = new Promise<Envelope>((resolve) => (deliver = resolve));
    const pipeline = connector.connect({ deliver });
    void pipeline.accept(Envelope.of({ jsonrpc: '2.0', id: 1, method: 'initialize' }));
    const { result } = (await answer).message as PeerMessage;
    assert.equal(result?.['instructions'], 'Hello.\n\nAsk before you write.');
    await pipeline.close();
    await served.close();
  });
});
