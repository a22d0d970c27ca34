import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { Intake } from './intake.js';

const ROOM = 1_000_000;

describe('Intake', () => {
  /** Replies that are being read. */
  async function replies(count: number): Promise<PassThrough[]> {
    const all = Array.from({ length: count }, () => new PassThrough().resume());
    await nextTurn();
    return all;
  }

  const paused = (all: readonly PassThrough[]): boolean[] => all.map((reply) => reply.isPaused());

  it('reads all replies while there is room, beyond it the oldest one only, and the others in turn', async () => {
    const intake = new Intake({ room: ROOM });
    const all = await replies(3);
    for (const reply of all) intake.hold(reply, 300_000);
    expect(paused(all)).to.deep.equal([false, false, false]);
    intake.hold(all[2]!, 500_000);
    intake.hold(all[0]!, 600_000);
    intake.hold(all[1]!, 400_000);
    expect(paused(all)).to.deep.equal([false, true, true]);
    intake.hold(all[0]!, 900_000);
    expect(paused(all)).to.deep.equal([false, true, true]);
    // The first one is whole.
    intake.hold(all[0]!, 0);
    expect(paused(all)).to.deep.equal([false, false, false]);
  });

  it('always reads small replies', async () => {
    const intake = new Intake({ room: ROOM });
    const [first, second, small] = (await replies(3)) as [PassThrough, PassThrough, PassThrough];
    intake.hold(first, ROOM);
    intake.hold(second, ROOM);
    intake.hold(small, 10_000);
    expect(paused([first, second, small])).to.deep.equal([false, true, false]);
  });

  it('reads nothing large while the client alone fills the room', async () => {
    const intake = new Intake({ room: ROOM });
    const [first, second] = (await replies(2)) as [PassThrough, PassThrough];
    let read = (): void => undefined;
    intake.handOver(2 * ROOM, new Promise((resolve) => (read = resolve)));
    intake.hold(first, 100_000);
    intake.hold(second, 100_000);
    expect(paused([first, second])).to.deep.equal([true, true]);
    const resumed = once(first, 'resume');
    read();
    await resumed;
    expect(paused([first, second])).to.deep.equal([false, false]);
  });

  it('lets the next one go on when the oldest brings nothing', async () => {
    const intake = new Intake({ room: ROOM, turn: 1 });
    const [first, second] = (await replies(2)) as [PassThrough, PassThrough];
    intake.hold(first, ROOM);
    intake.hold(second, 100_000);
    expect(second.isPaused()).to.equal(true);
    await once(second, 'resume');
    // Back again, it has to wait.
    intake.hold(first, ROOM + 1);
    expect(paused([first, second])).to.deep.equal([true, false]);
    intake.hold(second, 0);
    expect(first.isPaused()).to.equal(false);
  });

  it('forgets a reply that ends while it is paused', async () => {
    const intake = new Intake({ room: ROOM });
    const [first, second, third] = (await replies(3)) as [PassThrough, PassThrough, PassThrough];
    intake.hold(first, ROOM);
    intake.hold(second, ROOM);
    intake.hold(second, 0);
    intake.hold(third, 100_000);
    intake.hold(first, 0);
    expect(paused([second, third])).to.deep.equal([true, false]);
  });
});
