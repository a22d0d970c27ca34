import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { Connector, createLog, parseEndpoint, serveClient, type FlagValues } from '@mcp-connect/core';
import { expect } from 'chai';
import stdio from './index.js';

type Options = Partial<FlagValues<NonNullable<typeof stdio.flags>>>;

function connector(endpoint: string, options: Options = {}): Connector {
  const made = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
  made.endpoint(parseEndpoint(endpoint, 'stdio'));
  const given = { 'stdio-env': [], 'stdio-clean-env': false, 'stdio-cwd': undefined, ...options };
  return made.use(stdio, given);
}

describe('transport-stdio', () => {
  it('joins a client to a local program', async () => {
    const script = `process.stdin.once('data', (data) => console.log(JSON.stringify(
      { jsonrpc: '2.0', id: JSON.parse(data).id, result: { name: process.env.NAME } })))`;
    const input = new PassThrough();
    const output = new PassThrough();
    const command = `"${process.execPath}" -e '${script.replaceAll("'", `'"'"'`)}'`;
    const serving = serveClient(connector(command, { 'stdio-env': ['NAME=a b'] }), { input, output });
    input.write('{"jsonrpc":"2.0","id":7,"method":"ping"}\n');
    const [line] = (await once(output, 'data')) as [Buffer];
    expect(JSON.parse(line.toString())).to.deep.equal({ jsonrpc: '2.0', id: 7, result: { name: 'a b' } });
    await serving.close();
  });

  for (const [what, endpoint, options] of [
    ['a program that is nowhere', 'no-such-program-of-ours --x', {}],
    ['an open quote', 'node "server.js', {}],
    ['a directory that is nowhere', 'node', { 'stdio-cwd': '/no/such/directory' }],
    ['a variable without a name', 'node', { 'stdio-env': ['oops'] }],
  ] as [string, string, Options][]) {
    it(`refuses ${what} before anything starts`, () => {
      expect(() => connector(endpoint, options).start())
        .to.throw()
        .that.includes({ code: 'MCPC_USAGE' });
    });
  }
});
