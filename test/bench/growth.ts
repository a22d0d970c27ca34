// `npm run bench -- --growth`: how the cost of a message grows with what is in flight, with its size, and with taps.
import { writeFileSync } from 'node:fs';
import { drive, initialize, type Load } from './load.js';
import { chart, type Series } from './chart.js';
import { cpuTime } from './proc.js';
import { withServer } from './rounds.js';
import { medianOf } from './report.js';
import { FLOOR, SUBJECTS, withTaps, type Subject } from './subjects.js';

/** One way in which a load grows. */
interface Growth {
  readonly title: string;
  readonly steps: readonly number[];
  readonly unit: string;
  /** What is shown of a load. */
  readonly shown: string;
  readonly subjects: readonly Subject[] | ((step: number) => readonly Subject[]);
  load(step: number): Load;
  value(result: {
    readonly answers: number;
    readonly ms: number;
    readonly cpu: number;
    readonly step: number;
  }): number;
}

const KIB = 1_024;
const [floor, own] = [FLOOR, 'mcp-connect'].map((name) => SUBJECTS.find((subject) => subject.name === name)!);

const GROWTHS: readonly Growth[] = [
  {
    title: 'calls in flight',
    steps: [1, 10, 100, 1_000],
    unit: '',
    shown: 'CPU, µs a call',
    subjects: [floor!, own!],
    load: (inFlight) => ({ asked: {}, inFlight, ms: 600 }),
    value: ({ cpu, answers }) => (cpu * 1000) / answers,
  },
  {
    title: 'size of a result',
    steps: [1, 16, 256, 1_024, 4_096, 16_384, 65_536],
    unit: 'KiB',
    shown: 'ms a call',
    subjects: [floor!, own!],
    load: (kib) => ({ asked: { size: kib * KIB, reply: 'json' }, inFlight: 1, ms: 400 }),
    value: ({ ms, answers }) => ms / answers,
  },
  {
    title: 'taps on each hook',
    steps: [0, 1, 5],
    unit: '',
    shown: 'CPU, µs a call',
    subjects: (taps) => [withTaps(taps)],
    load: () => ({ asked: {}, inFlight: 32, ms: 600 }),
    value: ({ cpu, answers }) => (cpu * 1000) / answers,
  },
];

/** Measures all growths, prints their tables, and draws them into a file. */
export async function measureGrowth(rounds: number, file: string): Promise<void> {
  const charts: { readonly title: string; readonly shown: string; readonly series: readonly Series[] }[] = [];
  await withServer(async (open) => {
    for (const growth of GROWTHS) {
      const series = new Map<string, { x: number; y: number }[]>();
      for (const step of growth.steps) {
        const subjects = typeof growth.subjects === 'function' ? growth.subjects(step) : growth.subjects;
        const values = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
        for (let round = 0; round < rounds; round++) {
          for (const subject of subjects)
            values.get(subject.name)!.push(await once(open, subject, growth, step));
        }
        for (const [name, all] of values) {
          const points = series.get(name) ?? [];
          points.push({ x: step, y: medianOf(all)! });
          series.set(name, points);
        }
      }
      const drawn = Array.from(series, ([name, points]) => ({ name, points }));
      process.stdout.write(`\n${tableOf(growth, drawn)}`);
      charts.push({
        title: `${growth.title}${growth.unit && `, ${growth.unit}`}`,
        shown: growth.shown,
        series: drawn,
      });
    }
  });
  writeFileSync(file, chart(charts));
}

async function once(
  open: (subject: Subject) => ReturnType<Subject['open']>,
  subject: Subject,
  growth: Growth,
  step: number,
): Promise<number> {
  const session = open(subject);
  try {
    await initialize(session);
    const load = growth.load(step);
    await drive(session, { ...load, ms: load.ms / 2 });
    const before = cpuTime(session.pid!) ?? 0;
    const { answers, ms } = await drive(session, load);
    const cpu = (cpuTime(session.pid!) ?? 0) - before;
    return growth.value({ answers, ms, cpu, step });
  } finally {
    await session.stop();
  }
}

/** Words one growth as a Markdown table. */
function tableOf({ title, shown, unit, steps }: Growth, series: readonly Series[]): string {
  const rows = steps.map((step, at) => [
    `${step.toLocaleString('en-US').replaceAll(',', ' ')} ${unit}`.trimEnd(),
    ...series.map(({ points }) => points[at]!.y.toPrecision(3)),
  ]);
  const head = [title, ...series.map(({ name }) => `${name}: ${shown}`)];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
