import { setTimeout as pause } from 'node:timers/promises';
import { drive, type Asked } from './load.js';
import { cpuTime, memory } from './proc.js';
import type { Session } from './session.js';

/** A column of numbers in the report. */
export interface Metric {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
}

/** What is measured of a session in one go; a metric that the system does not offer is undefined. */
export interface Figure {
  readonly id: string;
  readonly metrics: readonly Metric[];
  measure(session: Session): Promise<readonly (number | undefined)[]>;
}

const MIB = 1_048_576;

/** Milliseconds of quiet before idle memory is read. */
const QUIET = 200;

/** The metric of the start, which is taken when a session is opened. */
export const START: Metric = { id: 'start', title: 'spawn → initialize', unit: 'ms' };

/** All figures in the order in which one session goes through them: the large messages come last. */
export const FIGURES: readonly Figure[] = [
  {
    id: 'idle',
    metrics: [{ id: 'rss-idle', title: 'memory, idle', unit: 'MiB' }],
    async measure({ pid }) {
      await pause(QUIET);
      return [pid && memory(pid, 'VmRSS')];
    },
  },
  {
    id: 'small',
    metrics: [
      { id: 'p50', title: 'small call, p50', unit: 'ms' },
      { id: 'p99', title: 'small call, p99', unit: 'ms' },
    ],
    async measure(session) {
      await drive(session, { asked: {}, inFlight: 1, ms: 200 });
      const { latencies } = await drive(session, { asked: {}, inFlight: 1, ms: 400 });
      const sorted = latencies.toSorted((a, b) => a - b);
      return [quantile(sorted, 0.5), quantile(sorted, 0.99)];
    },
  },
  {
    id: 'flood',
    metrics: [
      { id: 'rate', title: '32 in flight', unit: 'calls/s' },
      { id: 'cpu', title: '32 in flight, CPU', unit: 'µs/call' },
    ],
    async measure(session) {
      const { pid } = session;
      await drive(session, { asked: {}, inFlight: 32, ms: 200 });
      const before = pid && cpuTime(pid);
      const { answers, ms } = await drive(session, { asked: {}, inFlight: 32, ms: 800 });
      const after = pid && cpuTime(pid);
      const used = before === undefined || after === undefined ? undefined : after - before;
      return [(answers * 1000) / ms, used && (used * 1000) / answers];
    },
  },
  {
    id: 'notifications',
    metrics: [{ id: 'notifications', title: 'notifications', unit: '1/s' }],
    async measure(session) {
      const asked: Asked = { reply: 'sse', notifications: 5_000 };
      await drive(session, { asked, inFlight: 1, ms: 0 });
      const { notifications, ms } = await drive(session, { asked, inFlight: 1, ms: 250 });
      return [(notifications * 1000) / ms];
    },
  },
  transfer('json-1', '1 MiB, JSON', { size: MIB, reply: 'json' }),
  transfer('sse-1', '1 MiB, SSE', { size: MIB, reply: 'sse' }),
  transfer('json-16', '16 MiB, JSON', { size: 16 * MIB, reply: 'json' }),
  transfer('sse-16', '16 MiB, SSE', { size: 16 * MIB, reply: 'sse' }),
  {
    id: 'peak',
    metrics: [{ id: 'rss-peak', title: 'memory, peak of all', unit: 'MiB' }],
    measure: ({ pid }) => Promise.resolve([pid && memory(pid, 'VmHWM')]),
  },
];

function transfer(id: string, title: string, asked: Asked & { readonly size: number }): Figure {
  return {
    id,
    metrics: [{ id, title, unit: 'MB/s' }],
    async measure(session) {
      await drive(session, { asked: { ...asked, size: MIB }, inFlight: 1, ms: 50 });
      const { answers, ms } = await drive(session, { asked, inFlight: 1, ms: 300 });
      return [(answers * asked.size) / ms / 1000];
    },
  };
}

function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.floor((sorted.length - 1) * share)];
}
