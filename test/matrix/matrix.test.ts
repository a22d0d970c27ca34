import { expect } from 'chai';
import { MODERN, PAIRS, REVISIONS, titleOf, type Pair } from './pair.js';
import { playAll, type Cell } from './play.js';

/** How many pairs are played at the same time. */
const LANES = 4;

/** Every revision meets the modern one both ways, and its own era once; `npm run matrix` plays the rest. */
const SLICE = PAIRS.filter(({ client, server }) => {
  if (client === MODERN || server === MODERN) return true;
  return REVISIONS.indexOf(client) === (REVISIONS.indexOf(server) + 1) % (REVISIONS.length - 1);
});

describe('clients of every revision and servers of every revision', function () {
  // Pairs wait for their turn, and are played several at a time.
  this.timeout(120_000);
  const playing = playAll(SLICE, LANES);

  for (const pair of SLICE) {
    it(titleOf(pair), async () => {
      const { value } = (await playing.next()) as { value: { pair: Pair; cells: readonly Cell[] } };
      expect(value.pair).to.equal(pair);
      const faults = value.cells.filter(({ fault }) => fault !== undefined);
      expect(faults.map(({ check, fault }) => `${check.name}: ${fault}`)).to.deep.equal([]);
    });
  }
});
