import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandEndpoint, parseEndpoint } from '@mcp-connect/core';
import { expect } from 'chai';
import { checkProgram, splitCommand, wordsOf } from './command.js';

const usage = { code: 'MCPC_USAGE' };

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('a command line', () => {
  const cases: [text: string, words: string[]][] = [
    ['node server.js', ['node', 'server.js']],
    ['  node\t server.js\n', ['node', 'server.js']],
    [`node "my server.js" 'a b'`, ['node', 'my server.js', 'a b']],
    [`a"b c"'d e'f`, ['ab cd ef']],
    [`x "" ''`, ['x', '', '']],
    [`a\\ b c\\"d`, ['a b', 'c"d']],
    [`"a\\"b" "c\\\\d" "e\\f"`, ['a"b', 'c\\d', 'e\\f']],
    [`'a\\b'`, ['a\\b']],
    ['echo $HOME `x` *', ['echo', '$HOME', '`x`', '*']],
    ['', []],
  ];
  for (const [text, words] of cases) {
    it(`splits ${JSON.stringify(text)}`, () => {
      expect(splitCommand(text, 'linux')).to.deep.equal(words);
    });
  }

  it('leaves the backslashes of Windows paths alone', () => {
    const words = splitCommand('"C:\\Program Files\\node.exe" C:\\srv\\ --say \\"hi\\"', 'win32');
    expect(words).to.deep.equal(['C:\\Program Files\\node.exe', 'C:\\srv\\', '--say', '"hi"']);
  });

  for (const text of [`node "server.js`, `it's`, 'node \\']) {
    it(`refuses ${text}`, () => {
      expect(thrown(() => splitCommand(text, 'linux'))).to.include(usage);
    });
  }
});

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

  it('must not be none', () => {
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
