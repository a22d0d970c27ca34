import { definePlugin, type Attempt, type Candidate } from '@mcp-connect/core';
import { readFallbacks } from './parse.js';

const NAME = '@mcp-connect/strategy-fallback';

/** Tries endpoints in order: the primary one, then each of `--fallbacks`, then the one that failed longest ago. */
export default definePlugin({
  name: NAME,
  flags: {
    fallbacks: {
      type: 'string',
      env: 'MCP_CONNECT_FALLBACKS',
      valueName: 'LIST',
      summary:
        'What to try when the endpoint fails: transports (stdio,tcp,tls,sse,http) or whole endpoints, with commas.',
    },
    'fallback-command': {
      type: 'string',
      env: 'MCP_CONNECT_FALLBACK_COMMAND',
      valueName: 'COMMAND',
      summary: 'Command line of the program that the fallback stdio runs.',
    },
  },
  apply(connector, { fallbacks, 'fallback-command': command }) {
    const { log, hooks } = connector;
    if (fallbacks === undefined) {
      if (command !== undefined) log.warn?.('--fallback-command does nothing without --fallbacks stdio');
      return;
    }
    for (const endpoint of readFallbacks(fallbacks, { primary: connector.endpoints[0], command, log }))
      connector.endpoint(endpoint);
    hooks.selectTransport.tap(NAME, (candidates, { affinity, attempts }) => {
      if (affinity !== undefined && lastFailure(affinity, attempts) === -1) return affinity;
      return candidates.toSorted((a, b) => lastFailure(a, attempts) - lastFailure(b, attempts))[0];
    });
  },
});

/** Which attempt last failed there, -1 where none did: the smallest is the one to try, first of all the untried. */
function lastFailure({ index }: Candidate, attempts: readonly Attempt[]): number {
  return attempts.findLastIndex(({ candidate }) => candidate.index === index);
}
