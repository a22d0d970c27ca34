import { definePlugin, type Plugin } from '@mcp-connect/core';
import { expect } from 'chai';
import { testAuth } from './auth.js';
import { testPlugin } from './plugin.js';
import { testStrategy } from './strategy.js';
import type { RegisterTest } from './transport.js';

const SECRET = 'open-sesame';

type Apply = Plugin<{}>['apply'];

const named = (apply: Apply): Plugin<{}> => definePlugin({ name: 'broken', apply });

/** Runs a suite and returns the names of the tests that fail. */
async function failuresOf(suite: (register: RegisterTest) => unknown): Promise<string[]> {
  const tests: [name: string, run: () => Promise<void>][] = [];
  suite((name, run) => tests.push([name, run]));
  const failed: string[] = [];
  for (const [name, run] of tests) await run().catch(() => failed.push(name));
  return failed;
}

const authFailures = (apply: Apply): Promise<string[]> =>
  failuresOf((register) =>
    testAuth(register, {
      plugin: named(apply),
      options: () => ({}),
      accepts: ({ headers }) => headers['x-pass'] === SECRET,
      secrets: [SECRET],
      supports: { idle: false },
    }),
  );

describe('testPlugin', () => {
  const failures = (apply: Apply): Promise<string[]> =>
    failuresOf((register) => testPlugin(register, { plugin: named(apply) }));

  const faults: [what: string, apply: Apply, failed: string][] = [
    [
      'drops notifications',
      ({ hooks }) =>
        hooks.beforeSend.tap('broken', (_, exchange) => void (exchange.id ?? exchange.drop('none'))),
      'leaves notifications alone that it does not know',
    ],
    [
      'lets messages overtake each other',
      ({ hooks }) =>
        hooks.openTransport.tap('broken', (open) => async (context) => {
          const transport = await open(context);
          return {
            ...transport,
            send: (envelope, credentials) =>
              void setTimeout(() => void transport.send(envelope, credentials), Math.random() * 20),
          };
        }),
      'keeps the order of messages',
    ],
    [
      'rewrites errors',
      ({ hooks }) =>
        hooks.afterReceive.tap('broken', (message) =>
          'error' in message ? { ...message, error: { code: 0, message: '' } } : message,
        ),
      'leaves errors of the server as they are',
    ],
  ];
  for (const [what, apply, failed] of faults) {
    it(`finds a plugin that ${what}`, async () => expect(await failures(apply)).to.include(failed));
  }

  it('finds a name that is none, and flags that are no data', async () => {
    const plugin = named(() => undefined);
    const broken = [
      { ...plugin, name: 'My Plugin' },
      { ...plugin, flags: { a: { type: 'string', summary: 's', check: () => true } as const } },
      { ...plugin, flags: { Loud: { type: 'boolean', summary: 's' } as const } },
      { ...plugin, flags: { loud: { type: 'boolean', summary: '' } as const } },
    ];
    for (const one of broken) {
      const failed = await failuresOf((register) => testPlugin(register, { plugin: one as Plugin }));
      expect(failed).to.deep.equal(['is a plugin whose flags are plain data']);
    }
  });
});

describe('testAuth', () => {
  const sign: Apply = ({ hooks, log }) => {
    log.hide(SECRET);
    hooks.authenticate.tap('broken', ({ headers }) => void (headers['x-pass'] = SECRET));
  };

  it('passes a plugin that signs in, and names what it leaves out', async () => {
    expect(await authFailures(sign)).to.deep.equal([]);
    const plugin = named(sign);
    const skipped = testAuth(() => undefined, {
      plugin,
      options: () => ({}),
      accepts: () => true,
      secrets: [],
      supports: { idle: false },
    });
    expect(skipped).to.have.length(2);
  });

  const faults: [what: string, apply: Apply, failed: string][] = [
    ['does not sign', () => undefined, 'signs a request so that the server lets it in'],
    [
      'lets its secret be shown',
      ({ hooks }) => hooks.authenticate.tap('broken', ({ headers }) => void (headers['x-pass'] = SECRET)),
      'shows no secret in logs and errors',
    ],
    [
      'throws the headers of others away',
      ({ hooks, log }) => {
        log.hide(SECRET);
        hooks.authenticate.tap('broken', ({ headers }) => {
          for (const name of Object.keys(headers)) delete headers[name];
          headers['x-pass'] = SECRET;
        });
      },
      'leaves the headers of other plugins alone',
    ],
    [
      'names headers in capitals',
      ({ hooks, ...registry }) => {
        sign({ hooks, ...registry }, {});
        hooks.authenticate.tap('broken', ({ headers }) => void (headers['X-Other'] = '1'));
      },
      'names header fields in small letters, and gives them values that a header can carry',
    ],
  ];
  for (const [what, apply, failed] of faults) {
    it(`finds a plugin that ${what}`, async () => expect(await authFailures(apply)).to.include(failed));
  }
});

describe('testStrategy', () => {
  const failures = (apply: Apply): Promise<string[]> =>
    failuresOf((register) => testStrategy(register, { plugin: named(apply) }));

  it('finds a strategy that goes to one server whatever happens', async () => {
    const failed = await failures(({ hooks }) =>
      hooks.selectTransport.tap('broken', (candidates) => candidates[0]),
    );
    expect(failed)
      .to.include('tries each candidate once before any twice, and goes on after that')
      .and.include('stays with the endpoint that a session is bound to');
  });

  it('finds a strategy that chooses what it was not offered', async () => {
    let first: Parameters<Parameters<Parameters<Apply>[0]['hooks']['selectTransport']['tap']>[1]>[0][0];
    const failed = await failures(({ hooks }) =>
      hooks.selectTransport.tap('broken', (candidates) => (first ??= candidates[0]!)),
    );
    expect(failed).to.include('chooses one of the candidates that it is offered');
  });
});
