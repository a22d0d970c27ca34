import { definePlugin, type Attempt, type Candidate } from '@mcp-connect/core';
import { testStrategy } from '@mcp-connect/testing';

/** Goes to a server by chance, but never to one that has failed while there are others. */
const chance = definePlugin({
  name: 'strategy-chance',
  apply({ hooks }) {
    hooks.selectTransport.tap('strategy-chance', (candidates, { affinity, attempts }) => {
      if (affinity !== undefined && lastFailure(affinity, attempts) === -1) return affinity;
      const oldest = Math.min(...candidates.map((candidate) => lastFailure(candidate, attempts)));
      const best = candidates.filter((candidate) => lastFailure(candidate, attempts) === oldest);
      return best[Math.floor(Math.random() * best.length)];
    });
  },
});

/** Which attempt last failed there; -1 where none did. */
function lastFailure({ index }: Candidate, attempts: readonly Attempt[]): number {
  return attempts.findLastIndex(({ candidate }) => candidate.index === index);
}

describe('strategy-chance', () => {
  testStrategy(it, { plugin: chance });
});
