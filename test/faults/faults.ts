// `npm run faults`: what becomes of requests when servers fail, row by row.
import { parseArgs } from 'node:util';
import { COLUMNS, titleOf, type Column } from './column.js';
import { ROWS } from './rows/index.js';
import type { Row } from './row.js';
import { SUBJECTS, type Subject } from './subjects.js';
import { playAll, type Cell } from './table.js';

const NAMES = SUBJECTS.map(({ name }) => name);

const HELP = `npm run faults -- [options]

  --subject NAME    ${NAMES.join(', ')} or all (${NAMES[0]})
  --only TEXT       rows with this in their names
  --markdown        print a Markdown table
  --scale N         how much heavy rows weigh (1)
  --lanes N         how many are played at the same time (8)
`;

/** How a cell of the table reads. */
const PASSED = '✓';
const FAILED = '✗';
const NOT_PLAYED = '·';

const { values: options } = parseArgs({
  options: {
    subject: { type: 'string', default: NAMES[0]! },
    only: { type: 'string', default: '' },
    markdown: { type: 'boolean', default: false },
    scale: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '8' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) process.stdout.write(HELP);
else await faults();

async function faults(): Promise<void> {
  const rows = ROWS.filter(({ name }) => name.includes(options.only));
  const subjects = SUBJECTS.filter(({ name }) => options.subject === 'all' || options.subject === name);
  if (subjects.length === 0)
    throw new Error(`--subject: there is no "${options.subject}", only ${NAMES.join(', ')}`);
  const tables: Table[] = [];
  for (const subject of subjects) {
    if (!options.markdown) process.stdout.write(`${subject.name} ${subject.version}\n`);
    tables.push(await playTable(rows, subject));
  }
  if (options.markdown) process.stdout.write(markdown(rows, tables));
  for (const { subject, cells } of tables) {
    const failed = [...cells.values()].flat().some(({ fault }) => fault !== undefined);
    if (failed && !subject.foreign) process.exitCode = 1;
  }
}

interface Table {
  readonly subject: Subject;
  readonly cells: ReadonlyMap<Row, readonly Cell[]>;
}

/** Plays all rows of one subject, and prints each as soon as it is over. */
async function playTable(rows: readonly Row[], subject: Subject): Promise<Table> {
  const playing = playAll(rows, { subject, scale: Number(options.scale), lanes: Number(options.lanes) });
  const cells = new Map<Row, readonly Cell[]>();
  if (!options.markdown) process.stdout.write(`${COLUMNS.map(titleOf).join(' | ')}\n`);
  for (const [row, played] of playing) {
    cells.set(row, await played);
    if (!options.markdown) process.stdout.write(lineOf(row, await played));
  }
  return { subject, cells };
}

function lineOf({ name }: Row, cells: readonly Cell[]): string {
  const marks = COLUMNS.map((column) => markOf(cells.find((cell) => cell.column === column)));
  return (
    [`${marks.join(' ')}  ${name}`, ...reasonsOf(cells, (column) => titleOf(column))].join('\n    ') + '\n'
  );
}

function markOf(cell: Cell | undefined): string {
  if (cell === undefined) return NOT_PLAYED;
  return cell.fault === undefined ? PASSED : FAILED;
}

/** What was wrong, with the columns where it was. */
function reasonsOf(cells: readonly Cell[], title: (column: Column) => string): string[] {
  const columns = new Map<string, string[]>();
  for (const { column, fault } of cells) {
    if (fault !== undefined) columns.set(fault, [...(columns.get(fault) ?? []), title(column)]);
  }
  return Array.from(columns, ([fault, titles]) => `${titles.join(', ')}: ${fault}`);
}

/** One column a subject; a row passes when it does so everywhere. */
function markdown(rows: readonly Row[], tables: readonly Table[]): string {
  const head = ['fault', ...tables.map(({ subject: { name, version } }) => `${name} ${version}`)];
  const lines = rows.map((row) => [row.name, ...tables.map(({ cells }) => verdict(cells.get(row) ?? []))]);
  const passed = tables.map(({ cells }) => {
    const played = [...cells.values()].filter((row) => row.length > 0);
    return `${played.filter((row) => row.every(({ fault }) => fault === undefined)).length} of ${played.length}`;
  });
  const all = [head, head.map(() => '---'), ...lines, ['**rows that pass**', ...passed]];
  return all.map((words) => `| ${words.join(' | ')} |\n`).join('');
}

function verdict(cells: readonly Cell[]): string {
  if (cells.length === 0) return '–';
  const [fault] = cells.flatMap((cell) => cell.fault ?? []);
  return fault === undefined ? PASSED : `${FAILED} ${fault.replaceAll('|', ' or ')}`;
}
