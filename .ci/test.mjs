// The gate: `npm test`, or `npm test -- --pack` to look at what strangers get, too. Its last line is
// `N passed, N failed`; a check that fails counts as one failure.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';
import { programs } from './programs.mjs';
import { ENV, ROOT, seconds, step, tool } from './steps.mjs';

/** Tests run in lanes side by side; see `mocha.mjs`. */
const LANES = ['tables', 'rest'];

/** The whole suite may take this long, in milliseconds. */
const LIMIT = 15 * 60_000;

const PACK = fileURLToPath(new URL('pack.mjs', import.meta.url));

const { passed, failed } = await gate();
process.stdout.write(`${passed} passed, ${failed} failed\n`);
if (failed > 0) process.exitCode = 1;

async function gate() {
  if (!setup()) return { passed: 0, failed: 1 };
  const checks = [
    programs(),
    tool('format', 'prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'),
    tool('lint', 'oxlint/bin/oxlint', '--format=unix', '--report-unused-disable-directives-severity=error'),
  ];
  if (process.argv.includes('--pack')) checks.push(step('pack', process.execPath, [PACK]));
  const startedAt = performance.now();
  const lanes = await Promise.all(LANES.map(runTests));
  process.stdout.write(`${'tests'.padEnd(9)}${seconds(startedAt)}\n\n`);
  const sum = (counts) => counts.reduce((all, count) => all + count, 0);
  return {
    passed: sum(lanes.map(({ passed: count }) => count)),
    failed: sum(lanes.map(({ failed: count }) => count)) + checks.filter((ok) => !ok).length,
  };
}

/** Runs the tests of a lane in a process of their own, so that a crash is counted and not mistaken for success. */
async function runTests(lane) {
  const mocha = fileURLToPath(new URL('mocha.mjs', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', '--disable-warning=ExperimentalWarning', mocha, lane],
    {
      cwd: ROOT,
      env: ENV,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      timeout: LIMIT,
    },
  );
  let counts = { passed: 0, failed: 0 };
  child.on('message', (message) => (counts = message));
  const [code, signal] = await once(child, 'exit');
  if (counts.passed > 0 && code === (counts.failed > 0 ? 1 : 0)) return counts;
  process.stdout.write(
    `The tests of the lane ${lane} did not end as they should: ${signal ?? `exit code ${code}`}.\n\n`,
  );
  return { passed: counts.passed, failed: counts.failed + 1 };
}
