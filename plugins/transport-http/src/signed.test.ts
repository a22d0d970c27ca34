import {
  Connector,
  createLog,
  definePlugin,
  Envelope,
  type Credentials,
  type WebRequest,
} from '@mcp-connect/core';
import { expect } from 'chai';
import http from './index.js';
import { Stage, type Peer } from './peer.test.js';

describe('requests that are proved one by one', () => {
  let stage: Stage;
  let peer: Peer;
  let answers: Envelope[];
  let close: () => Promise<void>;

  beforeEach(async () => {
    stage = new Stage();
    peer = await stage.peer();
    answers = [];
  });
  afterEach(async () => {
    await close();
    await stage.close();
  });

  /** Sends a request by way of a plugin that proves it like this. */
  function ask(prove: NonNullable<Credentials['prove']>): Promise<void> {
    const signer = definePlugin({
      name: 'signer',
      apply: ({ hooks }) =>
        hooks.authenticate.tap('signer', (credentials) => {
          credentials.headers['x-who'] = 'me';
          credentials.prove = prove;
        }),
    });
    const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
    connector.use(http).use(signer).endpoint(peer.url);
    return new Promise((answered) => {
      const pipeline = connector.connect({
        deliver: (envelope) => {
          answers.push(envelope);
          answered();
        },
      });
      close = () => pipeline.close();
      void pipeline.accept(Envelope.of({ jsonrpc: '2.0', id: 1, method: 'tools/list' }));
    });
  }

  it('are shown as they leave, and take the proof along', async () => {
    let shown: WebRequest | undefined;
    const answered = ask((request) => {
      shown = request;
      return { 'x-proof': `${request.method} ${request.headers['x-who']}` };
    });
    const post = await peer.next('POST');
    post.result();
    await answered;
    expect(post.headers).to.include({ 'x-who': 'me', 'x-proof': 'POST me' });
    expect(shown?.url.href).to.equal(peer.url);
    expect(shown?.body?.toString()).to.equal(post.body);
    for (const [name, value] of Object.entries(shown!.headers)) expect(post.headers[name]).to.equal(value);
  });

  it('are not sent where the proof cannot be made', async () => {
    await ask(() => {
      throw new Error('no key');
    });
    expect(answers[0]!.message).to.have.nested.property('error.data.code', 'MCPC_PLUGIN');
    expect(answers[0]!.message).to.have.nested.property('error.data.executed', 'no');
    expect(peer.log).to.deep.equal([]);
  });
});
