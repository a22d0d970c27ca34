import { definePlugin, type Endpoint } from '@mcp-connect/core';
import type { Verdict } from './verdict.js';

const NAME = '@mcp-connect/protocol-bridge';

/** Joins clients and servers of different protocol revisions. */
export default definePlugin({
  name: NAME,
  provides: { hooks: ['openTransport'] },
  flags: {
    era: {
      type: 'string',
      default: 'bridge',
      options: ['bridge', 'refuse', 'pass'],
      env: 'MCP_CONNECT_ERA',
      summary:
        'What to do where client and server speak different eras of MCP: translate, tell a newer client to speak an older revision, or nothing.',
    },
  },
  apply({ hooks }, { era }) {
    if (era === 'pass') return;
    const verdicts = new Map<Endpoint, Verdict>();
    hooks.openTransport.tap(NAME, (open) => async (context) => {
      const { openBridge } = await import('./bridge.js');
      return openBridge({ open, context, verdicts, refuse: era === 'refuse' });
    });
  },
});
