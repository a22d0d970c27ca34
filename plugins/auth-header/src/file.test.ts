import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { readHeadersFile } from './file.js';

describe('--headers-file', () => {
  let folder: string;

  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'mcp-connect-'))));
  after(() => rmSync(folder, { recursive: true }));

  function read(text: string, env: Record<string, string> = {}): (readonly [string, string])[] {
    const file = path.join(folder, 'headers');
    writeFileSync(file, text);
    return readHeadersFile(file, env);
  }

  it('holds one header a line, with variables, notes and empty lines between', () => {
    const text =
      '\uFEFF# Ours\r\nAuthorization: Bearer ${PAT}\r\n\r\n  X-List : a, B: c\n  # X-Off: 1\nX-Last:"z"';
    expect(read(text, { PAT: 'secret\u002cX-Evil:1' })).to.deep.equal([
      ['authorization', 'Bearer secret,X-Evil:1'],
      ['x-list', 'a, B: c'],
      ['x-last', '"z"'],
    ]);
    expect(read('')).to.deep.equal([]);
  });

  for (const [what, text] of [
    ['a line without a colon', 'X-A: 1\nhunter2'],
    ['a header that the transport sets', 'X-A: 1\nContent-Length: hunter2'],
    ['a letter that no header carries', 'X-A: 1\nX-B: hunter2ü'],
    ['a variable that is not set', 'X-A: 1\nX-B: hunter2${MISSING}'],
    ['a value that is empty', 'X-A: 1\nX-B:'],
  ] as const) {
    it(`is refused for ${what}, and no value is shown`, () => {
      expect(() => read(text))
        .to.throw(/--headers-file/)
        .that.satisfies((error: Error & { code: string }) => {
          expect(error.code).to.equal('MCPC_USAGE');
          expect(error.message)
            .to.match(/line 2|MISSING/)
            .and.not.include('hunter2');
          return true;
        });
    });
  }

  it('must be there', () => {
    expect(() => readHeadersFile(path.join(folder, 'none'), {}))
      .to.throw('--headers-file')
      .with.property('code', 'MCPC_USAGE');
  });
});
