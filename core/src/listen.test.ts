import { expect } from 'chai';
import { failure, lineTo, Scripted, type Message } from './scripted.test.js';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const FILTER = { toolsListChanged: true, promptsListChanged: false, resourceSubscriptions: ['mem://a'] };
const LISTEN = {
  id: 7,
  method: 'subscriptions/listen',
  params: { notifications: FILTER, _meta: { [VERSION]: '2026-07-28' } },
};
const ACKNOWLEDGED = {
  method: 'notifications/subscriptions/acknowledged',
  params: { notifications: FILTER, _meta: { [SUBSCRIPTION]: 7 } },
};

const methods = (messages: readonly Message[]): (string | undefined)[] =>
  messages.map(({ method }) => method);

describe('A stream of news', () => {
  it('is opened again after a cut, as often as it takes, and then tells what may have been missed', async () => {
    let opened = 0;
    const server = new Scripted(({ id }, { context }) => {
      const time = opened++;
      if (time === 0 || time === 7) void server.channel.say(ACKNOWLEDGED);
      if (time < 7) context.onlost(id!, failure('MCPC_CONNECTION_LOST', 'unknown'));
    });
    const line = lineTo(server, { settings: { retryDelay: 1 } });
    void line.tell(LISTEN);
    await line.client.until(() => line.client.messages.length === 4);
    expect(methods(line.client.messages)).to.deep.equal([
      'notifications/subscriptions/acknowledged',
      'notifications/subscriptions/acknowledged',
      'notifications/tools/list_changed',
      'notifications/resources/updated',
    ]);
    for (const { params } of line.client.messages)
      expect(params!['_meta']).to.deep.equal({ [SUBSCRIPTION]: 7 });
    expect(server.sent).to.have.length(8);
    await line.pipeline.close();
  });

  it('tells of nothing missed when it begins', async () => {
    const server = new Scripted((_message, channel) => channel.say(ACKNOWLEDGED));
    const line = lineTo(server);
    void line.tell(LISTEN);
    await line.client.until(() => line.client.messages.length > 0);
    expect(line.client.messages).to.have.length(1);
    await line.pipeline.close();
  });

  it('is ended with its result when the client leaves, and the server is told', async () => {
    const server = new Scripted((message, channel) =>
      message.method === LISTEN.method ? channel.say(ACKNOWLEDGED) : undefined,
    );
    const line = lineTo(server);
    void line.tell(LISTEN);
    await line.client.until(() => line.client.messages.length > 0);
    await line.pipeline.close();
    expect((await line.client.answer(7)).result).to.deep.equal({
      resultType: 'complete',
      _meta: { [SUBSCRIPTION]: 7 },
    });
    expect(methods(server.sent)).to.deep.equal([LISTEN.method, 'notifications/cancelled']);
  });

  it('that never begins is answered with an error', async () => {
    const server = new Scripted(() => Promise.reject(failure('MCPC_BAD_RESPONSE', 'unknown')));
    const line = lineTo(server, { settings: { retryDelay: 1 } });
    void line.tell(LISTEN);
    expect((await line.client.answer(7)).error!.data).to.include({ code: 'MCPC_BAD_RESPONSE' });
    expect(server.sent).to.have.length(3);
  });

  it('that the server refuses is not asked for again', async () => {
    const server = new Scripted(() => Promise.reject(failure('MCPC_HTTP_STATUS', 'rejected')));
    const line = lineTo(server);
    void line.tell(LISTEN);
    expect((await line.client.answer(7)).error!.data).to.include({ code: 'MCPC_HTTP_STATUS' });
    expect(server.sent).to.have.length(1);
  });
});
