import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { publint } from 'publint';
import { loadPlugins } from './load.js';
import { refreshReadme } from './readme.js';
import { pluginPlaces } from './resolve.js';
import { KINDS, scaffold } from './scaffold.js';

const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

describe('a new plugin', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mcp-connect-create-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs a program of an installed package in the folder. */
  function run(program: string, ...args: string[]): string {
    const script = join(MODULES, program);
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(status, `${program}: ${stdout}${stderr}`).to.equal(0);
    return stdout;
  }

  for (const kind of KINDS) {
    it(`of the kind ${kind} builds, passes its contract suite, is loaded and can be published`, async () => {
      const name = `@acme/mcp-${kind}-carrier`;
      const files = scaffold({ name, kind, folder });
      symlinkSync(MODULES, join(folder, 'node_modules'));
      run('typescript/bin/tsc');
      expect(run('mocha/bin/mocha.js', 'dist/**/*.test.js')).to.match(/\d+ passing/);

      const [plugin] = await loadPlugins([folder], pluginPlaces({}));
      expect(plugin?.name).to.equal(name);
      for (const flag of Object.keys(plugin?.flags ?? {})) expect(flag).to.match(/^carrier-/);
      expect(await refreshReadme(folder, { write: false })).to.include({ changed: false });
      expect((await publint({ pkgDir: folder, pack: false, strict: true })).messages).to.deep.equal([]);

      expect(files).to.include('.gitignore').and.include('LICENSE').and.include('README.md');
      for (const file of files)
        expect(readFileSync(join(folder, file), 'utf8')).not.to.match(/x-(plugin|prefix)/i);
    });
  }

  for (const name of ['My Plugin', '../up', '@acme', '', 'a'.repeat(215)]) {
    it(`cannot be called ${JSON.stringify(name.slice(0, 20))}`, () => {
      expect(() => scaffold({ name, kind: 'hook', folder }))
        .to.throw()
        .with.property('code', 'MCPC_USAGE');
    });
  }

  it('goes into no folder that holds something', () => {
    writeFileSync(join(folder, 'mine'), '');
    expect(() => scaffold({ name: 'mine', kind: 'hook', folder }))
      .to.throw(folder)
      .with.property('code', 'MCPC_USAGE');
    expect(existsSync(join(folder, 'package.json'))).to.equal(false);
  });
});
