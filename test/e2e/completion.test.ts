import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Terminal } from './terminal.js';

const RUN = fileURLToPath(new URL('../../../cli/bin/run.js', import.meta.url));
const PLUGIN = `export default {
  name: 'mine',
  flags: { 'mine-word': { type: 'string', summary: 'A word: "mine" [or not], $(touch ~/ran).', options: ['alpha', 'beta'] } },
  apply() {},
};`;
const MANIFEST = {
  name: 'mine',
  version: '1.0.0',
  exports: './index.mjs',
  keywords: ['mcp-connect-plugin'],
  oclif: {},
};

const SHELLS = {
  bash: 'bash --norc --noprofile -i',
  zsh: 'zsh -f -i',
} as const;

describe('completion', function () {
  this.timeout(20_000);
  let root: string;
  let env: Record<string, string>;

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'mcp-connect-completion-'));
    env = {
      HOME: root,
      PATH: process.env['PATH'] ?? '',
      MCP_CONNECT_DATA_DIR: join(root, 'data'),
      MCP_CONNECT_CACHE_DIR: join(root, 'cache'),
      MCP_CONNECT_CONFIG_DIR: join(root, 'config'),
    };
    const plugin = join(root, 'mine');
    mkdirSync(plugin);
    writeFileSync(join(plugin, 'package.json'), JSON.stringify(MANIFEST));
    writeFileSync(join(plugin, 'index.mjs'), PLUGIN);
    writeFileSync(join(root, 'a-file.pem'), '');
    // Linking is enough: completion is made anew with every plugin.
    execFileSync(process.execPath, [RUN, 'plugins', 'link', plugin], { env, stdio: 'ignore' });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  for (const [shell, command] of Object.entries(SHELLS)) {
    describe(`in ${shell}`, () => {
      let terminal: Terminal;

      before(async () => {
        terminal = new Terminal(command, env);
        terminal.type(
          `cd "$HOME"; source "$MCP_CONNECT_CACHE_DIR/autocomplete/${shell}_setup"; echo read''y`,
        );
        terminal.press('Enter');
        await terminal.shows(/^ready$/m);
      });
      after(() => terminal.close());
      beforeEach(() => terminal.press('C-u', 'C-l'));

      for (const [what, typed, completed] of [
        ['a command', 'prox', 'proxy'],
        ['a command below another', 'plugins unin', 'plugins uninstall'],
        ['a flag', 'proxy --endp', 'proxy --endpoint'],
        ['a second flag', 'proxy --debug --endp', 'proxy --debug --endpoint'],
        ['a flag behind a value', 'proxy --timeout 5 --endp', 'proxy --timeout 5 --endpoint'],
        [
          'a flag behind an address',
          'proxy --endpoint http://h:1/mcp --debu',
          'proxy --endpoint http://h:1/mcp --debug',
        ],
        ['a flag of a plugin that comes along', 'proxy --auth-token-f', 'proxy --auth-token-file'],
        ['a flag of a plugin of the user', 'proxy --debug --mine', 'proxy --debug --mine-word'],
        ['one of the values of a flag', 'proxy --log-level tra', 'proxy --log-level trace'],
        ['one of the values of a flag of a plugin', 'proxy --mine-word be', 'proxy --mine-word beta'],
        ['a file as the value of a flag', 'proxy --ca a-fi', 'proxy --ca a-file.pem'],
        ['a value below a command', 'plugins create x --kind tran', 'plugins create x --kind transport'],
      ] as const) {
        it(`completes ${what}`, async () => {
          terminal.type(`mcp-connect ${typed}`);
          terminal.press('Tab');
          await terminal.shows(new RegExp(`mcp-connect ${completed}( |$)`, 'm'));
        });
      }

      it('runs nothing that a summary holds', async () => {
        terminal.type('mcp-connect proxy --mine');
        terminal.press('Tab');
        await terminal.shows(/--mine-word/);
        expect(existsSync(join(root, 'ran'))).to.equal(false);
      });

      it('offers all commands', async () => {
        terminal.type('mcp-connect ');
        terminal.press('Tab', 'Tab');
        const screen = await terminal.shows(/load-balance/);
        for (const one of ['proxy', 'plugins', 'autocomplete']) expect(screen).to.include(one);
      });

      it('offers the values that a flag allows', async () => {
        terminal.type('mcp-connect proxy --retry-tools ');
        terminal.press('Tab', 'Tab');
        const screen = await terminal.shows(/annotated/);
        expect(screen)
          .to.match(/^.*never.*$/m)
          .and.not.include('--timeout');
      });
    });
  }

  it('in bash takes a value behind an equals sign', async () => {
    const terminal = new Terminal(SHELLS.bash, env);
    terminal.type('source "$MCP_CONNECT_CACHE_DIR/autocomplete/bash_setup"; echo read""y');
    terminal.press('Enter');
    await terminal.shows(/^ready$/m);
    terminal.type('mcp-connect proxy --log-level=tra');
    terminal.press('Tab');
    await terminal.shows(/--log-level=trace/);
    terminal.close();
  });
});
