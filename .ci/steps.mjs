import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the repository. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The environment of every child. Node 20 reads an extra CA bundle at each start, which hides all other times. */
export const ENV = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };

/** The projects of the root `tsconfig.json` by folder: where their sources and their compiled files are. */
export function projects() {
  const paths = readJson(join(ROOT, 'tsconfig.json')).references.map(({ path }) => join(ROOT, path));
  // A folder may hold a second project beside its own, compiled to the same place.
  return paths
    .filter((path) => !path.endsWith('.json'))
    .map((root) => {
      const { rootDir, outDir } = readJson(join(root, 'tsconfig.json')).compilerOptions;
      return { root, source: join(root, rootDir), output: join(root, outDir) };
    });
}

/** The files below a folder, or none where there is no such folder. */
export function filesBelow(folder) {
  try {
    return readdirSync(folder, { recursive: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Runs one step to its end and prints its name, its time and, when it failed, what it had to say.
 * Returns whether it succeeded.
 */
export function step(name, command, args, env = ENV) {
  process.stdout.write(name.padEnd(9));
  const startedAt = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ok = status === 0;
  process.stdout.write(`${seconds(startedAt)}${ok ? '' : '  failed'}\n`);
  if (!ok) process.stdout.write(`\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\n`);
  return ok;
}

/** The time since `startedAt`, ready to print. */
export function seconds(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`.padStart(8);
}

/** Runs the program of an installed package; see {@link step}. */
export function tool(name, program, ...args) {
  return step(name, process.execPath, [join(ROOT, 'node_modules', program), ...args]);
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
