import { expect } from 'chai';
import { Lane } from './lane.js';
import { deferred } from './scripted.test.js';

describe('Lane', () => {
  it('runs steps at once while none of them waits', () => {
    const seen: number[] = [];
    const lane = new Lane();
    expect(lane.run(() => void seen.push(1))).to.equal(undefined);
    expect(lane.run(() => void seen.push(2))).to.equal(undefined);
    expect(seen).to.deep.equal([1, 2]);
  });

  it('holds later steps back behind one that waits, and keeps their order', async () => {
    const seen: string[] = [];
    const lane = new Lane();
    const first = deferred();
    const second = deferred();
    void lane.run(() => first.promise.then(() => void seen.push('first')));
    const done = lane.run(() => second.promise.then(() => void seen.push('second')), 10);
    const last = lane.run(() => void seen.push('third'), 5);
    expect([lane.weight, seen]).to.deep.equal([15, []]);
    second.resolve();
    first.resolve();
    await done;
    await last;
    await lane.idle();
    expect([lane.weight, seen]).to.deep.equal([0, ['first', 'second', 'third']]);
  });

  it('goes on after a step that rejects, and after a waiting step that throws', async () => {
    const seen: string[] = [];
    const lane = new Lane();
    void lane.run(() => Promise.reject(new Error('first')));
    void lane.run(() => {
      throw new Error('second');
    });
    await lane.run(() => void seen.push('third'));
    await lane.idle();
    expect(seen).to.deep.equal(['third']);
    expect(lane.run(() => void seen.push('fourth'))).to.equal(undefined);
  });

  it('takes a new step behind those that wait while it drains', async () => {
    const seen: number[] = [];
    const lane = new Lane();
    void lane.run(() => Promise.resolve());
    void lane.run(async () => {
      void lane.run(() => void seen.push(3));
      await Promise.resolve();
      seen.push(1);
    });
    void lane.run(() => void seen.push(2));
    await lane.idle();
    expect(seen).to.deep.equal([1, 2, 3]);
  });
});
