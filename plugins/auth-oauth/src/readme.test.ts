import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { FLAGS } from './flags.js';

describe('the README', () => {
  it('lists every flag with its variable', async () => {
    const rows = (await readFile(new URL('../README.md', import.meta.url), 'utf8')).split('\n');
    for (const [name, { env }] of Object.entries(FLAGS)) {
      const row = rows.find((line) => line.startsWith(`| \`--${name}\``));
      expect(row, name).to.contain(`\`${env}\``);
    }
  });
});
