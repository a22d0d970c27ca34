import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLog } from '@mcp-connect/core';
import { expect } from 'chai';
import { TokenFile } from './file.js';
import { Guarded } from './server.test.js';

describe('--auth-token-file', () => {
  let folder: string;
  let file: string;
  let server: Guarded | undefined;

  /** Replaces the file as a careful writer does. */
  function replace(text: string): void {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mcp-connect-'));
    file = path.join(folder, 'token');
  });

  afterEach(async () => {
    await server?.close();
    server = undefined;
    rmSync(folder, { recursive: true });
  });

  it('gives the token, and the next one as soon as the file is replaced', async () => {
    replace('first-token\n');
    server = new Guarded('first-token', { 'auth-token-file': file });
    expect(await server.ask()).to.equal('ok');
    server.accepted = 'second-token';
    replace('second-token\n');
    expect(await server.ask()).to.equal('ok');
    expect(server.came).to.deep.equal(['Bearer first-token', 'Bearer second-token']);
    server.log.info?.('first-token, second-token');
    expect(server.logged).to.deep.equal(['[hidden], [hidden]']);
  });

  it('is not sent twice when it is refused and has not changed', async () => {
    replace('old-token');
    server = new Guarded('new-token', { 'auth-token-file': file });
    expect(await server.ask()).to.equal('MCPC_UNAUTHORIZED');
    expect(server.came).to.deep.equal(['Bearer old-token']);
  });

  it('keeps the last token while the file is gone or broken, and says so once', async () => {
    replace('first-token');
    server = new Guarded('first-token', { 'auth-token-file': file });
    rmSync(file);
    expect([await server.ask(), await server.ask()]).to.deep.equal(['ok', 'ok']);
    expect(server.logged).to.have.length(1);
    replace('half a tok');
    expect(await server.ask()).to.equal('ok');
    expect(server.logged.join()).not.to.include('half a');
    replace('next-token');
    server.accepted = 'next-token';
    expect(await server.ask()).to.equal('ok');
  });

  for (const [what, text] of [
    ['empty', ''],
    ['of several lines', 'hunter2\nhunter2'],
  ] as const) {
    it(`must not be ${what}`, () => {
      replace(text);
      const log = createLog({ level: 'error', write: () => undefined });
      expect(() => new TokenFile(file, log))
        .to.throw('--auth-token-file')
        .with.property('code', 'MCPC_USAGE');
    });
  }

  it('must be there', () => {
    const log = createLog({ level: 'error', write: () => undefined });
    expect(() => new TokenFile(file, log))
      .to.throw('--auth-token-file')
      .with.property('code', 'MCPC_USAGE');
  });
});
