import {
  Connector,
  type Credentials,
  createLog,
  definePlugin,
  Envelope,
  type FlagValues,
} from '@mcp-connect/core';
import { expect } from 'chai';
import header from './index.js';

type Options = FlagValues<NonNullable<typeof header.flags>>;

/** Sends one message through a connector and returns the headers that its transport got. */
async function headersWith(options: Partial<Options>, lines: string[] = []): Promise<Record<string, string>> {
  const log = createLog({ level: 'info', write: ({ text }) => lines.push(text) });
  const connector = new Connector({ log }).use(header, options);
  const sent = new Promise<Credentials>((resolve) => {
    connector.use(
      definePlugin({
        name: 'memory',
        apply(registry) {
          registry.hooks.authenticate.tap('other', ({ headers }) => {
            headers['authorization'] ??= 'Bearer of-another-plugin';
          });
          registry.transport('memory', {
            open: ({ onmessage }) => ({
              send({ id }, credentials) {
                resolve(credentials);
                void onmessage(Envelope.of({ jsonrpc: '2.0', id: id!, result: {} }));
              },
              close: async () => undefined,
            }),
          });
        },
      }),
      {},
    );
  });
  connector.endpoint('memory://x');
  const pipeline = connector.connect({ deliver: () => undefined });
  void pipeline.accept(Envelope.of({ jsonrpc: '2.0', id: 1, method: 'ping' }));
  const { headers } = await sent;
  await pipeline.close();
  log.info?.('got hunter2 and hunter3');
  return headers;
}

describe('auth-header', () => {
  it('say so where the name of a header stands without a key', async () => {
    for (const [options, said] of [
      [{ 'api-key-header': 'X-Key' }, 1],
      [{ 'api-key-header': 'X-Key', 'api-key': 'k' }, 0],
      [{}, 0],
    ] as const) {
      const lines: string[] = [];
      await headersWith(options, lines);
      expect(lines.filter((line) => line.includes('--api-key-header'))).to.have.length(said);
    }
  });

  it('sends an API key, headers and a user agent', async () => {
    const headers = await headersWith({
      'api-key': 'k3y',
      headers: ['X-A: 1,X-B: 2', 'X-C: 3'],
      'user-agent': 'me/1',
    });
    expect(headers).to.deep.equal({
      authorization: 'Bearer of-another-plugin',
      'x-api-key': 'k3y',
      'user-agent': 'me/1',
      'x-a': '1',
      'x-b': '2',
      'x-c': '3',
    });
  });

  it('sends the API key in the header that is named', async () => {
    const headers = await headersWith({ 'api-key': 'k3y', 'api-key-header': 'X-Goog-Api-Key' });
    expect(headers).to.deep.equal({
      authorization: 'Bearer of-another-plugin',
      'x-goog-api-key': 'k3y',
    });
  });

  for (const name of ['X Key', '', 'Content-Type']) {
    it(`does not take ${JSON.stringify(name)} for the name of a header`, () => {
      const log = createLog({ level: 'error', write: () => undefined });
      expect(() => new Connector({ log }).use(header, { 'api-key': 'k', 'api-key-header': name }).start())
        .to.throw('--api-key-header')
        .with.property('code', 'MCPC_USAGE');
    });
  }

  it('is seen by the plugins that sign in', async () => {
    const log = createLog({ level: 'error', write: () => undefined });
    const seen: (string | undefined)[] = [];
    const connector = new Connector({ log })
      .use(
        definePlugin({
          name: 'sign-in',
          apply: (registry) => {
            registry.hooks.authenticate.tap(
              'sign-in',
              ({ headers }) => void seen.push(headers['authorization']),
            );
            registry.transport('memory', {
              open: ({ onmessage }) => ({
                send: ({ id }) => void onmessage(Envelope.of({ jsonrpc: '2.0', id: id!, result: {} })),
                close: async () => undefined,
              }),
            });
          },
        }),
      )
      .use(header, { headers: ['Authorization: Basic eDp5'] });
    connector.endpoint('memory://x');
    const answered = new Promise<void>((resolve) => {
      const pipeline = connector.connect({ deliver: () => resolve() });
      void pipeline.accept(Envelope.of({ jsonrpc: '2.0', id: 1, method: 'ping' }));
    });
    await answered;
    expect(seen).to.deep.equal(['Basic eDp5']);
  });

  it('wins over other plugins, and a header spelt out over a flag', async () => {
    const headers = await headersWith({
      'api-key': 'k3y',
      headers: ['Authorization: Basic eDp5', 'x-api-key: other'],
    });
    expect(headers).to.deep.equal({ authorization: 'Basic eDp5', 'x-api-key': 'other' });
  });

  it('leaves everything alone without flags', async () => {
    expect(await headersWith({})).to.deep.equal({ authorization: 'Bearer of-another-plugin' });
  });

  it('hides keys and values from logs', async () => {
    const lines: string[] = [];
    await headersWith({ 'api-key': 'hunter2', headers: ['Authorization: Bearer hunter3'] }, lines);
    expect(lines.at(-1)).to.equal('got [hidden] and [hidden]');
  });
});
