// `npm run bench`: mcp-connect beside other bridges and a floor, in one run, round by round.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FIGURES, START } from './figures.js';
import { measureGrowth } from './growth.js';
import { check, Results, table, type Budget } from './report.js';
import { measure } from './rounds.js';
import { LEGS, SUBJECTS } from './subjects.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FIGURE_IDS = [START, ...FIGURES].map(({ id }) => id);
const ALL_SUBJECTS = [...SUBJECTS, ...LEGS];
const SUBJECT_NAMES = SUBJECTS.map(({ name }) => name);
const ALL_NAMES = ALL_SUBJECTS.map(({ name }) => name);

const HELP = `npm run bench -- [options]

  --rounds N        how often everything is measured (7)
  --subjects a,b    ${SUBJECT_NAMES.join(', ')}; also ${LEGS.map(({ name }) => name).join(', ')}
  --only a,b        ${FIGURE_IDS.join(', ')}
  --json FILE       where the numbers go (.bench/TIME.json)
  --growth          how the cost grows with what is in flight, sizes and taps; draws docs/bench-growth.svg
  --check           compare mcp-connect with test/bench/budgets.json
`;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    subjects: { type: 'string', default: SUBJECT_NAMES.join() },
    only: { type: 'string', default: FIGURE_IDS.join() },
    json: { type: 'string' },
    growth: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) process.stdout.write(HELP);
else if (options.growth) await measureGrowth(numberOfRounds(), join(ROOT, 'docs', 'bench-growth.svg'));
else await bench();

async function bench(): Promise<void> {
  const rounds = numberOfRounds();
  const chosen = pick('--subjects', options.subjects, ALL_NAMES);
  const ids = pick('--only', options.only, FIGURE_IDS);
  const subjects = ALL_SUBJECTS.filter(({ name }) => chosen.includes(name));
  const figures = FIGURES.filter(({ id }) => ids.includes(id));
  const metrics = [
    ...(ids.includes(START.id) ? [START] : []),
    ...figures.flatMap((figure) => figure.metrics),
  ];
  const startedAt = new Date();
  const results = new Results();
  await measure({ subjects, figures, rounds, results, progress: process.stderr });

  const versions = subjects.map(({ name, version }) => (version === undefined ? name : `${name} ${version}`));
  const machine = `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
  process.stdout.write(`\n${table(results, metrics, chosen)}\n`);
  process.stdout.write(
    `Medians of ${rounds} rounds; × is the median of the ratios to the floor of each round.\n`,
  );
  process.stdout.write(`${machine}\n${versions.join(', ')}\n`);
  for (const footnote of results.footnotes()) process.stdout.write(`– ${footnote}\n`);

  const file = options.json ?? join(ROOT, '.bench', `${startedAt.toISOString().replaceAll(':', '-')}.json`);
  const report = {
    startedAt,
    machine,
    versions,
    rounds,
    ...results.report(metrics, chosen),
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  if (options.check) compare(results);
}

function numberOfRounds(): number {
  const rounds = Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds: ${options.rounds} is no number of rounds`);
  return rounds;
}

function compare(results: Results): void {
  const budgets = readFileSync(join(ROOT, 'test', 'bench', 'budgets.json'), 'utf8');
  const { text, kept } = check(results, JSON.parse(budgets) as Record<string, Budget>);
  process.stdout.write(`\n${text}`);
  if (!kept) process.exitCode = 1;
}

function pick(flag: string, list: string, known: readonly string[]): string[] {
  const asked = list.split(',');
  const unknown = asked.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${flag}: there is no "${unknown}", only ${known.join(', ')}`);
  return known.filter((name) => asked.includes(name));
}
