import { expect } from 'chai';
import { titleOf } from './column.js';
import { ROWS } from './rows/index.js';
import { MCP_CONNECT } from './subjects.js';
import { playAll, type Cell } from './table.js';
import type { Row } from './row.js';

/** Heavy rows carry a fifth of what they do in `npm run faults`. */
const SCALE = 0.2;

describe('mcp-connect and the faults of servers', function () {
  // Rows wait for their turn, and are played several at a time.
  this.timeout(120_000);
  let playing: ReadonlyMap<Row, Promise<readonly Cell[]>>;

  before(() => {
    playing = playAll(ROWS, { subject: MCP_CONNECT, scale: SCALE, lanes: 8 });
  });

  for (const row of ROWS) {
    it(row.name, async () => {
      const cells = await playing.get(row)!;
      const faults = cells.filter(({ fault }) => fault !== undefined);
      expect(faults.map(({ column, fault }) => `${titleOf(column)}: ${fault}`)).to.deep.equal([]);
    });
  }
});
