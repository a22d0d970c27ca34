import { readFileSync } from 'node:fs';

/** Ticks of the clock in `/proc/PID/stat` per second, on every Linux in use. */
const TICKS = 100;

/** The processor time that a process has used, in milliseconds; undefined where the system does not tell. */
export function cpuTime(pid: number): number | undefined {
  const stat = read(pid, 'stat');
  if (stat === undefined) return undefined;
  // The second field is a name in parentheses, which may hold spaces; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}

/** The memory of a process in MiB: `VmRSS` now, or `VmHWM` at its highest; undefined where the system does not tell. */
export function memory(pid: number, field: 'VmRSS' | 'VmHWM'): number | undefined {
  const kib = read(pid, 'status')?.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
