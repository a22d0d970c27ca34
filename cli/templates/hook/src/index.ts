import { definePlugin } from '@mcp-connect/core';

const NAME = 'x-plugin-name';

/** Adds a note to the instructions of a server. */
export default definePlugin({
  name: NAME,
  provides: { hooks: ['afterReceive'] },
  flags: {
    'x-prefix-note': {
      type: 'string',
      env: 'X_PREFIX_NOTE',
      valueName: 'TEXT',
      summary: 'Text to add to the instructions of the server.',
    },
  },
  apply({ hooks, log }, { 'x-prefix-note': note }) {
    if (note === undefined) return;
    hooks.afterReceive.tap(NAME, (message, exchange) => {
      const introduces = exchange.method === 'initialize' || exchange.method === 'server/discover';
      if (!introduces || !('result' in message)) return undefined;
      const { instructions } = message.result as { instructions?: string };
      log.debug?.('the note goes to the client');
      // Messages are not changed in place: return a new one, or nothing to leave it as it is.
      const texts = [instructions, note].filter((text) => text !== undefined);
      return { ...message, result: { ...message.result, instructions: texts.join('\n\n') } };
    });
  },
});
