import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectorError } from '@mcp-connect/core';
import { expect } from 'chai';
import { LogFile } from './log-file.js';

describe('a log file', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcpc-log-'));
    path = join(folder, 'mcp.log');
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('is for its user alone, also where it was there before', async () => {
    await writeFile(path, 'old\n');
    await chmod(path, 0o644);
    const file = new LogFile(path);
    file.write('new');
    file.close();
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await readFile(path, 'utf8')).to.equal('old\nnew\n');
  });

  it('makes room for new lines and keeps the last three files', async () => {
    const file = new LogFile(path, { largest: 100 });
    for (let line = 0; line < 1_000; line++) file.write(`line ${line}`);
    file.close();
    const names = (await readdir(folder)).sort();
    expect(names).to.deep.equal(['mcp.log', 'mcp.log.1', 'mcp.log.2', 'mcp.log.3']);
    for (const name of names) expect((await stat(join(folder, name))).size).to.be.at.most(100);
    expect(await readFile(path, 'utf8')).to.include('line 999');
    expect((await stat(join(folder, 'mcp.log.1'))).mode & 0o777).to.equal(0o600);
  });

  it('is shared by several programs: what one turned, another does not turn again', async () => {
    const [one, two] = [new LogFile(path, { largest: 100 }), new LogFile(path, { largest: 100 })];
    for (const file of [one, two]) for (let line = 0; line < 5; line++) file.write('0123456789');
    one.write('x'.repeat(60));
    two.write('y'.repeat(60));
    one.close();
    two.close();
    const all = await Promise.all(
      (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
    );
    expect(all.join('').match(/0123456789/g)).to.have.length(10);
    expect(all.join('')).to.include('xxx').and.include('yyy');
  });

  it('that cannot be written is told at start', () => {
    expect(() => new LogFile(join(folder, 'no', 'such', 'folder.log')))
      .to.throw(ConnectorError, '--log-file')
      .with.property('code', 'MCPC_USAGE');
  });
});
