import { expect } from 'chai';
import { deferred, echo, lineTo, Scripted, type Message, type Script } from './scripted.test.js';
import type { Clock } from './wake.js';

/** An unsafe request: carried out twice, it does harm. */
const CALL = { id: 1, method: 'tools/call', params: { name: 'pay' } };
const LIST = { id: 1, method: 'resources/list' };
const INITIALIZE = { id: 'init', method: 'initialize', params: { protocolVersion: '2025-06-18' } };

/** Takes everything and says nothing. */
const silent: Script = () => undefined;

/** Lets a server say something again and again, then answer. */
function chatter(say: (channel: Parameters<Script>[1], id: Message['id']) => void): Script {
  return ({ id, method }, channel) => {
    if (method === 'notifications/cancelled') return;
    let times = 0;
    const timer = setInterval(() => {
      if (++times < 30) return say(channel, id);
      clearInterval(timer);
      void channel.say({ id, result: {} });
    }, 10);
  };
}

describe('a request that takes long', () => {
  describe('with a limit for silence', () => {
    const settings = { requestTimeout: 50, retryDelay: 1 };

    it('is given up when its server says nothing, and the server is told', async () => {
      const server = new Scripted(silent);
      const line = lineTo(server, { settings });
      void line.tell(CALL);
      const { error } = await line.client.answer(1);
      expect(error?.data).to.include({ code: 'MCPC_OUTCOME_UNKNOWN', executed: 'unknown' });
      expect(server.channel.methods).to.deep.equal(['tools/call', 'notifications/cancelled']);
      await line.pipeline.close();
    });

    it('is sent again when that does no harm', async () => {
      const server = new Scripted((message, channel, envelope) => {
        if (message.method === 'resources/list') server.script = echo;
        else return echo(message, channel, envelope);
      });
      const line = lineTo(server, { settings });
      void line.tell(LIST);
      expect(await line.client.answer(1)).to.have.property('result');
      expect(server.channel.methods).to.deep.equal([
        'resources/list',
        'notifications/cancelled',
        'resources/list',
      ]);
      await line.pipeline.close();
    });

    for (const [what, say] of [
      ['bytes of its reply', (channel, id) => channel.context.onalive?.(id!)],
      ['bytes of the whole channel', (channel) => channel.context.onalive?.()],
    ] as [string, Parameters<typeof chatter>[0]][]) {
      it(`goes on while there is news of it: ${what}`, async () => {
        const server = new Scripted(chatter(say));
        const line = lineTo(server, { settings: { ...settings, requestTimeout: 100 } });
        void line.tell(CALL);
        expect(await line.client.answer(1)).to.have.property('result');
        await line.pipeline.close();
        expect(server.channel.methods).to.deep.equal(['tools/call']);
      });
    }

    it('is given up when only others hear from the server', async () => {
      const server = new Scripted(chatter((channel) => channel.context.onalive?.('another')));
      const line = lineTo(server, { settings });
      void line.tell(CALL);
      const { error } = await line.client.answer(1);
      expect(error?.data).to.include({ code: 'MCPC_OUTCOME_UNKNOWN' });
      await line.pipeline.close();
    });

    it('does not end a stream of news', async () => {
      const server = new Scripted(silent);
      const line = lineTo(server, { settings });
      void line.tell({ id: 'news', method: 'subscriptions/listen', params: { notifications: {} } });
      void line.tell(CALL);
      await line.client.answer(1);
      expect(line.client.answers('news')).to.deep.equal([]);
      await line.pipeline.close();
    });

    it('measures nothing where no limit is given', async () => {
      const server = new Scripted();
      const line = lineTo(server);
      void line.tell(CALL);
      await line.client.answer(1);
      expect(server.channel.context).not.to.have.property('onalive');
      await line.pipeline.close();
    });
  });

  describe('with a limit for everything', () => {
    it('is given up although its server is alive', async () => {
      const server = new Scripted(chatter((channel, id) => channel.context.onalive?.(id!)));
      const line = lineTo(server, { settings: { maxRequestTime: 50, requestTimeout: 40 } });
      void line.tell(CALL);
      const { error } = await line.client.answer(1);
      expect(error?.data).to.include({ code: 'MCPC_OUTCOME_UNKNOWN', executed: 'unknown' });
      expect(server.channel.methods).to.deep.equal(['tools/call', 'notifications/cancelled']);
      await line.pipeline.close();
    });

    it('counts all attempts together', async () => {
      const server = new Scripted(({ id }, channel) =>
        channel.context.onlost(id!, new Error('cut') as never),
      );
      const settings = { maxRequestTime: 60, retryAttempts: 1_000, retryDelay: 20 };
      const line = lineTo(server, { settings });
      void line.tell(LIST);
      const { error } = await line.client.answer(1);
      expect(error?.data).to.include({ code: 'MCPC_TIMEOUT', retryable: true });
      await line.pipeline.close();
    });
  });

  it('waits for a sign-in although --timeout has passed', async () => {
    const signedIn = deferred();
    const server = new Scripted();
    const line = lineTo(server, {
      settings: { timeout: 20 },
      tap: ({ hooks }) => hooks.authenticate.tap('sign-in', () => signedIn.promise),
    });
    void line.tell(INITIALIZE);
    setTimeout(signedIn.resolve, 100);
    expect(await line.client.answer('init')).to.have.property('result');
    await line.pipeline.close();
  });

  it('has its whole --timeout left after a sign-in', async () => {
    const server = new Scripted(silent);
    const line = lineTo(server, {
      settings: { timeout: 50 },
      tap: ({ hooks }) => hooks.authenticate.tap('sign-in', () => Promise.resolve()),
    });
    void line.tell(INITIALIZE);
    const { error } = await line.client.answer('init');
    expect(error?.data).to.include({ code: 'MCPC_TIMEOUT' });
    await line.pipeline.close();
  });
});

describe('a channel after a sleep of the machine', () => {
  /** A machine that falls asleep when told. */
  class Bed implements Clock {
    #time = 0;
    #tick: (() => void) | undefined;

    now(): number {
      return this.#time;
    }

    every(_milliseconds: number, tick: () => void): () => void {
      this.#tick = tick;
      return () => (this.#tick = undefined);
    }

    sleep(): void {
      this.#time += 3_600_000;
      this.#tick?.();
    }
  }

  /** A server whose channels may have died in the sleep. */
  function sleeper(script: Script = echo): Scripted {
    const server = new Scripted(script);
    server.wake = () => true;
    return server;
  }

  it('is used on when the server answers there', async () => {
    const clock = new Bed();
    const server = sleeper();
    const line = lineTo(server, { clock });
    void line.tell(INITIALIZE);
    await line.client.answer('init');
    clock.sleep();
    void line.tell(CALL);
    await line.client.answer(1);
    expect(server.channels).to.have.length(1);
    expect(server.channel.methods).to.deep.equal(['initialize', 'ping', 'tools/call']);
    await line.pipeline.close();
  });

  it('is replaced before anything is sent when the server is silent or refuses', async () => {
    for (const trial of ['refuses', 'closes'] as const) {
      const clock = new Bed();
      const server = sleeper((message, channel, envelope) => {
        if (message.method !== 'ping' || server.channels.length > 1) return echo(message, channel, envelope);
        if (trial === 'refuses') throw new Error('the connection is dead');
        channel.context.onclose();
      });
      const line = lineTo(server, { clock });
      void line.tell(INITIALIZE);
      await line.client.answer('init');
      clock.sleep();
      void line.tell(CALL);
      expect(await line.client.answer(1)).to.have.property('result');
      expect(server.channels[0]!.methods).to.deep.equal(['initialize', 'ping']);
      expect(server.channels[1]!.methods).to.deep.equal(['initialize', 'tools/call']);
      await line.pipeline.close();
    }
  });

  it('fails what was under way in it when it is dead', async () => {
    const clock = new Bed();
    const server = sleeper(({ id, method, params }, channel) => {
      if (method === 'tools/call') return;
      if (method === 'ping') throw new Error('the connection is dead');
      void channel.say({ id: id!, result: { ...params } });
    });
    const line = lineTo(server, { clock });
    void line.tell(INITIALIZE);
    await line.client.answer('init');
    void line.tell(CALL);
    clock.sleep();
    const { error } = await line.client.answer(1);
    expect(error?.data).to.include({ code: 'MCPC_OUTCOME_UNKNOWN' });
    await line.pipeline.close();
  });

  it('is tried out by a modern request where there is no session', async () => {
    const clock = new Bed();
    const server = sleeper();
    const line = lineTo(server, { clock });
    void line.tell(CALL);
    await line.client.answer(1);
    clock.sleep();
    void line.tell({ ...CALL, id: 2 });
    await line.client.answer(2);
    expect(server.channel.methods).to.deep.equal(['tools/call', 'server/discover', 'tools/call']);
    await line.pipeline.close();
  });

  it('does not hold up the end', async () => {
    const clock = new Bed();
    const server = sleeper(({ id, method }, channel) => {
      if (method !== 'ping') void channel.say({ id: id!, result: {} });
    });
    const line = lineTo(server, { clock });
    void line.tell(INITIALIZE);
    await line.client.answer('init');
    clock.sleep();
    await line.pipeline.close();
    expect(server.channel.closed).to.equal(1);
  });
});
