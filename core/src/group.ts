import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a group that was asked to end is looked at, in milliseconds. */
const LOOK = 20;
/** The time that a group gets at most where there is none to lose, in milliseconds. */
const HURRIED = 500;

/**
 * Ends a program and all that it started: SIGTERM, then SIGKILL for those still there after `patience` milliseconds.
 * The program must lead a process group of its own; Windows has none, so there the tree below it is ended by force.
 *
 * @param hurry aborts when there is no time to lose
 */
export async function endGroup(program: ChildProcess, patience: number, hurry?: AbortSignal): Promise<void> {
  if (program.pid === undefined) return;
  if (process.platform === 'win32') return endTree(program.pid);
  if (!signal(program.pid, 'SIGTERM')) return;
  const since = performance.now();
  const left = (): number =>
    since + (hurry?.aborted ? Math.min(HURRIED, patience) : patience) - performance.now();
  while (left() > 0) {
    await sleep(LOOK);
    if (!signal(program.pid, 0)) return;
  }
  signal(program.pid, 'SIGKILL');
}

/** Returns false when no one of the group is left, or no one whom we may signal. */
function signal(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, name);
  } catch {
    return false;
  }
}

async function endTree(pid: number): Promise<void> {
  const { execFile } = await import('node:child_process');
  // It fails when the program has ended by itself, and that is as well.
  return new Promise((resolve) => execFile('taskkill', ['/pid', String(pid), '/T', '/F'], () => resolve()));
}
