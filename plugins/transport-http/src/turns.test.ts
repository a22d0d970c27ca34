import { expect } from 'chai';
import { Turns } from './turns.js';

describe('Turns', () => {
  it('begin in order, so many at once, whatever becomes of those before', async () => {
    const turns = new Turns(2);
    const begun: number[] = [];
    const ends: { resolve(value: number): void; reject(error: Error): void }[] = [];
    const runs = [0, 1, 2, 3].map((index) =>
      turns.run(() => {
        begun.push(index);
        return new Promise<number>((resolve, reject) => ends.push({ resolve, reject }));
      }),
    );
    const outcomes = Promise.allSettled(runs);
    expect(begun).to.deep.equal([0, 1]);
    ends[1]!.reject(new Error('no'));
    await runs[1]!.catch(() => undefined);
    expect(begun).to.deep.equal([0, 1, 2]);
    ends[0]!.resolve(7);
    await runs[0];
    expect(begun).to.deep.equal([0, 1, 2, 3]);
    ends[2]!.resolve(8);
    ends[3]!.resolve(9);
    expect((await outcomes).map(({ status }) => status)).to.deep.equal([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(await turns.run(async () => 'free again')).to.equal('free again');
  });
});
