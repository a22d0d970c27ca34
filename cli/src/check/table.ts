import type { CheckReport } from './check.js';

/** How a report is shown. */
export interface TableOptions {
  /** Whether marks may be coloured. */
  readonly colour: boolean;
  /** Columns of the terminal; longer lines are cut. Left out, none is. */
  readonly width?: number | undefined;
}

/** How a line is shown. */
export interface RowOptions extends TableOptions {
  /** Whether there is a column for times. */
  readonly times?: boolean;
}

/** What a line of a table shows. */
export interface Row {
  readonly name: string;
  readonly status: 'ok' | 'failed' | 'skipped' | 'warning';
  readonly ms?: number;
  readonly text: string;
}

const MARKS: Readonly<Record<Row['status'], string>> = { ok: '✓', failed: '✗', skipped: '–', warning: '!' };

/** Select Graphic Rendition of ECMA-48: green, red, dim, yellow. */
const COLOURS: Readonly<Record<Row['status'], number>> = { ok: 32, failed: 31, skipped: 2, warning: 33 };

/** Words the report of a check for people. */
export function tableOf(report: CheckReport, options: TableOptions): string {
  const { endpoint, transport, steps, ok, error, next } = report;
  const nameWidth = Math.max(...steps.map(({ name }) => name.length));
  const rows = steps.map((step) => row(step, nameWidth, { ...options, times: true }));
  const end = ok ? ['Everything works.'] : [`Failed: ${printable(error?.message ?? 'see above')}`];
  if (error?.hint !== undefined) end.push(`${printable(error.hint)}.`);
  if (next !== undefined) end.push(`Next: ${next}`);
  return [`${endpoint} (${transport})`, '', ...rows, '', ...end, ''].join('\n');
}

/** Words one line of a table. */
export function row(of: Row, nameWidth: number, { colour, width, times = false }: RowOptions): string {
  const { name, status, ms, text } = of;
  const time = ms === undefined ? '' : `${ms} ms`;
  const rest = [name.padEnd(nameWidth), ...(times ? [time.padStart(8)] : []), printable(text)].join('  ');
  const room = width === undefined ? rest.length : Math.max(nameWidth + 12, width - 5);
  const cut = rest.length > room ? `${rest.slice(0, room - 1)}…` : rest;
  const mark = colour ? `\u001b[${COLOURS[status]}m${MARKS[status]}\u001b[0m` : MARKS[status];
  return `  ${mark} ${cut.trimEnd()}`;
}

/** What a server says must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
