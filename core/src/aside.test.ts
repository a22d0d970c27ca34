import { expect } from 'chai';
import type { Answer, Hooks } from './contract.js';
import { echo, failure, lineTo, Scripted, type Line } from './scripted.test.js';

const PING = { id: 1, method: 'ping' };

function lineWith(
  tap: (hooks: Hooks) => void,
  servers: Scripted | readonly Scripted[] = new Scripted(echo),
): Line {
  return lineTo(servers, { tap: ({ hooks }) => tap(hooks) });
}

describe('a message of a plugin', () => {
  it('asks a server from every hook, past the hooks and without waiting for itself', async () => {
    const seen: unknown[] = [];
    const server = [new Scripted(echo), new Scripted(echo)];
    const line = lineWith((hooks) => {
      for (const name of ['beforeSend', 'afterReceive'] as const) {
        hooks[name].tap('p', async (message, exchange) => {
          seen.push(name);
          const answer = await exchange.request({ method: `from/${name}`, params: { n: 1 } });
          exchange.state.set(name, answer);
          if (name === 'beforeSend') return undefined;
          return { ...message, result: Object.fromEntries(exchange.state as Map<string, unknown>) };
        });
      }
      let busy = false;
      hooks.selectTransport.tap('p', async (_candidates, exchange) => {
        // Its own request is for a strategy to place, too.
        if (busy || exchange.method !== 'ping') return;
        busy = true;
        exchange.state.set('selectTransport', await exchange.request({ method: 'from/selectTransport' }));
      });
    }, server);
    void line.tell(PING);
    const { result } = await line.client.answer(1);
    for (const name of ['beforeSend', 'selectTransport', 'afterReceive'])
      expect(result).to.have.nested.property(`${name}.result`);
    const asked = server.flatMap(({ sent }) => sent.map(({ method }) => method));
    expect(asked).to.have.members(['ping', 'from/beforeSend', 'from/selectTransport', 'from/afterReceive']);
    expect(seen).to.deep.equal(['beforeSend', 'afterReceive']);
    await line.pipeline.close();
    expect(line.client.messages).to.have.length(1);
  });

  it('gets the error of a server, and an error of ours where none answers, or not with JSON', async () => {
    const answers: Answer[] = [];
    const server = new Scripted((message, channel, envelope) => {
      if (message.method === 'refused')
        return channel.say({ id: message.id, error: { code: -32042, message: 'no' } });
      if (message.method === 'spoilt') {
        const text = `"result":{"x":"${'x'.repeat(20_000)}","y":,"z":1}`;
        return channel.say(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},${text}}`);
      }
      if (message.method === 'unanswered') throw failure('MCPC_HTTP_STATUS', 'rejected');
      return echo(message, channel, envelope);
    });
    const line = lineWith((hooks) => {
      hooks.beforeSend.tap('p', async (_message, exchange) => {
        answers.push(await exchange.request({ method: 'refused' }));
        answers.push(await exchange.request({ method: 'unanswered' }));
        answers.push(await exchange.request({ method: 'spoilt' }));
      });
    }, server);
    void line.tell(PING);
    await line.client.answer(1);
    await line.pipeline.close();
    expect(answers[0]).to.have.nested.property('error.code', -32042);
    expect(answers[1]).to.have.nested.property('error.data.code', 'MCPC_HTTP_STATUS');
    expect(answers[2]).to.have.nested.property('error.data.code', 'MCPC_BAD_RESPONSE');
  });

  it('carries what requests of 2026-07-28 say of themselves, without their token', async () => {
    const server = new Scripted(echo);
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', progressToken: 7 };
    const line = lineWith((hooks) => {
      hooks.afterReceive.tap('p', async (_message, exchange) => {
        await exchange.request({ method: 'own', params: { n: 1 } });
      });
    }, server);
    void line.tell({ ...PING, params: { _meta: meta } });
    await line.client.answer(1);
    await line.pipeline.close();
    const { progressToken: _, ...stamp } = meta;
    expect(server.sent.at(-1)).to.have.deep.property('params', { _meta: stamp, n: 1 });
  });

  it('tells the client and the servers something', async () => {
    const server = new Scripted(echo);
    const line = lineWith((hooks) => {
      hooks.afterReceive.tap('p', (_message, exchange) => {
        exchange.notifyClient({ method: 'notifications/tools/list_changed' });
        exchange.notifyServer({ method: 'notifications/x', params: { n: 1 } });
      });
    }, server);
    void line.tell(PING);
    await line.client.answer(1);
    await line.pipeline.close();
    expect(line.client.messages.map(({ method }) => method)).to.deep.equal([
      'notifications/tools/list_changed',
      undefined,
    ]);
    expect(server.sent.at(-1)).to.include({ method: 'notifications/x' });
  });

  it('names the plugin when it cannot be written', async () => {
    const line = lineWith((hooks) => {
      hooks.beforeSend.tap('bad', (_message, exchange) =>
        exchange.notifyClient({ method: 'x', params: { n: 1n } }),
      );
    });
    void line.tell(PING);
    const { error } = await line.client.answer(1);
    expect(error?.data).to.include({ code: 'MCPC_PLUGIN' });
    await line.pipeline.close();
  });
});
