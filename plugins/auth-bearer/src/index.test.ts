import { Connector, type Credentials, createLog, definePlugin, Envelope, type Log } from '@mcp-connect/core';
import { expect } from 'chai';
import bearer from './index.js';

/** Sends one message through a connector and returns the headers that its transport got. */
async function headersWith(
  token: string | undefined,
  log: Log,
  before: Record<string, string> = {},
): Promise<Record<string, string>> {
  const connector = new Connector({ log });
  const sent = new Promise<Credentials>((resolve) => {
    connector.use(
      definePlugin({
        name: 'memory',
        apply(registry) {
          registry.hooks.authenticate.tap('before', ({ headers }) => void Object.assign(headers, before));
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
  connector.use(bearer, { 'auth-token': token });
  connector.endpoint('memory://x');
  const pipeline = connector.connect({ deliver: () => undefined });
  void pipeline.accept(Envelope.of({ jsonrpc: '2.0', id: 1, method: 'ping' }));
  const { headers } = await sent;
  await pipeline.close();
  return headers;
}

describe('auth-bearer', () => {
  const quiet = createLog({ level: 'error', write: () => undefined });

  for (const [what, given] of [
    ['a token', 'abc.def-123='],
    ['a token with its scheme', 'Bearer abc.def-123='],
    ['a token with its scheme in small letters', 'bearer  abc.def-123='],
    ['a token with a line end behind it', ' abc.def-123=\r\n'],
  ] as const) {
    it(`sends ${what}`, async () => {
      expect(await headersWith(given, quiet)).to.deep.equal({ authorization: 'Bearer abc.def-123=' });
    });
  }

  it('leaves a header alone that is there already', async () => {
    const headers = await headersWith('abc', quiet, { authorization: 'Basic eDp5' });
    expect(headers).to.deep.equal({ authorization: 'Basic eDp5' });
  });

  it('does nothing without a token', async () => {
    expect(await headersWith(undefined, quiet)).to.deep.equal({});
  });

  it('hides the token from logs', async () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', write: ({ text }) => lines.push(text) });
    await headersWith('Bearer hunter2', log);
    log.info?.('got hunter2');
    expect(lines).to.deep.equal(['got [hidden]']);
  });

  it('takes its token from one place only', () => {
    const options = { 'auth-token': 'abc', 'auth-token-file': '/no/such/file' };
    expect(() => new Connector({ log: quiet }).use(bearer, options).start())
      .to.throw('--auth-token-file')
      .with.property('code', 'MCPC_USAGE');
  });

  for (const token of ['hunter2\r\nX-Evil: 1', 'hunter2 hunter2', 'hünter2', '', 'Bearer ']) {
    it(`refuses ${JSON.stringify(token)} without showing it`, () => {
      const connector = new Connector({ log: quiet }).use(bearer, { 'auth-token': token });
      expect(() => connector.start())
        .to.throw()
        .that.satisfies((error: unknown) => {
          expect(error).to.include({ code: 'MCPC_USAGE' });
          expect(JSON.stringify([error, String(error)])).not.to.contain('nter2');
          return true;
        });
    });
  }
});
