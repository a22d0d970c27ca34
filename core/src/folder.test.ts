import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFolder } from './folder.js';

describe('makeFolder', () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'mcpc-folder-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  const codeOf = (path: string): string | undefined => {
    try {
      makeFolder(path);
      return undefined;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  };

  it('makes every folder that is missing, with its mode, and leaves those that are there', () => {
    const path = join(root, 'a', 'b', 'c');
    makeFolder(path, 0o700);
    makeFolder(path, 0o755);
    for (const each of [path, join(root, 'a')]) expect(statSync(each).mode & 0o777).to.equal(0o700);
  });

  it('takes no file for a folder', () => {
    writeFileSync(join(root, 'file'), '');
    expect(codeOf(join(root, 'file'))).to.equal('EEXIST');
    expect(codeOf(join(root, 'file', 'below'))).to.equal('ENOTDIR');
  });

  it('comes to an end where nothing can be made', function () {
    if (process.platform !== 'linux') return this.skip();
    expect(codeOf('/proc/mcp-connect/a/b')).to.equal('ENOENT');
  });
});
