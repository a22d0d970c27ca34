// Runs the compiled tests of one lane in one mocha run, and hands the counts to its parent.
import { join } from 'node:path';
import Mocha from 'mocha';
import { filesBelow, projects } from './steps.mjs';

/** How long after the last test something may still be open, in milliseconds. */
const LINGER = 10_000;

const mocha = new Mocha({
  reporter: 'dot',
  timeout: 20_000,
  forbidOnly: true,
  forbidPending: true,
  color: process.stdout.isTTY,
});
const lane = process.argv[2];
for (const { output } of projects()) {
  const tests = filesBelow(output)
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join(output, file))
    .filter((file) => laneOf(file) === lane);
  for (const file of tests.sort((a, b) => (a < b ? -1 : 1))) mocha.addFile(file);
}
await mocha.loadFilesAsync();
const runner = mocha.run((failed) => {
  process.send({ passed: runner.stats.passes, failed });
  process.disconnect();
  process.exitCode = failed > 0 ? 1 : 0;
  setTimeout(reportLeak, LINGER).unref();
});

/** Tables of many processes that mostly wait are one lane, everything else is the other: each takes about as long. */
function laneOf(file) {
  return /[\\/]test[\\/]dist[\\/](faults|matrix|conformance)[\\/]/.test(file) ? 'tables' : 'rest';
}

/** A socket, a timer or a process that a test leaves behind is a fault beside those that mocha counts. */
function reportLeak() {
  process.stdout.write(`Still open after the last test: ${process.getActiveResourcesInfo().join(', ')}\n`);
  process.exit(2);
}
