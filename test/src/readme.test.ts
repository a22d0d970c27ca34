import { readFile } from 'node:fs/promises';
import { expect } from 'chai';

const ROOT = new URL('../../', import.meta.url);

describe('the README of @mcp-connect/testing', () => {
  for (const kind of ['transport', 'auth', 'strategy', 'plugin']) {
    it(`shows the very example of a ${kind} that is compiled and run`, async () => {
      const readme = await readFile(new URL('README.md', ROOT), 'utf8');
      const example = await readFile(new URL(`src/example-${kind}.test.ts`, ROOT), 'utf8');
      expect(readme).to.include(`\`\`\`ts\n${example}\`\`\``);
    });
  }
});
