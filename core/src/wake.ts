/** How often the clock is looked at, in milliseconds. */
const TICK = 5_000;
/** A tick that comes this much too late means that the machine slept, in milliseconds. */
const LATE = 10_000;

/** The clock and the timer of this machine. */
export interface Clock {
  /** The time of day in milliseconds: unlike `performance.now()`, it goes on while the machine sleeps. */
  now(): number;
  /** Calls back again and again, and returns how to end it. */
  every(milliseconds: number, tick: () => void): () => void;
}

/** The clock on the wall. Its timer keeps no process alive. */
export const WALL: Clock = {
  now: () => Date.now(),
  every(milliseconds, tick) {
    const timer = setInterval(tick, milliseconds).unref();
    return () => clearInterval(timer);
  },
};

/**
 * Calls back when the machine has slept, which shows in a tick that comes far too late. A program that was held up or
 * a clock that was set forward looks the same; to check once too often does no harm.
 *
 * @returns how to stop watching
 */
export function watchSleep(onwake: () => void, clock: Clock = WALL): () => void {
  let last = clock.now();
  return clock.every(TICK, () => {
    const now = clock.now();
    const late = now - last - TICK;
    last = now;
    if (late > LATE) onwake();
  });
}
