import { expect } from 'chai';
import { listScenarios } from '../harness.js';
import { countsOf, differencesBetween, limitsOf, type Outcome } from './differences.js';
import { eraOf, PAIRS, titleOf, type Revision } from './pair.js';
import { playDirectly, playThrough } from './play.js';
import { playTasks, TASKS } from './tasks.js';

const LATEST = ['2025-11-25', '2026-07-28'] as const;

/** Where mcp-connect translates, over one wire. `npm run conformance` plays the rest. */
const SLICE = PAIRS.filter(({ revision, server, wire }) => {
  const crossing = eraOf(revision) !== server;
  return crossing && wire === 'http' && LATEST.some((latest) => latest === revision);
});

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

  it('no scenario of tasks is forgotten', () => {
    const names = [...offered.keys()].filter((name) => name.startsWith('tasks-'));
    // The harness itself skips all of it.
    expect(names.filter((name) => name !== 'tasks-status-notifications')).to.have.members(Object.keys(TASKS));
  });

  it('a modern client holds the tasks of a legacy server', async function () {
    this.retries(2);
    const scenarios = ['tasks-mrtr-input', 'tasks-dispatch-and-envelope'];
    const played = await Promise.all(scenarios.map(playTasks));
    expect(played).to.deep.equal([
      { passed: 4, failed: [] },
      { passed: 9, failed: [] },
    ]);
  });
});
