import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core/config';
import { expect } from 'chai';
import { ConnectorError } from '@mcp-connect/core';
import { loadPlugins, mergeFlags, pluginRefs } from './load.js';
import { pluginPlaces, type PluginPlaces } from './resolve.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const INSTALL = fileURLToPath(new URL('../..', import.meta.url));

async function failure(run: () => unknown): Promise<ConnectorError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('loading plugins', () => {
  let root: string;
  let places: PluginPlaces;

  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-connect-load-')));
    places = { install: join(root, 'install'), cwd: join(root, 'cwd'), data: join(root, 'data') };
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function file(path: string, text: string): string {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  }

  function plugin(folder: string, name: string, manifest: object = { exports: './main.js' }): void {
    file(join(folder, 'package.json'), JSON.stringify({ name, type: 'module', ...manifest }));
    file(join(folder, 'main.js'), `export default { name: '${folder}', apply() {} };`);
  }

  const names = async (...refs: string[]): Promise<string[]> =>
    (await loadPlugins(refs, places)).map(({ name }) => name);

  it('takes the path of a file or of a package, from the working folder', async () => {
    plugin('cwd/mine', 'mine');
    expect(await names('./mine/main.js')).to.deep.equal(['cwd/mine']);
    expect(await names('./mine')).to.deep.equal(['cwd/mine']);
    expect(await names(join(root, 'cwd/mine/main.js'))).to.deep.equal(['cwd/mine']);
  });

  it('finds a name in the working folder or above it, then beside the program, then in the user folder', async () => {
    plugin('data/node_modules/third', 'third');
    plugin('install/node_modules/third', 'third');
    plugin('install/node_modules/second', 'second');
    plugin('node_modules/second', 'second');
    plugin('data/node_modules/first', 'first');
    expect(await names('first', 'second', 'third')).to.deep.equal([
      'data/node_modules/first',
      'node_modules/second',
      'install/node_modules/third',
    ]);
  });

  it('finds our own plugins beside the program first', async () => {
    plugin('cwd/node_modules/@mcp-connect/own', '@mcp-connect/own');
    plugin('install/node_modules/@mcp-connect/own', '@mcp-connect/own');
    expect(await names('@mcp-connect/own')).to.deep.equal(['install/node_modules/@mcp-connect/own']);
  });

  it('finds what the user linked', async () => {
    plugin('elsewhere', 'linked');
    const links = [{ name: 'linked', type: 'link', root: join(root, 'elsewhere') }];
    file('data/package.json', JSON.stringify({ oclif: { plugins: links } }));
    expect(await names('linked')).to.deep.equal(['elsewhere']);
  });

  for (const [what, manifest] of [
    ['a plain entry', { exports: './main.js' }],
    ['an entry for the package itself', { exports: { '.': './main.js', './other': './other.js' } }],
    ['conditions', { exports: { '.': { require: './no.cjs', types: './no.d.ts', import: './main.js' } } }],
    ['nested conditions', { exports: { browser: './no.js', node: { import: { default: './main.js' } } } }],
    ['only a main file', { main: 'main.js' }],
  ] as const) {
    it(`reads exports with ${what}`, async () => {
      plugin('cwd/node_modules/some', 'some', manifest);
      expect(await names('some')).to.deep.equal(['cwd/node_modules/some']);
    });
  }

  it('loads a plugin once that is named twice', async () => {
    plugin('cwd/node_modules/some', 'some');
    expect(await names('some', './node_modules/some', 'some')).to.have.length(1);
  });

  it('says how to install a plugin that is missing', async () => {
    const error = await failure(() => names('@acme/missing'));
    expect(error.code).to.equal('MCPC_USAGE');
    expect(error.message).to.include('@acme/missing');
    expect(error.hint).to.include('npm install @acme/missing');
  });

  it('names the path where no plugin is', async () => {
    const error = await failure(() => names('./missing.js'));
    expect(error.code).to.equal('MCPC_USAGE');
    expect(error.message).to.include(join(root, 'cwd/missing.js'));
  });

  for (const [fixture, words] of [
    ['thrower', 'broken on purpose'],
    ['not-a-plugin', 'not a plugin'],
  ] as const) {
    it(`names a module that is no working plugin: ${fixture}`, async () => {
      const error = await failure(() => names(join(FIXTURES, `${fixture}.js`)));
      expect(error.code).to.equal('MCPC_USAGE');
      expect(error.message).to.include(`${fixture}.js`).and.include(words);
    });
  }

  it('names a plugin that never finishes loading', async () => {
    const path = file('cwd/never.js', 'await new Promise(() => undefined);');
    const error = await failure(() => loadPlugins([path], places, 50));
    expect(error).to.include({ code: 'MCPC_USAGE' });
    expect(error.message).to.include('never.js');
  });

  it('names both sides when a plugin needs another core', async () => {
    const real = pluginPlaces({});
    const error = await failure(() => loadPlugins([join(FIXTURES, 'future.js')], real));
    expect(error.code).to.equal('MCPC_USAGE');
    expect(error.message).to.match(/future needs @mcp-connect\/core \^99\.0\.0, but this is \d+\.\d+\.\d+/);
    expect(await loadPlugins([join(FIXTURES, 'echo.js')], real)).to.have.length(1);
  });

  it('takes the range of the core from the package where the plugin names none', async () => {
    plugin('cwd/old', 'old', { main: 'main.js', peerDependencies: { '@mcp-connect/core': '^99.0.0' } });
    const error = await failure(() => loadPlugins([join(root, 'cwd/old')], pluginPlaces({})));
    expect(error).to.include({ code: 'MCPC_USAGE' });
    expect(error.message).to.include('^99.0.0');
  });

  it('names a flag that cannot work, and where a module throws', async () => {
    const flags = file(
      'cwd/flags.js',
      'export default { name: "a", flags: { b: { type: "float" } }, apply() {} };',
    );
    expect(await failure(() => names(flags))).to.have.property('code', 'MCPC_USAGE');
    const thrower = join(FIXTURES, 'thrower.js');
    expect((await failure(() => names(thrower))).message).to.match(/thrower\.js:\d+:\d+/);
  });

  it('names both plugins when two have a flag of the same name', async () => {
    const flags = { same: { type: 'boolean', summary: '' } } as const;
    const one = { name: 'one', flags, apply: () => undefined };
    const error = await failure(() => mergeFlags({}, [one, { ...one, name: 'two' }]));
    expect(error.code).to.equal('MCPC_USAGE');
    expect(error.message).to.include('one').and.include('two').and.include('--same');
    expect((await failure(() => mergeFlags(flags, [one]))).message).to.include('mcp-connect and one');
  });
});

describe('the values of --plugin', () => {
  it('are found in every form, with commas and variables', () => {
    const args = ['--debug', '--plugin', 'a,b', '--plugin=${C}/c.js', '--endpoint', 'x'];
    expect(pluginRefs(args, { C: '/c', MCP_CONNECT_PLUGINS: 'ignored' })).to.deep.equal([
      'a',
      'b',
      '/c/c.js',
    ]);
  });

  it('come from the environment where none is given', () => {
    expect(pluginRefs([], { MCP_CONNECT_PLUGINS: 'a, ./b.js' })).to.deep.equal(['a', './b.js']);
    expect(pluginRefs([], {})).to.deep.equal([]);
  });
});

describe("the user's folder", () => {
  it('is the one that oclif uses', async () => {
    const { dataDir } = await Config.load(INSTALL);
    expect(pluginPlaces(process.env).data).to.equal(dataDir);
  });
});
