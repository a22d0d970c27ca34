import { definePlugin } from '@mcp-connect/core';
import { testAuth } from '@mcp-connect/testing';

/** Signs in with a pass. */
const pass = definePlugin({
  name: 'auth-pass',
  flags: {
    pass: { type: 'string', secret: true, env: 'PASS', valueName: 'PASS', summary: 'The pass to show.' },
  },
  apply({ hooks, log }, { pass: given }) {
    if (given === undefined) return;
    log.hide(given);
    hooks.authenticate.tap('auth-pass', ({ headers }) => {
      headers['x-pass'] ??= given;
    });
  },
});

describe('auth-pass', () => {
  testAuth(it, {
    plugin: pass,
    options: () => ({ pass: 'open-sesame' }),
    accepts: ({ headers }) => headers['x-pass'] === 'open-sesame',
    secrets: ['open-sesame'],
  });
});
