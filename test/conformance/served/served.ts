// `npm run conformance`: the official scenarios for servers, without mcp-connect and with it, over every wire.
import { parseArgs } from 'node:util';
import { countsOf, differencesBetween, limitsOf, type Outcome } from './differences.js';
import { PAIRS, titleOf, type Revision } from './pair.js';
import { playDirectly, playThrough } from './play.js';
import { playTasks, TASKS } from './tasks.js';

const HELP = `npm run conformance -- [options]

  --only TEXT    pairs and scenarios of tasks with this in their names, such as "2026-07-28 → legacy over stdio"
`;

const { values: options } = parseArgs({
  options: { only: { type: 'string', default: '' }, help: { type: 'boolean', default: false } },
});

if (options.help) process.stdout.write(HELP);
else await conformance();

async function conformance(): Promise<void> {
  const direct = new Map<Revision, Outcome>();
  const reasons = new Set<string>();
  process.stdout.write('client     → server over wire    directly  through it  otherwise by nature\n');
  for (const pair of PAIRS.filter((each) => titleOf(each).includes(options.only))) {
    const expected = direct.get(pair.revision) ?? (await playDirectly(pair.revision));
    direct.set(pair.revision, expected);
    const through = await playThrough(pair);
    const limits = limitsOf(pair);
    const differences = differencesBetween(expected, through);
    const faults = differences.filter((name) => !limits.has(name));
    for (const reason of limits.values()) reasons.add(reason);
    const counts = [countsOf(expected).passed, countsOf(through).passed, differences.length - faults.length];
    const columns = counts.map((count, index) => String(count).padEnd([10, 12, 0][index]!));
    process.stdout.write([titleOf(pair).padEnd(34) + columns.join(''), ...faults].join('\n    ') + '\n');
    if (faults.length > 0) process.exitCode = 1;
  }
  for (const reason of reasons) process.stdout.write(`– ${reason}\n`);
  await tasks();
}

async function tasks(): Promise<void> {
  for (const [scenario, limits] of Object.entries(TASKS).filter(([name]) => name.includes(options.only))) {
    const { passed, failed } = await playTasks(scenario);
    const faults = failed.filter((name) => !limits.includes(name));
    const counts = [passed, failed.length - faults.length].map((count) => String(count).padEnd(12));
    process.stdout.write([scenario.padEnd(44) + counts.join(''), ...faults].join('\n    ') + '\n');
    if (faults.length > 0) process.exitCode = 1;
  }
}
