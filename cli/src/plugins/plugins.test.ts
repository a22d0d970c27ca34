import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ListedPlugin } from './listing.js';

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

const PLUGIN = `export default {
  name: 'mine',
  core: '^0.1.0',
  flags: { 'mine-word': { type: 'string', summary: 'A word of mine.', env: 'MINE_WORD' } },
  apply(connector, options) {
    connector.hooks.beforeSend.tap('mine', (message, exchange) => {
      exchange.answer({ result: { from: 'VERSION', word: options['mine-word'] } });
    });
    connector.transport('mine', { open: () => ({ send() {}, close: async () => undefined }) });
  },
};`;
const COMMAND = `import { Command } from '@oclif/core';
export default class Greet extends Command { async run() { this.log('hello from a plugin'); } }`;
const PACKAGE = { name: 'mine', version: '1.2.3', type: 'module', exports: './index.js', oclif: {} };
const ASK = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n';

describe('plugins of the user', () => {
  let root: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mcp-connect-plugins-'));
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(MCP_CONNECT_|DEBUG$|NODE_EX)/.test(name),
    );
    env = {
      ...Object.fromEntries(inherited),
      MCP_CONNECT_DATA_DIR: join(root, 'data'),
      MCP_CONNECT_CACHE_DIR: join(root, 'cache'),
      MCP_CONNECT_CONFIG_DIR: join(root, 'config'),
    };
  });
  afterEach(() => rmSync(root, { recursive: true }));

  async function mcpConnect(
    args: readonly string[],
    input = '',
  ): Promise<{ code: unknown; out: string; err: string }> {
    const child = spawn(process.execPath, [RUN, ...args], { cwd: root, env });
    child.stdin.end(input);
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { code: code as unknown, out, err };
  }

  async function listed(...args: string[]): Promise<readonly ListedPlugin[]> {
    const { out, err } = await mcpConnect(['plugins', '--json', ...args]);
    expect(err).to.equal('');
    return JSON.parse(out) as ListedPlugin[];
  }

  /** Writes a package, whose plugin answers every request with its version. */
  function write(folder: string, manifest: object = {}, source = PLUGIN): string {
    const path = join(root, folder);
    mkdirSync(join(path, 'commands'), { recursive: true });
    const complete = { ...PACKAGE, keywords: ['mcp-connect-plugin'], ...manifest };
    writeFileSync(join(path, 'package.json'), JSON.stringify(complete));
    writeFileSync(join(path, 'index.js'), source.replace('VERSION', folder));
    return path;
  }

  /** Puts a package where "plugins install" would. */
  function install(manifest: object = {}, source = PLUGIN): void {
    const path = write('mine', manifest, source);
    const data = env['MCP_CONNECT_DATA_DIR']!;
    cpSync(path, join(data, 'node_modules', 'mine'), { recursive: true });
    const plugins = [{ name: 'mine', type: 'user', tag: 'latest' }];
    writeFileSync(
      join(data, 'package.json'),
      JSON.stringify({ oclif: { schema: 1, plugins }, dependencies: {} }),
    );
  }

  it('are listed with those that come with the program, in one line each and what it brings below', async () => {
    const { code, out } = await mcpConnect(['plugins']);
    expect(code).to.equal(0);
    expect(out).to.match(
      /^@mcp-connect\/transport-http \d+\.\d+\.\d+ \(built-in, core \^\d+\.\d+\.\d+\)\n {2}transports http, sse\n/,
    );
    expect(out).to.include('hooks      authenticate').and.include('--auth-token, ');
  });

  it('are listed as data, with what a plugin registers that does not say so', async () => {
    const path = write('mine');
    const [mine] = (await listed('--plugin', path)).slice(-1);
    expect(mine).to.deep.include({ name: 'mine', version: '1.2.3', origin: 'named', path, core: '^0.1.0' });
    expect(mine).to.deep.include({ schemes: ['mine'], hooks: ['beforeSend'], commands: [] });
    expect(mine!.flags['mine-word']).to.have.property('env', 'MINE_WORD');
  });

  it('are in use once they are linked, with flags and variables, and no longer when they are unlinked', async () => {
    const path = write('mine');
    expect(await mcpConnect(['plugins', 'link', path])).to.include({ code: 0 });
    expect((await listed()).at(-1)).to.deep.include({ name: 'mine', origin: 'linked', path });
    const { out } = await mcpConnect(['proxy', '--endpoint', 'mine://here', '--mine-word', 'hello'], ASK);
    expect(JSON.parse(out)).to.have.deep.property('result', { from: 'mine', word: 'hello' });
    expect((await mcpConnect(['proxy', '--help'])).out)
      .to.include('MINE FLAGS')
      .and.include('--mine-word');
    expect((await mcpConnect(['plugins', 'inspect', 'mine'])).out).to.include('1.2.3');
    expect(await mcpConnect(['plugins', 'uninstall', 'mine'])).to.include({ code: 0 });
    expect((await listed()).map(({ name }) => name)).not.to.include('mine');
  });

  it('are told with what there is, where another is to be inspected or uninstalled', async () => {
    install();
    for (const use of ['inspect', 'uninstall']) {
      for (const [word, next] of [
        ['nope-nope', 'Installed are mine'],
        ['mien', `mcp-connect plugins ${use} mine?`],
        ['@mcp-connect/transport-http', 'comes with mcp-connect'],
      ] as const) {
        const { code, out, err } = await mcpConnect(['plugins', use, word]);
        expect({ code, out }, word).to.deep.equal({ code: 2, out: '' });
        expect(err)
          .to.match(/^mcp-connect: [^\n]+\n$/)
          .and.include(next);
      }
    }
  });

  for (const [line, variable] of [
    [['plugins', 'link', 'mine'], 'MCP_CONNECT_DATA_DIR'],
    [['plugins', 'install', './mine'], 'MCP_CONNECT_DATA_DIR'],
    [['autocomplete', 'bash'], 'MCP_CONNECT_CACHE_DIR'],
  ] as const) {
    it(`tell of a folder that cannot be made: ${line.join(' ')}`, async function () {
      if (process.platform !== 'linux') return this.skip();
      write('mine');
      env[variable] = '/proc/mcp-connect/folder';
      const { code, out, err } = await mcpConnect(line);
      expect({ code, out }).to.deep.equal({ code: 2, out: '' });
      expect(err)
        .to.match(/^mcp-connect: [^\n]+\n$/)
        .and.include(variable);
    });
  }

  it('cannot be linked from a package that is none', async () => {
    const path = write('mine', { oclif: undefined });
    const { code, out, err } = await mcpConnect(['plugins', 'link', path]);
    expect({ code, out }).to.deep.equal({ code: 2, out: '' });
    expect(err)
      .to.match(/^mcp-connect: [^\n]+\n$/)
      .and.include(`--plugin ${path}`);
  });

  it('have no README in a folder that is not there, which no flag has named', async () => {
    const { code, err } = await mcpConnect(['plugins', 'readme', 'nowhere']);
    expect(code).to.equal(2);
    expect(err).to.include(join(root, 'nowhere')).and.not.include('--plugin');
  });

  it('make room for one of the same name that is named', async () => {
    install();
    const path = write('other');
    const line = ['proxy', '--endpoint', 'mine://here'];
    expect(JSON.parse((await mcpConnect(line, ASK)).out)).to.have.nested.property('result.from', 'mine');
    const { out } = await mcpConnect([...line, '--plugin', path], ASK);
    expect(JSON.parse(out)).to.have.nested.property('result.from', 'other');
  });

  it('choose before the strategies that come with the program', async () => {
    const source = PLUGIN.replace(
      'apply(connector, options) {',
      `apply(connector, options) {
      connector.hooks.selectTransport.tap('mine', () => { throw new Error('asked') });
      return connector.transport('mine', { open: () => ({ send() {}, close: async () => undefined }) });`,
    );
    const path = write('mine', {}, source);
    const line = ['load-balance', '--endpoints', 'mine://a,mine://b', '--plugin', path];
    const { error } = JSON.parse((await mcpConnect(line, ASK)).out) as { error: { data: object } };
    expect(error.data).to.have.property('code', 'MCPC_PLUGIN');
  });

  it('are told with the command that takes them out, when they are broken', async () => {
    install({}, 'throw new Error("broken on purpose");');
    const { code, err, out } = await mcpConnect(['proxy', '--endpoint', 'http://127.0.0.1:9/mcp']);
    expect({ code, out }).to.deep.equal({ code: 2, out: '' });
    expect(err).to.match(/^mcp-connect: [^\n]*broken on purpose[^\n]*plugins uninstall mine\n$/);
  });

  it('may add commands too, and nothing else where they lack the keyword', async () => {
    symlinkSync(MODULES, join(root, 'node_modules'));
    const path = write('mine', { oclif: { commands: './commands' } });
    writeFileSync(join(path, 'commands/greet.js'), COMMAND);
    await mcpConnect(['plugins', 'link', path]);
    expect((await listed()).at(-1)).to.deep.include({ name: 'mine', commands: ['greet'] });
    expect(await mcpConnect(['greet'])).to.deep.equal({ code: 0, out: 'hello from a plugin\n', err: '' });

    write('mine', { oclif: { commands: './commands' }, keywords: [] });
    expect((await listed()).map(({ name }) => name)).not.to.include('mine');
    expect(await mcpConnect(['greet'])).to.include({ code: 0 });
  });
});

describe('plugins create', () => {
  it('is told what to do where the kind is missing', async () => {
    const child = spawn(process.execPath, [RUN, 'plugins', 'create', 'mcp-x'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect(code).to.equal(2);
    expect(err)
      .to.match(/^mcp-connect: [^\n]+\n$/)
      .and.include('--kind transport');
  });
});
