import { expect } from 'chai';
import { watchSleep, type Clock } from './wake.js';

/** A clock that goes by hand. */
class Hand implements Clock {
  time = 1_000_000;
  #tick: (() => void) | undefined;
  #every = 0;

  now(): number {
    return this.time;
  }

  every(milliseconds: number, tick: () => void): () => void {
    this.#every = milliseconds;
    this.#tick = tick;
    return () => (this.#tick = undefined);
  }

  /** Lets the timer go off, this much too late. */
  tick(late = 0): void {
    this.time += this.#every + late;
    this.#tick?.();
  }
}

describe('watchSleep', () => {
  function watched(): { clock: Hand; wakes: number[]; stop(): void } {
    const clock = new Hand();
    const wakes: number[] = [];
    const stop = watchSleep(() => wakes.push(clock.time), clock);
    return { clock, wakes, stop };
  }

  it('says nothing while the clock goes as it should, or a little late', () => {
    const { clock, wakes } = watched();
    for (const late of [0, 200, 9_000, 0]) clock.tick(late);
    expect(wakes).to.deep.equal([]);
  });

  it('tells of every sleep once', () => {
    const { clock, wakes } = watched();
    clock.tick();
    clock.tick(3_600_000);
    clock.tick();
    clock.tick(20_000);
    clock.tick();
    expect(wakes).to.have.length(2);
  });

  it('takes a clock that is set back for no sleep', () => {
    const { clock, wakes } = watched();
    clock.tick(-3_600_000);
    clock.tick();
    expect(wakes).to.deep.equal([]);
  });

  it('is silent once stopped', () => {
    const { clock, wakes, stop } = watched();
    stop();
    clock.tick(3_600_000);
    expect(wakes).to.deep.equal([]);
  });
});
