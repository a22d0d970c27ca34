// What a stranger gets: `npm run pack-check` publishes all packages to a registry of this machine, looks at what was
// published, installs it into an empty project, adds the example plugins there and runs them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { converse, serveHttp, serveWebSocket } from './peers.mjs';
import { startRegistry } from './registry.mjs';
import { ENV, ROOT, seconds } from './steps.mjs';

/** Stands for the public repository, which whoever releases names. */
const REPOSITORY = 'https://git.example/mcp-connect/mcp-connect';

const EXAMPLES = ['mcp-transport-ws', 'mcp-filter-tools', 'mcp-auth-sigv4'];

/** All packages are modules, for programs that know `exports`. */
const FOR_OTHERS = new Set(['node10', 'node16-cjs']);

const execute = promisify(execFile);
const place = mkdtempSync(join(tmpdir(), 'mcp-connect-pack-'));
const copy = join(place, 'copy');
const tarballs = join(place, 'tarballs');
const project = join(place, 'project');
const registry = await startRegistry();
const npmrc = join(place, 'npmrc');
const env = {
  ...ENV,
  // What programs print is read here; on a build server some of them would colour it.
  NO_COLOR: '1',
  FORCE_COLOR: undefined,
  npm_config_userconfig: npmrc,
  npm_config_loglevel: 'error',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_prefer_offline: 'true',
  MCP_CONNECT_DATA_DIR: join(place, 'data'),
  MCP_CONNECT_CACHE_DIR: join(place, 'cache'),
  MCP_CONNECT_CONFIG_DIR: join(place, 'config'),
};
const program = join(project, 'node_modules/.bin/mcp-connect');

const git = (...args) => run('git', ['-c', 'user.name=ci', '-c', 'user.email=ci@localhost', ...args], copy);
const lerna = (...args) =>
  run(process.execPath, [join(ROOT, 'node_modules/lerna/dist/cli.js'), ...args], copy);

try {
  writeFileSync(
    npmrc,
    `@mcp-connect:registry=${registry.url}\n//${new URL(registry.url).host}/:_authToken=none\n`,
  );
  await check('publish', publish);
  await check('contents', lookAtContents);
  await check('install', install);
  await check('plugins', installPlugins);
  await check('run', runPlugins);
  await check('create', createPlugins);
  await check('runners', runSuites);
  await check('version', writeChangelogs);
  await check('api', async () => void (await run('npm', ['run', 'api'], ROOT)));
} finally {
  registry.close();
  rmSync(place, { recursive: true, force: true });
}

async function check(name, work) {
  process.stdout.write(name.padEnd(9));
  const startedAt = performance.now();
  await work();
  process.stdout.write(`${seconds(startedAt)}\n`);
}

/** Runs a program to its end; what it had to say is part of its failure. */
async function run(command, args, cwd) {
  try {
    return (await execute(command, args, { cwd, env, maxBuffer: 2 ** 26 })).stdout;
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout}${error.stderr}`, { cause: error });
  }
}

/** Publishes from a copy: lerna writes into the packages that it publishes. */
async function publish() {
  const leftOut = new Set(['node_modules', '.git']);
  cpSync(ROOT, copy, { recursive: true, filter: (path) => !leftOut.has(basename(path)) });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await run(process.execPath, ['.ci/repository.mjs', REPOSITORY], copy);
  await git('init', '-q');
  await git('add', '-A');
  await git('commit', '-qm', 'chore: copy');
  await lerna('publish', 'from-package', '--yes', '--no-verify-access', '--registry', registry.url);
  for (const [name, { versions }] of registry.packages) {
    const [{ repository }] = Object.values(versions);
    assert.equal(repository.url, `git+${REPOSITORY}.git`, name);
    assert.equal(JSON.parse(readFileSync(join(copy, repository.directory, 'package.json'))).name, name);
  }
  mkdirSync(tarballs);
  for (const [path, bytes] of registry.tarballs) writeFileSync(join(tarballs, basename(path)), bytes);
  for (const name of EXAMPLES)
    await run('npm', ['pack', '--pack-destination', tarballs], join(copy, 'examples', name));
}

/** No file is missing, no entry leads nowhere, and types are found by whoever imports them. */
async function lookAtContents() {
  for (const name of readdirSync(tarballs)) await lookAt(join(tarballs, name));
}

async function lookAt(file) {
  const bytes = new Uint8Array(readFileSync(file));
  const name = basename(file);
  const { messages } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  assert.deepEqual(messages, [], name);
  // The program is run and never imported.
  if (name.startsWith('mcp-connect-0')) return;
  const { problems = [] } = await checkPackage(createPackageFromTarballData(bytes));
  assert.deepEqual(
    problems.filter(({ resolutionKind }) => !FOR_OTHERS.has(resolutionKind)),
    [],
    name,
  );
}

async function install() {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  await run('npm', ['install', '--ignore-scripts', urlOf('mcp-connect')], project);
  assert.match(await run(program, ['--version'], project), /mcp-connect\/\d/);
}

/** Packages that are not of our scope are asked for at the usual registry, which does not know them yet. */
function urlOf(name) {
  return [...registry.tarballs.keys()]
    .filter((path) => path.startsWith(`${name}/`))
    .map((path) => registry.url + path)[0];
}

/** A new plugin builds, passes its suite, and could be published as it is. */
async function createPlugins() {
  for (const kind of ['hook', 'auth', 'strategy', 'transport']) {
    const folder = join(place, `mcp-${kind}-new`);
    await run(program, ['plugins', 'create', `@acme/mcp-${kind}-new`, '--kind', kind], place);
    await run('npm', ['install', '--ignore-scripts'], folder);
    await run('npm', ['test'], folder);
    await run(program, ['plugins', 'readme', folder, '--check'], place);
    const [{ filename }] = JSON.parse(await run('npm', ['pack', '--json', '--silent'], folder));
    await lookAt(join(folder, filename));
  }
}

/** The suites need a function that takes a name and another function, which every test runner has. */
async function runSuites() {
  const folder = join(place, 'mcp-hook-new');
  const suite = (runner) => `import { test } from '${runner}';
import { testPlugin } from '@mcp-connect/testing';
import plugin from '../dist/index.js';

testPlugin(test, { plugin });
`;
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(folder, 'other/node.mjs'), suite('node:test'));
  writeFileSync(join(folder, 'other/vitest.test.mjs'), suite('vitest'));
  await run('npm', ['install', '--ignore-scripts', '--no-save', 'vitest@3'], folder);
  assert.match(await run(process.execPath, ['--test', 'other/node.mjs'], folder), /^# pass [1-9]/m);
  assert.match(await run('npx', ['vitest', 'run', 'other'], folder), /Tests +\S*[1-9]\d* passed/);
}

/** A commit becomes a line of the changelog and decides the next version. */
async function writeChangelogs() {
  await git('config', 'user.name', 'ci');
  await git('config', 'user.email', 'ci@localhost');
  await git('reset', '-q', '--hard');
  for (const name of registry.packages.keys()) await git('tag', `${name}@0.1.0`);
  writeFileSync(join(copy, 'plugins/transport-tcp/a-feature.txt'), '');
  await git('add', '-A');
  await git('commit', '-qm', 'feat(transport-tcp): carry pigeons');
  await lerna('version', '--yes', '--no-push');
  assert.match(readFileSync(join(copy, 'plugins/transport-tcp/CHANGELOG.md'), 'utf8'), /carry pigeons/);
  assert.match(await git('tag', '--points-at', 'HEAD'), /^@mcp-connect\/transport-tcp@0\.2\.0$/m);
}

async function installPlugins() {
  for (const name of EXAMPLES) {
    const file = readdirSync(tarballs).find((tarball) => tarball.startsWith(name));
    await run(program, ['plugins', 'install', `file:${join(tarballs, file)}`], project);
  }
  const listed = JSON.parse(await run(program, ['plugins', '--json'], project));
  const installed = listed.filter(({ origin }) => origin === 'installed').map(({ name }) => name);
  assert.deepEqual(installed.sort(), EXAMPLES.toSorted());
}

async function runPlugins() {
  const [socket, web] = [await serveWebSocket(['read_a', 'write_b']), await serveHttp(['read_a'])];
  try {
    const initialize = {
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'check', version: '1' },
      },
    };
    const list = { method: 'tools/list' };
    const call = { method: 'tools/call', params: { name: 'get_a' } };
    const rules = ['--tools-deny', 'write_*', '--tools-rename', 'read_a=get_a'];
    const filtered = await converse(program, ['proxy', '--endpoint', socket.url, ...rules], {
      env,
      requests: [initialize, list, call],
    });
    assert.equal(filtered.code, 0);
    assert.deepEqual(
      filtered.results[1].tools.map(({ name }) => name),
      ['get_a'],
    );
    assert.deepEqual(socket.called, ['read_a']);

    const keys = {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret-key',
    };
    const signed = await converse(program, ['proxy', '--endpoint', web.url], {
      env: { ...env, ...keys },
      requests: [initialize, list],
    });
    assert.equal(signed.results[1].tools.length, 1);
    for (const authorization of web.signed)
      assert.match(authorization, /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\//);
  } finally {
    socket.close();
    web.close();
  }
}
