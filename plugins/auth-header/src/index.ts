import { definePlugin } from '@mcp-connect/core';
import { checkValue, parseHeaders, secretsOf, type Header } from './parse.js';

const NAME = '@mcp-connect/auth-header';

/** Sends an API key and headers of the user's choice. They win over the same headers of other plugins. */
export default definePlugin({
  name: NAME,
  flags: {
    'api-key': {
      type: 'string',
      secret: true,
      env: 'MCP_CONNECT_API_KEY',
      valueName: 'KEY',
      summary: 'API key, sent as X-API-Key: KEY.',
    },
    headers: {
      type: 'string',
      multiple: true,
      secret: true,
      verbatim: true,
      valueName: 'NAME:VALUE',
      summary: 'Headers to send, with commas between; may be repeated.',
    },
    'user-agent': {
      type: 'string',
      env: 'MCP_CONNECT_USER_AGENT',
      valueName: 'TEXT',
      summary: 'Name that we give ourselves in the User-Agent header.',
    },
  },
  apply(connector, { 'api-key': apiKey, headers, 'user-agent': userAgent }) {
    const key: Header[] = apiKey === undefined ? [] : [['x-api-key', checkValue(apiKey, 'api-key')]];
    const agent: Header[] =
      userAgent === undefined ? [] : [['user-agent', checkValue(userAgent, 'user-agent')]];
    const custom = headers.flatMap((text) => parseHeaders(text, process.env));
    for (const [, value] of [...key, ...custom]) connector.log.hide(...secretsOf(value));
    // Whoever spells a header out means it, so --headers has the last word.
    const fields = Object.fromEntries([...key, ...agent, ...custom]);
    if (Object.keys(fields).length === 0) return;
    // Behind the plugins that sign in, in whatever order they were loaded.
    connector.hooks.authenticate.tap({ name: NAME, stage: 100 }, (credentials) => {
      Object.assign(credentials.headers, fields);
    });
  },
});
