import { expect } from 'chai';
import { listScenarios } from '../harness.js';
import { countsOf, differencesBetween, limitsOf, type Outcome } from './differences.js';
import { PAIRS, titleOf, type Revision } from './pair.js';
import { playDirectly, playThrough } from './play.js';

const LATEST = ['2025-11-25', '2026-07-28'] as const;

/** Where mcp-connect translates, and one pair where it does not. `npm run conformance` plays the rest. */
const SLICE = PAIRS.filter(({ revision, server, wire }) =>
  revision === '2026-07-28'
    ? wire === (server === 'modern' ? 'stdio' : 'http')
    : revision === '2025-11-25' && server === 'modern' && wire === 'http',
);

describe('conformance of servers behind mcp-connect', function () {
  // Each test is dozens of sessions.
  this.timeout(60_000);
  let direct: ReadonlyMap<Revision, Outcome>;
  let offered: ReadonlyMap<string, readonly string[]>;

  before(async () => {
    const playing = LATEST.map(async (revision) => [revision, await playDirectly(revision)] as const);
    const [listed, ...played] = await Promise.all([listScenarios('server'), ...playing]);
    offered = listed;
    direct = new Map(played);
  });

  for (const revision of LATEST) {
    it(`${revision}: the server by itself passes every scenario that there is`, () => {
      const outcome = direct.get(revision)!;
      const applying = [...offered].filter(([, revisions]) => revisions.includes(revision));
      expect([...outcome.keys()]).to.have.members(applying.map(([name]) => name));
      expect(countsOf(outcome).failed).to.equal(0);
    });
  }

  for (const pair of SLICE) {
    it(`${titleOf(pair)}: whatever passes passes through mcp-connect`, async function () {
      // The harness gives some replies half a second, which a busy machine may need for itself.
      this.retries(2);
      const differences = differencesBetween(direct.get(pair.revision)!, await playThrough(pair));
      expect(differences).to.have.members([...limitsOf(pair).keys()]);
    });
  }
});
