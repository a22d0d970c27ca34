// Installs what is missing and builds what is stale. `npm run demo`, `npm run bench` and `npm test` begin with it.
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesBelow, projects, ROOT, step, tool } from './steps.mjs';

const COMPILED = /^(.*?)\.(d\.ts|js)(\.map)?$/;

/** Returns whether everything is installed and built. */
export function setup() {
  if (!isInstalled() && !install()) return false;
  projects().forEach(sweep);
  return (
    tool('build', 'typescript/bin/tsc', '-b') &&
    step('bundle', process.execPath, [join(ROOT, 'cli/dist/build/bundle.js')])
  );
}

/** npm writes its own lock file into `node_modules` at the end of every install. */
function isInstalled() {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  return (
    existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs
  );
}

/** Nothing here needs an install script: programs in other languages come as packages for the platform. */
function install() {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const [command, words] = npm === undefined ? ['npm', args] : [process.execPath, [npm, ...args]];
  // The way to the registry may need the certificates that other steps do without.
  return step('install', command, words, process.env);
}

/** Removes compiled files whose source is gone, so that no deleted test lives on. */
function sweep({ source, output }) {
  for (const file of filesBelow(output)) {
    const name = COMPILED.exec(file)?.[1];
    if (name !== undefined && !existsSync(join(source, `${name}.ts`))) rmSync(join(output, file));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && !setup()) process.exitCode = 1;
