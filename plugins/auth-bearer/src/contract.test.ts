import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testAuth } from '@mcp-connect/testing';
import bearer from './index.js';

const FIRST = 'first-token-1234';
const SECOND = 'second-token-5678';

describe('auth-bearer keeps the contract of a plugin that signs in', () => {
  let folder: string;
  let file: string;
  let accepted: string;

  const give = (token: string): void => {
    accepted = token;
    writeFileSync(file, token);
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mcp-connect-'));
    file = path.join(folder, 'token');
    give(FIRST);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [where, options] of [
    ['the command line', () => ({ 'auth-token': FIRST })],
    ['a file', () => ({ 'auth-token-file': file })],
    [
      'a command',
      () => ({
        'auth-token-command': `"${process.execPath}" -p "fs.readFileSync(process.argv[1],'utf8')" "${file}"`,
      }),
    ],
  ] as const) {
    describe(`with a token of ${where}`, () => {
      testAuth(it, {
        plugin: bearer,
        options,
        accepts: ({ headers }) => headers['authorization'] === `Bearer ${accepted}`,
        secrets: [FIRST],
        ...(where !== 'the command line' && { renew: () => give(SECOND) }),
      });
    });
  }
});
