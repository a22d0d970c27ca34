import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stateDir, writePrivately } from './state.js';

describe('stateDir', () => {
  const home = '/home/ada';

  it('follows the platform', () => {
    const at = (platform: NodeJS.Platform, env = {}): string => stateDir({ env, platform, home });
    expect(at('linux')).to.equal(join(home, '.local/state/mcp-connect'));
    expect(at('linux', { XDG_STATE_HOME: '/var/ada' })).to.equal(join('/var/ada/mcp-connect'));
    expect(at('darwin')).to.equal(join(home, 'Library/Application Support/mcp-connect'));
    expect(at('win32', { LOCALAPPDATA: 'L' })).to.equal(join('L', 'mcp-connect', 'State'));
  });

  it('yields to MCP_CONNECT_STATE_DIR', () => {
    const env = { MCP_CONNECT_STATE_DIR: '/elsewhere', XDG_STATE_HOME: '/var/ada' };
    expect(stateDir({ env, platform: 'linux', home })).to.equal('/elsewhere');
  });
});

describe('writePrivately', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'mcpc-state-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('makes files and folders that only their user can read', async () => {
    const path = join(folder, 'new', 'file.json');
    await writePrivately(path, '1');
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect((await stat(join(folder, 'new'))).mode & 0o777).to.equal(0o700);
  });

  it('replaces a file as a whole and leaves no draft', async () => {
    const path = join(folder, 'file.json');
    await Promise.all(Array.from({ length: 20 }, (_, i) => writePrivately(path, `text ${i}`.repeat(1000))));
    expect(await readFile(path, 'utf8')).to.match(/^(text \d+)\1{999}$/);
    expect(await readdir(folder)).to.deep.equal(['file.json']);
  });

  it('leaves no draft when the file cannot be replaced', async () => {
    const failed = await writePrivately(folder, 'x').catch((error: unknown) => error);
    expect(failed).to.have.property('code');
    expect((await readdir(join(folder, '..'))).filter((name) => name.endsWith('.tmp'))).to.deep.equal([]);
  });
});
