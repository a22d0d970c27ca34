import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const LEFT_OUT = new Set(['node_modules', 'dist', 'templates', '.git', '.bench']);
const MANUAL = join(ROOT, 'docs/commands');

const read = (...parts: readonly string[]): string => readFileSync(join(ROOT, ...parts), 'utf8');

/** All documents of the repository, as paths from its top. */
function documentsBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : documentsBelow(path);
    return entry.name.endsWith('.md') ? [relative(ROOT, path)] : [];
  });
}

/** The lines to type in a document, each as one. */
function linesIn(text: string): string[] {
  const blocks = [...text.matchAll(/```(?:sh|bash)\n([^]*?)```/g)].map(([, block]) => block!);
  return blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n'));
}

describe('the documents', () => {
  const documents = documentsBelow(ROOT);

  it('link to what is there', () => {
    const broken = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !existsSync(join(ROOT, dirname(document), target)))
        .map((target) => `${document}: ${target}`),
    );
    expect(broken).to.deep.equal([]);
  });

  it('show commands and flags that there are', () => {
    const unknown: string[] = [];
    for (const document of documents) {
      for (const line of linesIn(read(document))) {
        const [, words = ''] = /^(?:\$ )?mcp-connect ([a-z][^#|]*)/.exec(line) ?? [];
        if (words === '' || words.includes('--plugin')) continue;
        const [first = '', second = ''] = words.split(' ');
        const page = [`${first}-${second}.md`, `${first}.md`].find((name) => existsSync(join(MANUAL, name)));
        const known = page === undefined ? '' : read('docs/commands', page);
        const flags = words.replace(/ -- .*/, '').match(/(?<= )--[a-z][\w-]*/g) ?? [];
        const missing = flags.filter((flag) => flag !== '--help' && !known.includes(`\`${flag}\``));
        if (page === undefined || missing.length > 0) unknown.push(`${document}: ${line}`);
      }
    }
    expect(unknown).to.deep.equal([]);
  });

  it('agree on which faults are passed', () => {
    const cellsOf = (table: string): string[][] =>
      table
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .map((line) =>
          line
            .split('|')
            .slice(1, -1)
            .map((cell) => cell.trim()),
        );
    const all = cellsOf(read('docs/faults.md'))
      .slice(2)
      .filter(([, ours = '']) => /^[✓✗–]/.test(ours));
    const [, short = ''] = /<!-- faults -->([^]*?)<!-- end -->/.exec(read('README.md')) ?? [];
    const shown = cellsOf(short).slice(2);
    const totals = shown.pop()!.slice(1);
    for (const [fault, ...marks] of shown) {
      const row = all.find(([name]) => name === fault);
      expect(
        row?.slice(1).map((cell) => cell[0]),
        fault,
      ).to.deep.equal(marks);
    }
    const counted = [1, 2, 3].map((column) => {
      const marks = all.map((cells) => cells[column]![0]).filter((mark) => mark !== '–');
      return `${marks.filter((mark) => mark === '✓').length} of ${marks.length}`;
    });
    expect(totals).to.deep.equal(counted);
  });
});
