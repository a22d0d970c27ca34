import { definePlugin } from '@mcp-connect/core';
import { readHeadersFile } from './file.js';
import { checkName, checkValue, parseHeaders, secretsOf, type Header } from './parse.js';

const NAME = '@mcp-connect/auth-header';

/** The header in which most servers look for a key. */
const KEY_NAME = 'X-API-Key';

/** First of all, so that what signs in by itself sees that it need not; and last of all, to have the last word. */
const STAGES = [-100, 100];

/** Sends an API key and headers of the user's choice. They win over the same headers of other plugins. */
export default definePlugin({
  name: NAME,
  provides: { hooks: ['authenticate'] },
  flags: {
    'api-key': {
      type: 'string',
      secret: true,
      env: 'MCP_CONNECT_API_KEY',
      valueName: 'KEY',
      summary: 'API key, sent as X-API-Key: KEY.',
    },
    'api-key-header': {
      type: 'string',
      env: 'MCP_CONNECT_API_KEY_HEADER',
      valueName: 'NAME',
      default: KEY_NAME,
      summary: 'Header that carries the API key.',
    },
    headers: {
      type: 'string',
      pairs: ':',
      multiple: true,
      secret: true,
      verbatim: true,
      env: 'MCP_CONNECT_HEADERS',
      valueName: 'NAME:VALUE',
      summary: 'Headers to send, with commas between; may be repeated.',
    },
    'headers-file': {
      type: 'string',
      path: true,
      env: 'MCP_CONNECT_HEADERS_FILE',
      valueName: 'FILE',
      summary: 'File with headers to send, one a line.',
    },
    'user-agent': {
      type: 'string',
      env: 'MCP_CONNECT_USER_AGENT',
      valueName: 'TEXT',
      summary: 'Name that we give ourselves in the User-Agent header.',
    },
  },
  apply(connector, options) {
    const { 'api-key': apiKey, 'api-key-header': keyName, 'user-agent': userAgent } = options;
    const { headers, 'headers-file': file } = options;
    const name = checkName(keyName, '--api-key-header');
    if (apiKey === undefined && keyName !== KEY_NAME)
      connector.log.warn?.('--api-key-header does nothing without --api-key KEY');
    const key: Header[] = apiKey === undefined ? [] : [[name, checkValue(apiKey, 'api-key')]];
    const agent: Header[] =
      userAgent === undefined ? [] : [['user-agent', checkValue(userAgent, 'user-agent')]];
    const filed = file === undefined ? [] : readHeadersFile(file, process.env);
    const custom = headers.flatMap((text) => parseHeaders(text, process.env));
    for (const [, value] of [...key, ...filed, ...custom]) connector.log.hide(...secretsOf(value));
    // Whoever spells a header out means it, so --headers has the last word.
    const fields = Object.fromEntries([...key, ...agent, ...filed, ...custom]);
    if (Object.keys(fields).length === 0) return;
    for (const stage of STAGES) {
      connector.hooks.authenticate.tap({ name: NAME, stage }, (credentials) => {
        Object.assign(credentials.headers, fields);
      });
    }
  },
});
