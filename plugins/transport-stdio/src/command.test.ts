import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandEndpoint, parseEndpoint } from '@mcp-connect/core';
import { expect } from 'chai';
import { checkProgram, placesOf, wordsOf } from './command.js';

const usage = { code: 'MCPC_USAGE' };

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('the words of an endpoint', () => {
  it('are exact where they were given after --', () => {
    expect(wordsOf(commandEndpoint(['node', 'my server.js', '']))).to.deep.equal([
      'node',
      'my server.js',
      '',
    ]);
  });

  it('are split where a command line was given', () => {
    expect(wordsOf(parseEndpoint('stdio:node "my server.js"'))).to.deep.equal(['node', 'my server.js']);
  });

  it('must not be none, or cut short by an open quote', () => {
    expect(thrown(() => wordsOf(parseEndpoint('stdio:node "server.js')))).to.include(usage);
    expect(thrown(() => wordsOf(commandEndpoint([])))).to.include(usage);
    expect(thrown(() => wordsOf(commandEndpoint(['', 'x'])))).to.include(usage);
  });
});

describe('a program', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mcp-connect-'));
    writeFileSync(path.join(folder, 'runs'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(path.join(folder, 'data'), 'no program', { mode: 0o644 });
  });

  after(() => rmSync(folder, { recursive: true }));

  it('is found on the PATH, beside what cannot be read there', () => {
    const PATH = [path.join(folder, 'data'), path.join(folder, 'none'), folder].join(path.delimiter);
    checkProgram('runs', { env: { PATH }, cwd: '/' });
  });

  it('is found by its path, from the directory it will run in', () => {
    checkProgram('./runs', { env: {}, cwd: folder });
    checkProgram(path.join(folder, 'runs'), { env: {}, cwd: '/' });
  });

  it('is refused when it is not there', () => {
    for (const program of ['rums', './rums', path.join(folder, 'rums')]) {
      expect(thrown(() => checkProgram(program, { env: { PATH: folder }, cwd: folder }))).to.include(usage);
    }
  });

  it('is refused when it may not be run, or is a directory', () => {
    expect(thrown(() => checkProgram('./data', { env: {}, cwd: folder }))).to.include(usage);
    expect(thrown(() => checkProgram(folder, { env: {}, cwd: '/' }))).to.include(usage);
  });
});

describe('a program on Windows', () => {
  const cwd = 'C:\\work';
  const env = { Path: '"C:\\Program Files\\node";D:\\bin', PathExt: '.EXE;.CMD' };
  const places = (program: string): readonly string[] => placesOf(program, { env, cwd, platform: 'win32' });

  it('is looked for with its endings, here first and then on the Path, however that is written', () => {
    expect(places('npx')).to.deep.equal([
      'C:\\work\\npx',
      'C:\\work\\npx.EXE',
      'C:\\work\\npx.CMD',
      'C:\\Program Files\\node\\npx',
      'C:\\Program Files\\node\\npx.EXE',
      'C:\\Program Files\\node\\npx.CMD',
      'D:\\bin\\npx',
      'D:\\bin\\npx.EXE',
      'D:\\bin\\npx.CMD',
    ]);
  });

  it('is found by its path, with a drive or without', () => {
    expect(places('D:\\tools\\x.exe')[0]).to.equal('D:\\tools\\x.exe');
    expect(places('D:/tools/x')).to.include('D:\\tools\\x.CMD');
    expect(places('.\\x')).to.deep.equal(['C:\\work\\x', 'C:\\work\\x.EXE', 'C:\\work\\x.CMD']);
  });
});
