import { definePlugin, type Attempt, type Candidate } from '@mcp-connect/core';
import { readFallbacks } from './parse.js';

const NAME = '@mcp-connect/strategy-fallback';

/** Behind strategies of others: whoever loads one wants it to decide. */
const LAST = 100;

/**
 * Tries endpoints in order: the primary one, then each of `--fallbacks`, then the one that failed longest ago. What
 * works is kept, until one before it works again.
 */
export default definePlugin({
  name: NAME,
  provides: { hooks: ['selectTransport'] },
  flags: {
    fallbacks: {
      type: 'string',
      list: true,
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
    failback: {
      type: 'string',
      env: 'MCP_CONNECT_FAILBACK',
      summary:
        'When to return to an endpoint that works again: never, when nothing is under way, or with the next request.',
      options: ['never', 'idle', 'now'],
      default: 'idle',
    },
  },
  apply(connector, { fallbacks, 'fallback-command': command, failback }) {
    const { log, hooks } = connector;
    if (fallbacks === undefined) {
      if (command !== undefined) log.warn?.('--fallback-command does nothing without --fallbacks stdio');
      return;
    }
    for (const endpoint of readFallbacks(fallbacks, { primary: connector.endpoints[0], command, log }))
      connector.endpoint(endpoint);
    /** The place of the endpoint that is in use. */
    let current = 0;
    hooks.selectTransport.tap({ name: NAME, stage: LAST }, (candidates, { affinity, attempts }) => {
      const [first] = candidates.toSorted((a, b) => lastFailure(a, attempts) - lastFailure(b, attempts));
      const kept = candidates.find(({ index }) => index === (affinity?.index ?? current));
      const stays = kept !== undefined && lastFailure(kept, attempts) === -1 && !mayReturn(kept, first!);
      const chosen = stays ? kept : first;
      current = chosen!.index;
      return chosen;
    });

    /** Only a sign of life, which is asked for once an endpoint has failed, makes it one to return to. */
    function mayReturn(kept: Candidate, first: Candidate): boolean {
      if (first.index >= kept.index || first.failures > 0 || failback === 'never') return false;
      return failback === 'now' || kept.pending === 0;
    }
  },
});

/** Which attempt last failed there, -1 where none did: the smallest is the one to try, first of all the untried. */
function lastFailure({ index }: Candidate, attempts: readonly Attempt[]): number {
  return attempts.findLastIndex(({ candidate }) => candidate.index === index);
}
