// `npm run matrix`: clients of every revision against servers of every revision, over every wire.
import { parseArgs } from 'node:util';
import { CHECKS } from './checks.js';
import { PAIRS, titleOf, type Pair } from './pair.js';
import { playAll, type Cell } from './play.js';

const HELP = `npm run matrix -- [options]

  --only TEXT    pairs with this in their names, such as "2025-06-18 → 2026-07-28 over tcp"
  --lanes N      how many are played at the same time (4)
`;

/** How a cell of the table reads. */
const PASSED = '✓';
const FAILED = '✗';
const IMPOSSIBLE = '–';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    lanes: { type: 'string', default: '4' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) process.stdout.write(HELP);
else await matrix();

async function matrix(): Promise<void> {
  const pairs = PAIRS.filter((pair) => titleOf(pair).includes(options.only));
  const reasons = new Set<string>();
  const counts = { [PASSED]: 0, [FAILED]: 0, [IMPOSSIBLE]: 0 };
  process.stdout.write(
    `client     → server      wire        ${CHECKS.map(({ name }) => name).join(' | ')}\n`,
  );
  for await (const { pair, cells } of playAll(pairs, Number(options.lanes))) {
    process.stdout.write(lineOf(pair, cells));
    for (const cell of cells) {
      counts[markOf(cell)]++;
      if (cell.reason !== undefined) reasons.add(`${cell.check.name}: ${cell.reason}`);
    }
  }
  for (const reason of reasons) process.stdout.write(`${IMPOSSIBLE} ${reason}\n`);
  process.stdout.write(
    `${counts[PASSED]} passed, ${counts[FAILED]} failed, ${counts[IMPOSSIBLE]} impossible\n`,
  );
  if (counts[FAILED] > 0) process.exitCode = 1;
}

function lineOf({ client, server, wire }: Pair, cells: readonly Cell[]): string {
  const faults = cells.flatMap(({ check, fault }) => (fault === undefined ? [] : `${check.name}: ${fault}`));
  const line = `${client} → ${server}  ${wire.padEnd(10)}  ${cells.map(markOf).join(' ')}`;
  return [line, ...faults].join('\n    ') + '\n';
}

function markOf({ fault, reason }: Cell): typeof PASSED | typeof FAILED | typeof IMPOSSIBLE {
  if (reason !== undefined) return IMPOSSIBLE;
  return fault === undefined ? PASSED : FAILED;
}
