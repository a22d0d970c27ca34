import type { Metric } from './figures.js';
import { FLOOR } from './subjects.js';

/** What was measured of one subject, round by round; a round that failed has no value. */
export type Values = readonly (number | undefined)[];

/** All that a run found out. */
export class Results {
  readonly #values = new Map<string, (number | undefined)[]>();
  readonly #failures = new Map<string, string[]>();

  /** Adds the value of a round. */
  add(metric: string, subject: string, round: number, value: number | undefined): void {
    const key = `${metric} ${subject}`;
    const values = this.#values.get(key) ?? [];
    values[round] = value;
    this.#values.set(key, values);
  }

  /** Notes that a subject could not do a figure. */
  fail(figure: string, subject: string, error: unknown): void {
    const key = `${subject}, ${figure}`;
    const reasons = this.#failures.get(key) ?? [];
    this.#failures.set(key, [...reasons, error instanceof Error ? error.message : String(error)]);
  }

  /** How often a subject could not do a figure. */
  failures(figure: string, subject: string): number {
    return this.#failures.get(`${subject}, ${figure}`)?.length ?? 0;
  }

  /** The values of all rounds. */
  values(metric: string, subject: string): Values {
    return this.#values.get(`${metric} ${subject}`) ?? [];
  }

  /** The median of all rounds. */
  median(metric: string, subject: string): number | undefined {
    return medianOf(this.values(metric, subject));
  }

  /** The median over the rounds of what the subject took, divided by what the floor took in the same round. */
  ratio(metric: string, subject: string): number | undefined {
    const floor = this.values(metric, FLOOR);
    const own = this.values(metric, subject);
    return medianOf(Array.from(own, (value, round) => value && floor[round] && value / floor[round]));
  }

  /** What failed, how often and why the first time. */
  footnotes(): string[] {
    return Array.from(this.#failures, ([what, reasons]) => `${what}: ${reasons[0]} (${reasons.length} ×)`);
  }

  /** Everything as plain data. */
  report(metrics: readonly Metric[], subjects: readonly string[]): object {
    const figures = metrics.map((metric) => ({
      ...metric,
      subjects: subjects.map((name) => ({
        name,
        median: this.median(metric.id, name),
        ratio: this.ratio(metric.id, name),
        rounds: this.values(metric.id, name),
      })),
    }));
    return { figures, footnotes: this.footnotes() };
  }
}

/** A bound on the ratio to the floor of mcp-connect, or of the subject that its name gives behind an `@`. */
export type Budget = { readonly most: number } | { readonly least: number };

/** Makes the table: a row for each metric, a column for each subject, medians and ratios to the floor. */
export function table(results: Results, metrics: readonly Metric[], subjects: readonly string[]): string {
  const cell = (metric: string, subject: string): string => {
    const ratio = results.ratio(metric, subject);
    const shown = ratio === undefined || subject === FLOOR ? '' : `${format(ratio)}×`;
    return `${format(results.median(metric, subject)).padStart(12)} ${shown.padStart(7)}`;
  };
  const head = ['', ''].concat(subjects.map((subject) => `${subject.padStart(12)} ${''.padStart(7)}`));
  const rows = metrics.map(({ id, title, unit }) => [
    title,
    unit,
    ...subjects.map((subject) => cell(id, subject)),
  ]);
  const line = ([title = '', unit = '', ...cells]: readonly string[]): string =>
    `${title.padEnd(20)} ${unit.padEnd(8)}${cells.join('')}`.trimEnd();
  return [head, ...rows].map((row) => `${line(row)}\n`).join('');
}

/** Compares the ratios of mcp-connect with their budgets, a line for each, and tells whether all are kept. */
export function check(
  results: Results,
  budgets: Readonly<Record<string, Budget>>,
): { readonly text: string; readonly kept: boolean } {
  const lines = Object.entries(budgets).map(([name, budget]) => {
    const [metric = '', subject = 'mcp-connect'] = name.split('@');
    const ratio = results.ratio(metric, subject);
    const kept = ratio !== undefined && ('most' in budget ? ratio <= budget.most : ratio >= budget.least);
    const bound = 'most' in budget ? `≤ ${budget.most}` : `≥ ${budget.least}`;
    return {
      kept,
      text: `${kept ? 'kept  ' : 'missed'} ${name.padEnd(14)} ${format(ratio)}× (${bound}×)\n`,
    };
  });
  return { text: lines.map(({ text }) => text).join(''), kept: lines.every(({ kept }) => kept) };
}

/** The value in the middle. */
export function medianOf(values: Values): number | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted[middle - 1];
  return sorted.length % 2 === 1 || upper === undefined || lower === undefined ? upper : (lower + upper) / 2;
}

/** Three digits that count. */
function format(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value >= 100) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
  return value.toPrecision(value < 1 ? 2 : 3);
}
