import { expect } from 'chai';
import { splitCommand } from './command.js';

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
      expect(splitCommand(text, { source: 'x', platform: 'linux' })).to.deep.equal(words);
    });
  }

  it('leaves the backslashes of Windows paths alone', () => {
    const text = '"C:\\Program Files\\node.exe" C:\\srv\\ --say \\"hi\\"';
    const words = splitCommand(text, { source: 'x', platform: 'win32' });
    expect(words).to.deep.equal(['C:\\Program Files\\node.exe', 'C:\\srv\\', '--say', '"hi"']);
  });

  for (const text of [`node "server.js`, `it's`, 'node \\']) {
    it(`refuses ${text}, naming where it stands`, () => {
      expect(() => splitCommand(text, { source: '--flag', platform: 'linux' }))
        .to.throw('--flag')
        .with.property('code', 'MCPC_USAGE');
    });
  }
});
