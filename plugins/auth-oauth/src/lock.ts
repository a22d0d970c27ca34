import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeFolder } from '@mcp-connect/core';

/** How often an owner shows that it lives, in milliseconds. */
const HEARTBEAT = 1_000;
/** How long an owner may show nothing before it counts as dead, in milliseconds of the watcher's own running time. */
const LEASE = 6_000;
/** How often those in line look, in milliseconds. */
const LOOK = 100;

/** What stands in the file of a turn once it is over. An empty file is one that is just being written. */
const OVER = 'over';

/** What stands in the file of a turn that is held. */
interface Turn {
  readonly pid: number;
  /** Process ids mean nothing on another machine that shares the folder. */
  readonly host: string;
}

/** How the file of the latest turn stood when it was last seen to change. */
interface Sighting {
  readonly turn: number;
  readonly modified: number;
  /** How long it has been watched without a change, in milliseconds. */
  watched: number;
}

/**
 * Does `work` while no other process does work under the same path. Every holder creates a file of its own,
 * `PATH.NUMBER`, which the file system grants to one process alone. The highest number holds the lock until its file says
 * that it is over, or its owner is dead. Numbers only grow, so that whoever judged an owner dead and is late cannot take
 * the lock from that owner's successor.
 *
 * @param signal ends the waiting; what `work` gets aborts with it, and also when the lock was lost to another process
 * because this one had stood still
 * @throws the signal's reason; NodeJS.ErrnoException when the folder cannot be written
 */
export async function withLock<T>(
  path: string,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const held = await acquire(path, signal);
  const lost = new AbortController();
  const timer = setInterval(() => {
    void beat(path, held).then((mine) => mine || lost.abort(new Error('another process took the lock over')));
  }, HEARTBEAT);
  timer.unref();
  try {
    return await work(signal === undefined ? lost.signal : AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
    // The file stays, so that its number stays taken.
    await writeFile(turnFile(path, held), OVER, { mode: 0o600 }).catch(() => undefined);
  }
}

async function acquire(path: string, signal: AbortSignal | undefined): Promise<number> {
  makeFolder(dirname(path), 0o700);
  let seen: Sighting | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const before = performance.now();
    const last = (await turns(path)).at(-1) ?? 0;
    seen = await sight(path, last, seen);
    if (seen === undefined || seen.watched >= LEASE) {
      const mine = await take(path, last + 1);
      if (mine !== undefined) return mine;
      seen = undefined;
      continue;
    }
    await pause(LOOK * (0.5 + Math.random()), undefined, signal === undefined ? {} : { signal });
    // A machine that slept in between saw nothing: only time in which an owner could have shown itself counts.
    seen.watched += Math.min(performance.now() - before, LOOK * 2);
  }
}

/** Looks at the latest turn. Returns undefined when nobody holds it any more. */
async function sight(path: string, turn: number, seen: Sighting | undefined): Promise<Sighting | undefined> {
  if (turn === 0) return undefined;
  try {
    const file = turnFile(path, turn);
    const [text, { mtimeMs: modified }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    if (isOver(text)) return undefined;
    const unchanged = seen !== undefined && seen.turn === turn && seen.modified === modified;
    return unchanged ? seen : { turn, modified, watched: 0 };
  } catch {
    return undefined;
  }
}

/** Whether a turn has ended, by what stands in its file: given back, or the owner's process is gone. */
function isOver(text: string): boolean {
  if (text === OVER) return true;
  try {
    const { pid, host } = JSON.parse(text) as Turn;
    return host === hostname() && !isRunning(pid);
  } catch {
    // A file that is being written: its owner has just begun.
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Takes a turn. Returns undefined when another process was faster. */
async function take(path: string, turn: number): Promise<number | undefined> {
  const me: Turn = { pid: process.pid, host: hostname() };
  const file = turnFile(path, turn);
  try {
    await writeFile(file, JSON.stringify(me), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  const all = await turns(path);
  // Numbers below the latest are cleared away, so a late one may get a number that was used before.
  if (all.at(-1) !== turn) {
    await rm(file, { force: true });
    return undefined;
  }
  for (const old of all.slice(0, -1)) await rm(turnFile(path, old), { force: true });
  return turn;
}

/** Shows that the owner lives. Returns false when the lock is no longer its own. */
async function beat(path: string, turn: number): Promise<boolean> {
  try {
    const now = new Date();
    await utimes(turnFile(path, turn), now, now);
    return (await turns(path)).at(-1) === turn;
  } catch {
    return false;
  }
}

/** The numbers that were taken, in order. */
async function turns(path: string): Promise<number[]> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path));
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(name.slice(prefix.length)))
    .filter((number) => Number.isSafeInteger(number) && number > 0)
    .sort((a, b) => a - b);
}

function turnFile(path: string, turn: number): string {
  return join(dirname(path), `${basename(path)}.${turn}`);
}
