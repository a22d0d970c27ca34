import { definePlugin } from '@mcp-connect/core';
import { ToolNames } from './names.js';

const NAME = 'mcp-filter-tools';

/** The error of a call of a tool that is not there (MCP server/tools, Error Handling). */
const INVALID_PARAMS = -32602;

/** Hides tools of a server from the client, and shows others under names of the user's choice. */
export default definePlugin({
  name: NAME,
  core: '^0.1.0',
  provides: { hooks: ['beforeSend', 'afterReceive'] },
  flags: {
    'tools-allow': {
      type: 'string',
      multiple: true,
      env: 'MCP_FILTER_TOOLS_ALLOW',
      valueName: 'GLOB',
      summary:
        'Tools to show, by the names that the server gives them; may be repeated. All where not given.',
    },
    'tools-deny': {
      type: 'string',
      multiple: true,
      env: 'MCP_FILTER_TOOLS_DENY',
      valueName: 'GLOB',
      summary: 'Tools to hide, although they are allowed; may be repeated.',
    },
    'tools-rename': {
      type: 'string',
      pairs: '=',
      multiple: true,
      env: 'MCP_FILTER_TOOLS_RENAME',
      valueName: 'OLD=NEW',
      summary: 'Shows the tool OLD under the name NEW; may be repeated.',
    },
  },
  apply({ hooks, log }, { 'tools-allow': allow, 'tools-deny': deny, 'tools-rename': rename }) {
    if (allow.length + deny.length + rename.length === 0) return;
    const names = new ToolNames({ allow, deny, rename });

    hooks.beforeSend.tap(NAME, (message, exchange) => {
      if (exchange.method !== 'tools/call' || !('method' in message)) return undefined;
      const shown = message.params?.['name'];
      if (typeof shown !== 'string') return undefined;
      const name = names.hiddenName(shown);
      if (name === shown) return undefined;
      if (name !== undefined) return { ...message, params: { ...message.params, name } };
      log.debug?.('%s was called, which is hidden', shown);
      exchange.answer({ error: { code: INVALID_PARAMS, message: `Unknown tool: ${shown}` } });
      return undefined;
    });

    hooks.afterReceive.tap(NAME, (message, exchange) => {
      if (exchange.method !== 'tools/list' || !('result' in message)) return undefined;
      const { tools } = message.result as { tools?: unknown };
      if (!Array.isArray(tools)) return undefined;
      const result = { ...message.result, tools: tools.flatMap(show) };
      // Others may be shown other tools (MCP 2026-07-28 server/utilities/caching).
      return { ...message, result: 'cacheScope' in result ? { ...result, cacheScope: 'private' } : result };
    });

    /** A tool as the client sees it, or nothing. */
    function show(tool: unknown): unknown[] {
      const { name } = (tool ?? {}) as { name?: unknown };
      if (typeof name !== 'string') return [tool];
      const shown = names.shownName(name);
      if (shown === undefined) return [];
      return [shown === name ? tool : { ...(tool as object), name: shown }];
    }
  },
});
