import { definePlugin } from '@mcp-connect/core';

const NAME = 'x-plugin-name';

/** Signs in with a key. */
export default definePlugin({
  name: NAME,
  provides: { hooks: ['authenticate'] },
  flags: {
    'x-prefix-key': {
      type: 'string',
      secret: true,
      env: 'X_PREFIX_KEY',
      valueName: 'KEY',
      summary: 'The key to sign in with.',
    },
  },
  apply({ hooks, log }, { 'x-prefix-key': key }) {
    if (key === undefined) return;
    // From here on no log and no error shows it.
    log.hide(key);
    hooks.authenticate.tap(NAME, ({ headers }) => {
      // A header that another plugin has set, such as --headers, is left alone.
      headers['x-key'] ??= key;
    });
  },
});
