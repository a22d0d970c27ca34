import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'chai';
import { ConnectorError } from './errors.js';
import type { Exchange } from './contract.js';
import { after, createHooks, runHook } from './hooks.js';

const MESSAGE: JSONRPCMessage = { jsonrpc: '2.0', method: 'm' };
const EXCHANGE = {} as Exchange;
const renamed = (method: string): JSONRPCMessage => ({ jsonrpc: '2.0', method });

describe('the hooks', () => {
  it('await async functions, in the order of the taps', async () => {
    const { beforeSend } = createHooks();
    beforeSend.tap('first', async (message) => {
      await Promise.resolve();
      return renamed(`${(message as { method: string }).method}1`);
    });
    beforeSend.tap('second', (message) => renamed(`${(message as { method: string }).method}2`));
    const ran = runHook(beforeSend, MESSAGE, EXCHANGE);
    expect(ran).to.be.instanceOf(Promise);
    expect(await ran).to.deep.equal(renamed('m12'));
  });

  it('stay synchronous while their taps do', () => {
    const { beforeSend, authenticate } = createHooks();
    beforeSend.tap('one', () => undefined);
    beforeSend.tap('two', () => renamed('n'));
    expect(runHook(beforeSend, MESSAGE, EXCHANGE)).to.deep.equal(renamed('n'));
    expect(runHook(authenticate, { headers: {} }, {} as never)).to.equal(undefined);
  });

  it('thread the message that a tap returned, and the very same one where none returned any', () => {
    const { afterReceive } = createHooks();
    afterReceive.tap('silent', () => undefined);
    expect(runHook(afterReceive, MESSAGE, EXCHANGE)).to.equal(MESSAGE);
  });

  it('stop selectTransport at the first candidate', async () => {
    const { selectTransport } = createHooks();
    const candidate = { index: 1 } as never;
    selectTransport.tap('no opinion', async () => undefined);
    selectTransport.tap('chooser', async () => candidate);
    selectTransport.tap('too late', () => expect.fail('ran behind the decision'));
    expect(await runHook(selectTransport, [candidate], EXCHANGE)).to.equal(candidate);
  });

  for (const [how, fail] of [
    [
      'throws',
      () => {
        throw new TypeError('broken');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('broken'))],
  ] as const) {
    it(`name the plugin and the hook when a tap ${how}`, async () => {
      for (const name of [
        'beforeSend',
        'afterReceive',
        'selectTransport',
        'authenticate',
        'openTransport',
      ] as const) {
        const hook = createHooks()[name];
        hook.tap('my-plugin', fail as never);
        const error = await caught(() => runHook(hook as never, {}, {}));
        expect(error).to.be.instanceOf(ConnectorError);
        expect(error).to.include({ code: 'MCPC_PLUGIN' });
        expect((error as Error).message)
          .to.include('my-plugin')
          .and.to.include(name);
        expect((error as Error).cause).to.be.instanceOf(TypeError);
      }
    });
  }

  it('let an error of ours pass as it is', async () => {
    const { authenticate } = createHooks();
    const thrown = new ConnectorError('MCPC_UNAUTHORIZED', 'no token');
    authenticate.tap('auth', () => Promise.reject(thrown));
    expect(await caught(() => runHook(authenticate, { headers: {} }, {} as never))).to.equal(thrown);
  });

  it('take tapAsync and tapPromise as well', async () => {
    const { beforeSend } = createHooks();
    beforeSend.tapAsync('callback', (_message, _exchange, done) => done(null, renamed('a')));
    beforeSend.tapPromise('promise', async (message) =>
      renamed(`${(message as { method: string }).method}b`),
    );
    expect(await runHook(beforeSend, MESSAGE, EXCHANGE)).to.deep.equal(renamed('ab'));
  });

  it('respect stage and before', () => {
    const { beforeSend } = createHooks();
    const order: string[] = [];
    beforeSend.tap('plain', () => void order.push('plain'));
    beforeSend.tap({ name: 'late', stage: 10 }, () => void order.push('late'));
    beforeSend.tap({ name: 'early', before: 'plain' }, () => void order.push('early'));
    void runHook(beforeSend, MESSAGE, EXCHANGE);
    expect(order).to.deep.equal(['early', 'plain', 'late']);
  });
});

describe('a tap that never settles', () => {
  const never = (): Promise<never> => new Promise(() => undefined);

  for (const how of ['tap', 'tapPromise', 'tapAsync'] as const) {
    it(`is named, with its hook: ${how}`, async () => {
      const { beforeSend } = createHooks();
      const add = beforeSend[how] as (options: object, fn: () => unknown) => void;
      add.call(beforeSend, { name: 'sleepy', patience: 10 }, never);
      const error = await caught(() => runHook(beforeSend, MESSAGE, EXCHANGE));
      expect(error).to.include({ code: 'MCPC_PLUGIN' });
      expect((error as Error).message)
        .to.include('sleepy')
        .and.to.include('beforeSend');
    });
  }

  it('ends nothing else than its own message', async () => {
    const { beforeSend } = createHooks();
    let first = true;
    beforeSend.tap({ name: 'sleepy', patience: 10 }, () => {
      if (!first) return renamed('next');
      first = false;
      return never();
    });
    const failed = caught(() => runHook(beforeSend, MESSAGE, EXCHANGE));
    expect(runHook(beforeSend, MESSAGE, EXCHANGE)).to.deep.equal(renamed('next'));
    expect(await failed).to.include({ code: 'MCPC_PLUGIN' });
  });
});

describe('after', () => {
  it('goes on at once with a value, and later with a promise', async () => {
    expect(after(1, (value) => value + 1)).to.equal(2);
    expect(await after(Promise.resolve(1), (value) => value + 1)).to.equal(2);
  });
});

async function caught(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  return expect.fail('nothing was thrown');
}
