import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Connector, createLog } from '@mcp-connect/core';
import { expect } from 'chai';
import bearer from './index.js';
import { Guarded } from './server.test.js';

describe('--auth-token-command', () => {
  let folder: string;
  let server: Guarded | undefined;

  /** A program that notes each of its runs and prints the token of the file beside it. */
  const program = (): string => `"${process.execPath}" "${path.join(folder, 'token.cjs')}"`;
  const give = (token: string): void => writeFileSync(path.join(folder, 'token'), token);
  const runs = (): number => readFileSync(path.join(folder, 'runs'), 'utf8').length;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mcp-connect-'));
    const script = `const fs = require('fs'), path = require('path');
      fs.appendFileSync(path.join(__dirname, 'runs'), '.');
      process.stdout.write(fs.readFileSync(path.join(__dirname, 'token')));`;
    writeFileSync(path.join(folder, 'token.cjs'), script);
  });

  afterEach(async () => {
    await server?.close();
    server = undefined;
    rmSync(folder, { recursive: true });
  });

  it('is run once, however many requests come', async () => {
    give('good-token\n');
    server = new Guarded('good-token', { 'auth-token-command': program() });
    const { ask } = server;
    const at = ask.bind(server);
    expect(await Promise.all([at(), at(), at()])).to.deep.equal(['ok', 'ok', 'ok']);
    expect(await at()).to.equal('ok');
    expect(runs()).to.equal(1);
    server.log.info?.('good-token');
    expect(server.logged).to.deep.equal(['[hidden]']);
  });

  it('is run once more when the server refuses the token, for all requests that it refused', async () => {
    give('old-token');
    server = new Guarded('old-token', { 'auth-token-command': program() });
    await server.ask();
    server.accepted = 'new-token';
    give('new-token');
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => server!.ask()));
    expect(new Set(outcomes)).to.deep.equal(new Set(['ok']));
    expect(runs()).to.equal(2);
    expect(await server.ask()).to.equal('ok');
    expect(runs()).to.equal(2);
  });

  it('that prints the refused token again does not make the request go out again', async () => {
    give('old-token');
    server = new Guarded('new-token', { 'auth-token-command': program() });
    expect(await server.ask()).to.equal('MCPC_UNAUTHORIZED');
    expect(server.came).to.have.length(1);
    expect(runs()).to.equal(2);
  });

  for (const [what, command] of [
    ['fails', `"${process.execPath}" -e "process.exit(7)"`],
    ['does not exist', '/no/such/program'],
    ['prints no token', `"${process.execPath}" -e "console.log('two words')"`],
  ] as const) {
    it(`that ${what} is a named error, and nothing is sent`, async () => {
      server = new Guarded('x', { 'auth-token-command': command });
      expect(await server.ask()).to.equal('MCPC_SIGN_IN');
      expect(server.error).to.include('--auth-token-command').and.not.include('two words');
      expect(server.came).to.deep.equal([]);
    });
  }

  it('that never ends is given up before the request is', async () => {
    server = new Guarded(
      'x',
      { 'auth-token-command': `"${process.execPath}" -e "setInterval(() => {}, 1000)"` },
      400,
    );
    expect(await server.ask()).to.equal('MCPC_SIGN_IN');
    expect(server.error).to.include('0.3 s');
  });

  for (const command of ['', 'gh "auth token']) {
    it(`is refused at start when it is ${JSON.stringify(command)}`, () => {
      const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
      expect(() => connector.use(bearer, { 'auth-token-command': command }).start())
        .to.throw('--auth-token-command')
        .with.property('code', 'MCPC_USAGE');
    });
  }
});
