import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { bashCompletion, type CompletedCommand } from './completion.js';

const OPTION = { type: 'option' } as const;
const COMMANDS: readonly CompletedCommand[] = [
  {
    id: 'proxy',
    flags: {
      endpoint: OPTION,
      debug: { type: 'boolean' },
      'log-level': { type: 'option', options: ['trace', 'debug', 'info'] },
    },
  },
  { id: 'plugins', flags: { json: { type: 'boolean' } } },
  { id: 'plugins:install', flags: { force: { type: 'boolean' } } },
  { id: 'plugins:link', flags: {} },
];

/** Asks bash itself what it would offer behind these words; the last one is being typed. */
function offered(...words: readonly string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const script = `${bashCompletion('mcp-connect', COMMANDS)}
COMP_WORDS=(mcp-connect ${quoted}); COMP_CWORD=${words.length}; _mcp_connect; echo "\${COMPREPLY[*]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  expect({ stderr, status }).to.deep.equal({ stderr: '', status: 0 });
  return stdout.split(/\s+/).filter((word) => word !== '');
}

describe('completion in bash', () => {
  it('offers commands, once each', () => {
    expect(offered('')).to.deep.equal(['plugins', 'proxy']);
    expect(offered('pr')).to.deep.equal(['proxy']);
    expect(offered('plugins', '')).to.deep.equal(['install', 'link']);
  });

  it('offers flags, also the second one and behind an address', () => {
    expect(offered('proxy', '--')).to.deep.equal(['--endpoint', '--debug', '--log-level']);
    expect(offered('proxy', '--debug', '--l')).to.deep.equal(['--log-level']);
    // bash parts words at colons, too.
    expect(offered('proxy', '--endpoint', 'http', ':', '//x/mcp', '--d')).to.deep.equal(['--debug']);
    expect(offered('plugins', 'install', '--')).to.deep.equal(['--force']);
    expect(offered('plugins', '--')).to.deep.equal(['--json']);
  });

  it('offers the values of a flag that allows only some', () => {
    expect(offered('proxy', '--log-level', '')).to.deep.equal(['trace', 'debug', 'info']);
    expect(offered('proxy', '--log-level', 'd')).to.deep.equal(['debug']);
    expect(offered('proxy', '--log-level', '=', 'd')).to.deep.equal(['debug']);
    expect(offered('proxy', '--log-level', '=')).to.deep.equal(['trace', 'debug', 'info']);
  });

  it('leaves files to bash', () => {
    expect(offered('proxy', '--endpoint', '')).to.deep.equal([]);
    expect(offered('proxy', '')).to.deep.equal([]);
  });

  it('takes the place of the script that oclif writes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcpc-cache-'));
    try {
      const run = fileURLToPath(new URL('../bin/run.js', import.meta.url));
      const env = { ...process.env, XDG_CACHE_HOME: folder, MCP_CONNECT_CACHE_DIR: folder };
      const { status } = spawnSync(process.execPath, [run, 'autocomplete', '--refresh-cache'], { env });
      expect(status).to.equal(0);
      const file = join(folder, 'autocomplete', 'functions', 'bash', 'mcp-connect.bash');
      const script = readFileSync(file, 'utf8');
      expect(script).to.include("'test --log-level') words='trace debug").and.include('_mcp_connect()');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
