import { definePlugin, type Attempt, type Candidate } from '@mcp-connect/core';

const NAME = '@mcp-connect/strategy-round-robin';

/** Behind strategies of others: whoever loads one wants it to decide. */
const LAST = 100;

/** Spreads requests over the endpoints, in turn or by load. What belongs to one of them stays with it. */
export default definePlugin({
  name: NAME,
  provides: { hooks: ['selectTransport'] },
  flags: {
    strategy: {
      type: 'string',
      env: 'MCP_CONNECT_STRATEGY',
      summary: 'How requests are spread: in turn, or to the endpoint with the fewest waiting requests.',
      options: ['round-robin', 'least-pending'],
      default: 'round-robin',
    },
  },
  apply(connector, { strategy }) {
    /** The turn of a request, kept while it lives: further attempts at it take no turn of their own. */
    const TURN = Symbol('turn');
    const byLoad = strategy === 'least-pending';
    let turns = 0;
    connector.hooks.selectTransport.tap(
      { name: NAME, stage: LAST },
      (candidates, { affinity, attempts, state }) => {
        if (affinity !== undefined && lastFailure(affinity, attempts) === -1) return affinity;
        if (!state.has(TURN)) state.set(TURN, turns++);
        const start = (state.get(TURN) as number) % candidates.length;
        // Nothing to sort by: this is what nearly every request comes to.
        if (!byLoad && attempts.length === 0) return candidates[start];
        const inTurn = [...candidates.slice(start), ...candidates.slice(0, start)];
        if (byLoad) inTurn.sort((a, b) => a.pending - b.pending);
        return inTurn.sort((a, b) => lastFailure(a, attempts) - lastFailure(b, attempts))[0];
      },
    );
  },
});

/** Which attempt last failed there, -1 where none did: the smallest is the one to try, first of all the untried. */
function lastFailure({ index }: Candidate, attempts: readonly Attempt[]): number {
  return attempts.findLastIndex(({ candidate }) => candidate.index === index);
}
