import { Connector, createLog, definePlugin, Envelope, type JSONRPCMessage } from '@mcp-connect/core';
import { testTransport, transportOf, type Served } from '@mcp-connect/testing';
import { expect } from 'chai';
import ws from './index.js';
import { serveWs } from './peer.test.js';

describe('mcp-transport-ws keeps the contract of a transport', () => {
  testTransport(it, { kind: transportOf(ws, 'ws', { 'ws-protocol': 'mcp' }), serve: serveWs });
});

describe('mcp-transport-ws', () => {
  const log = createLog({ level: 'error', write: () => undefined });
  let served: Served;
  let close: () => Promise<void>;

  afterEach(async () => {
    await close();
    await served.close();
  });

  /** Sends one request and returns its answer. */
  function ask(settings = {}, options?: Parameters<typeof ws.apply>[1]) {
    const answer = new Promise<JSONRPCMessage>((resolve) => {
      const connector = new Connector({ log, settings: { retryDelay: 1, ...settings } });
      connector.use(ws, options).use(signer).endpoint(served.endpoint);
      const pipeline = connector.connect({ deliver: ({ message }) => resolve(message) });
      close = () => pipeline.close();
      void pipeline.accept(Envelope.of({ jsonrpc: '2.0', id: 1, method: 'tools/call' }));
    });
    return answer;
  }

  /** Has a worn-out ticket first, and a new one when that is refused. */
  const signer = definePlugin({
    name: 'signer',
    apply: ({ hooks }) =>
      hooks.authenticate.tap('signer', ({ headers, challenge }) => {
        headers['x-ticket'] = challenge === undefined ? 'old' : 'new';
      }),
  });
  const answering = (text: string, say: (text: string) => unknown): void => {
    const { id } = JSON.parse(text) as { id: number };
    say(JSON.stringify({ jsonrpc: '2.0', id, result: { filler: 'x'.repeat(2_000) } }));
  };

  it('shows its credentials, and others when those are refused', async () => {
    const tickets: unknown[] = [];
    served = await serveWs(answering, ({ headers }) => {
      tickets.push(headers['x-ticket']);
      return headers['x-ticket'] === 'new';
    });
    expect(await ask()).to.have.property('result');
    expect(tickets).to.deep.equal(['old', 'new']);
  });

  it('says so when the server accepts none', async () => {
    served = await serveWs(answering, () => false);
    expect(await ask()).to.have.nested.property('error.data.code', 'MCPC_UNAUTHORIZED');
  });

  it('fails the request whose answer is too large', async () => {
    served = await serveWs(answering);
    const answer = await ask({ maxMessageSize: 1_000, retryAttempts: 1 });
    expect(answer).to.have.nested.property('error.data.code', 'MCPC_TOO_LARGE');
  });

  it('asks for the subprotocol that it is told to', async () => {
    let asked: string | undefined;
    served = await serveWs(answering, ({ headers }) => {
      asked = headers['sec-websocket-protocol'];
      return true;
    });
    await ask({}, { 'ws-protocol': 'other' });
    expect(asked).to.equal('other');
    await close();
    await ask({}, { 'ws-protocol': '' });
    expect(asked).to.equal(undefined);
  });
});
