import { expect } from 'chai';
import { storm } from './storm.js';

/** How far a backend's share may be off an equal one. */
const TOLERANCE = 0.15;

describe('backends that are killed, reset, hung and slowed at random', function () {
  // Much is done here, and other tests may be running beside it.
  this.timeout(120_000);

  it('cost no safe request an error, and carry out no tool call twice', async () => {
    const report = await storm({
      backends: 3,
      concurrency: 500,
      requests: 10_000,
      calm: 3_000,
      seed: 1,
      ejectionTime: 500,
    });
    expect(report.safe.errors).to.deep.equal([]);
    expect(report).to.include({ twice: 0, invented: 0, answeredTwice: 0 });
    const equal = 3_000 / 3;
    for (const share of report.spread) {
      expect(share).to.be.within(equal * (1 - TOLERANCE), equal * (1 + TOLERANCE));
    }
  });
});
