import { definePlugin } from '@mcp-connect/core';
import { testPlugin } from '@mcp-connect/testing';

/** Answers one request by itself. */
const clock = definePlugin({
  name: 'clock',
  apply({ hooks }) {
    hooks.beforeSend.tap('clock', (_message, exchange) => {
      if (exchange.method === 'x-clock/now') exchange.answer({ result: { now: Date.now() } });
    });
  },
});

describe('clock', () => {
  testPlugin(it, { plugin: clock });
});
