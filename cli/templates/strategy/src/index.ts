import { definePlugin, type Attempt, type Candidate } from '@mcp-connect/core';

const NAME = 'x-plugin-name';

/** Goes to the server with the fewest waiting requests. */
export default definePlugin({
  name: NAME,
  provides: { hooks: ['selectTransport'] },
  apply({ hooks }) {
    hooks.selectTransport.tap(NAME, (candidates, { affinity, attempts }) => {
      // What belongs to a session stays where the session is, until that server fails.
      if (affinity !== undefined && lastFailure(affinity, attempts) === -1) return affinity;
      return candidates.toSorted(
        (a, b) => lastFailure(a, attempts) - lastFailure(b, attempts) || a.pending - b.pending,
      )[0];
    });
  },
});

/** Which attempt at this request last failed there; -1 where none did. */
function lastFailure({ index }: Candidate, attempts: readonly Attempt[]): number {
  return attempts.findLastIndex(({ candidate }) => candidate.index === index);
}
