import { definePlugin } from '@mcp-connect/core';
import { addressOf } from './address.js';

/** Connects to MCP servers at `x-scheme://host:port`. */
export default definePlugin({
  name: 'x-plugin-name',
  provides: { schemes: ['x-scheme'] },
  apply(connector) {
    connector.transport('x-scheme', {
      // At start, before anything is opened: a mistake is told at once, and no wait would heal it.
      validate: (endpoint) => void addressOf(endpoint),
      async open(context) {
        // Loaded with the first connection: a plugin that is not used costs nothing.
        const { openSocket } = await import('./socket.js');
        return openSocket(context);
      },
    });
  },
});
