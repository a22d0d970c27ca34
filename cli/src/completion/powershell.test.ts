import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Language, Parser, type Node } from 'web-tree-sitter';
import type { CompletedCommand } from './completed.js';
import { powershellCompletion } from './powershell.js';

const GRAMMAR = fileURLToPath(import.meta.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm'));

/** Everything that has a meaning within one of PowerShell's quotes. */
const HOSTILE = `It's $(throw 'it ran') "\${HOME}" \`n ‘curly’ ‚low‛ @{ } # 100% …`;

const COMMANDS: readonly CompletedCommand[] = [
  {
    id: 'proxy',
    flags: {
      endpoint: { type: 'option', summary: HOSTILE },
      'log-level': { type: 'option', summary: 'How much.', options: ['trace', "it's"] },
      debug: { type: 'boolean', summary: 'Log more.' },
      'not-shown': { type: 'boolean', hidden: true },
    },
  },
  { id: 'plugins:link', flags: {} },
  { id: 'secret', hidden: true, flags: {} },
];

/** PowerShell itself is no package of the registries that tests may use, so its grammar reads the script. */
describe('completion in PowerShell', () => {
  let strings: readonly string[];
  let root: Node;

  before(async () => {
    await Parser.init();
    const parser = new Parser();
    parser.setLanguage(await Language.load(GRAMMAR));
    root = parser.parse(powershellCompletion('x', COMMANDS))!.rootNode;
    strings = root
      .descendantsOfType('verbatim_string_characters')
      .map((node) => node!.text.slice(1, -1).replaceAll(/(['\u2018-\u201b])\1/g, '$1'));
  });

  it('is a script that can be read', () => {
    expect(root.hasError).to.equal(false);
  });

  it('names commands, flags, values and summaries, each of them as a text in which nothing is run', () => {
    expect(strings).to.include.members([
      'proxy',
      'plugins',
      'link',
      '--endpoint',
      '--debug',
      '--help',
      'trace',
      "it's",
    ]);
    expect(strings).to.include(HOSTILE).and.not.include('--not-shown').and.not.include('secret');
    // What is expanded is our own: names of variables, and nothing of a command.
    const expanded = root.descendantsOfType('expandable_string_literal').map((node) => node!.text);
    for (const text of expanded) expect(text).to.match(/^"[$\w(). =[\]]*"$/);
  });
});
