import { expect } from 'chai';
import { Connector } from './connector.js';
import type { Exchange, Hooks, OpenTransport } from './contract.js';
import { createLog } from './log.js';
import { definePlugin } from './plugin.js';
import { echo, lineTo, Scripted, type Line } from './scripted.test.js';
import type { Credentials, Transport } from './transport.js';

const PING = { id: 1, method: 'ping' };

/** A tap of the plugin `bad`, written without types as plugins may be. */
type Tap = (first: never, second: never) => unknown;

function answering(answer: unknown): Tap {
  return (_message, exchange: Exchange) => exchange.answer(answer as never);
}

function filling(fill: (credentials: { -readonly [K in keyof Credentials]: unknown }) => void): Tap {
  return (credentials) => fill(credentials);
}

function opening(open: (inner: Transport) => unknown): Tap {
  return (inner: OpenTransport) => async (context: Parameters<OpenTransport>[0]) =>
    open(await inner(context));
}

const loop: Record<string, unknown> = {};
loop['loop'] = loop;

const BAD_TAPS: Readonly<Record<keyof Hooks, Readonly<Record<string, Tap>>>> = {
  beforeSend: {
    'returns a number': () => 7,
    'returns null': () => null,
    'returns a message without its version': () => ({ id: 1, method: 'ping' }),
    'makes a notification of a request': () => ({ jsonrpc: '2.0', method: 'ping' }),
    'returns what JSON cannot hold': (message: object) => ({ ...message, params: { n: 1n } }),
    'returns a message that holds itself': (message: object) => ({ ...message, params: loop }),
    'answers with nothing': answering(undefined),
    'answers with neither result nor error': answering({}),
    'answers with both': answering({ result: {}, error: { code: 1, message: 'no' } }),
    'answers with an error that is none': answering({ error: 'no' }),
    'answers with what JSON cannot hold': answering({ result: { n: 1n } }),
    'drops a request': (_message, exchange: Exchange) => exchange.drop(),
  },
  afterReceive: {
    'makes a request of an answer': () => ({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    'returns what JSON cannot hold': (message: object) => ({ ...message, result: { n: 1n } }),
  },
  selectTransport: {
    'returns a number': () => 7,
    'returns an endpoint that was not offered': () => ({ index: 9 }),
    'returns null, later': async () => null,
  },
  authenticate: {
    'sets a header to a number': filling(({ headers }) => void ((headers as { a: unknown }).a = 5)),
    'sets a header to two lines': filling(
      ({ headers }) => void ((headers as { a: unknown }).a = 'a\r\nb: c'),
    ),
    'sets a header that has no name': filling((credentials) => void (credentials.headers = { 'a b': 'c' })),
    'takes the headers away': filling((credentials) => void (credentials.headers = null)),
    'proves by something else than a function': filling((credentials) => void (credentials.prove = 'a')),
  },
  openTransport: {
    'returns a number': () => 7,
    'opens nothing': opening(() => undefined),
    'opens something that is no transport': opening(() => ({ send: () => undefined })),
    'throws when it opens': opening(() => expect.fail('on purpose')),
    'throws when it sends': opening((inner) => ({
      send: () => expect.fail('on purpose'),
      close: () => inner.close(),
    })),
    'rejects what it sends': opening((inner) => ({
      send: () => Promise.reject(new Error('on purpose')),
      close: () => inner.close(),
    })),
  },
};

function lineWith(hook: keyof Hooks, tap: Tap, servers: readonly Scripted[]): Line {
  const settings = { retryAttempts: 1 };
  return lineTo(servers, { settings, tap: ({ hooks }) => hooks[hook].tap('bad', tap as never) });
}

describe('a plugin that does what its hook cannot use', () => {
  for (const [hook, taps] of Object.entries(BAD_TAPS) as [keyof Hooks, Record<string, Tap>][]) {
    for (const [what, tap] of Object.entries(taps)) {
      it(`is named with its request: ${hook} ${what}`, async () => {
        const line = lineWith(hook, tap, [new Scripted(echo), new Scripted(echo)]);
        void line.tell(PING);
        const { error } = await line.client.answer(1);
        expect(error?.data).to.include({ source: 'mcp-connect', code: 'MCPC_PLUGIN' });
        expect(error?.message).to.match(/\bbad\b/);
        await line.pipeline.close();
        expect(line.client.answers(1)).to.have.length(1);
      });
    }
  }

  it('is named at once when its transport opens nothing for a mistake of its own', async () => {
    const server = new Scripted(echo);
    const mistakes = [new TypeError('mine'), new ReferenceError('mine'), new RangeError('mine')];
    for (const mistake of mistakes) {
      let opened = 0;
      server.onopen = () => {
        opened++;
        throw mistake;
      };
      const plugin = definePlugin({ name: 'bad', apply: (connector) => connector.transport('own', server) });
      const line = lineTo([], {
        tap: (connector) => connector.use(plugin).endpoint('own://server'),
      });
      void line.tell(PING);
      const { error } = await line.client.answer(1);
      expect(error?.data).to.include({ code: 'MCPC_PLUGIN', executed: 'no' });
      expect(error?.message).to.match(/\bbad\b/);
      expect(opened).to.equal(1);
      await line.pipeline.close();
    }
  });

  it('is asked again when its transport meets with what may pass', async () => {
    const passing = [
      Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      new TypeError('fetch failed', { cause: new Error('refused') }),
    ];
    const server = new Scripted(echo);
    server.onopen = () => {
      const error = passing.shift();
      if (error !== undefined) throw error;
    };
    const line = lineTo(server);
    void line.tell(PING);
    expect(await line.client.answer(1)).to.have.property('result');
    await line.pipeline.close();
  });

  it('loses no notification', async () => {
    const server = new Scripted(echo);
    const line = lineWith(
      'beforeSend',
      (message: { method: string }) => (message.method === 'news' ? 7 : undefined),
      [server],
    );
    void line.tell(PING);
    await line.client.answer(1);
    void line.tell({ method: 'news' });
    await line.pipeline.close();
    expect(server.sent.map(({ method }) => method)).to.deep.equal(['ping', 'news']);
  });

  it('is named when a signature fails, and signs nothing with what is no header', async () => {
    for (const prove of [() => expect.fail('on purpose'), () => 7, async () => ({}), () => ({ a: 'b\nc' })]) {
      const credentials = { headers: {} } as Credentials;
      const { hooks } = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
      hooks.authenticate.tap('bad', (asked) => void (asked.prove = prove as never));
      hooks.authenticate.tap('good', () => undefined);
      await hooks.authenticate.promise(credentials, {} as never);
      const request = { method: 'POST', url: new URL('http://a/'), headers: {} };
      expect(() => credentials.prove!(request))
        .to.throw(/\bbad\b/)
        .with.property('code', 'MCPC_PLUGIN');
    }
  });

  it('holds up no other message, and the end neither, when its transport fails at anything else', async () => {
    const fails = (): never => expect.fail('on purpose');
    const tap = opening((inner) => ({
      send: (...sent: Parameters<Transport['send']>) => inner.send(...sent),
      drain: fails,
      wake: fails,
      close: fails,
    }));
    const line = lineWith('openTransport', tap, [new Scripted(echo)]);
    for (const id of [1, 2]) {
      void line.tell({ ...PING, id });
      expect(await line.client.answer(id)).to.have.property('result');
    }
    await line.pipeline.close();
  });
});

describe('a plugin that registers what is none', () => {
  for (const [what, apply] of Object.entries({
    'a tap that is no function': ({ hooks }: Connector) => hooks.beforeSend.tap('bad', undefined as never),
    'a tap without a name': ({ hooks }: Connector) =>
      hooks.beforeSend.tap((() => undefined) as never, () => undefined),
    'a patience that is no number': ({ hooks }: Connector) =>
      hooks.beforeSend.tap({ name: 'bad', patience: 'long' as never }, () => undefined),
    'a transport that cannot be opened': (connector: Connector) => connector.transport('x', {} as never),
    'a scheme that is none': (connector: Connector) =>
      connector.transport(undefined as never, new Scripted()),
  })) {
    it(`is named at start: ${what}`, () => {
      const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
      connector.use({ name: 'bad', apply: (registry) => apply(registry as Connector) });
      expect(() => connector.start())
        .to.throw(/\bbad\b/)
        .with.property('code', 'MCPC_PLUGIN');
    });
  }
});
