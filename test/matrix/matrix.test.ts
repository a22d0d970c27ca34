import { expect } from 'chai';
import { MODERN, PAIRS, REVISIONS, titleOf, type Pair, type Revision, type Wire } from './pair.js';
import { playAll, type Cell } from './play.js';

/** How many pairs are played at the same time. */
const LANES = 4;

/** Wires on which every revision meets the modern one both ways, and its own era once. */
const WHOLE = new Set<Wire>(['http sse', 'stdio']);
/** What meets on the other wires. `npm run matrix` plays the rest. */
const OUTERMOST = new Set<Revision>(['2024-11-05', '2025-11-25', MODERN]);

const SLICE = PAIRS.filter(({ client, server, wire }) => {
  const crossing = client === MODERN || server === MODERN;
  if (!WHOLE.has(wire)) return crossing && OUTERMOST.has(client) && OUTERMOST.has(server);
  return crossing || REVISIONS.indexOf(client) === (REVISIONS.indexOf(server) + 1) % (REVISIONS.length - 1);
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
