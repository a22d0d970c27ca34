// Adds as many taps to the hooks that every message passes as `--bench-taps` says; none of them changes anything.
import { definePlugin } from '@mcp-connect/core';

export default definePlugin({
  name: 'bench-taps',
  flags: { 'bench-taps': { type: 'integer', default: 0, min: 0, summary: 'How many taps there are.' } },
  apply({ hooks }, { 'bench-taps': count }) {
    for (let tap = 0; tap < count; tap++) {
      hooks.beforeSend.tap(`bench-taps-${tap}`, () => undefined);
      hooks.afterReceive.tap(`bench-taps-${tap}`, () => undefined);
    }
  },
});
