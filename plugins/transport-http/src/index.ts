import { ConnectorError, definePlugin, type Endpoint } from '@mcp-connect/core';
import { namesSource } from './names.js';

export { REPLY_CHANNEL, type ReplyHead } from './wire.js';

/** Streamable HTTP of every MCP revision (`http`, which covers https), and HTTP with SSE of 2024-11-05 (`sse`). */
export default definePlugin({
  name: '@mcp-connect/transport-http',
  provides: { schemes: ['http', 'sse'] },
  flags: {
    'dns-server': {
      type: 'string',
      env: 'MCP_CONNECT_DNS_SERVER',
      valueName: 'HOST:PORT',
      summary:
        'Where endpoints of the form dns+http:// and srv+http:// are looked up, instead of the system.',
    },
  },
  apply(registry, { 'dns-server': server }) {
    const names = namesSource({ server, log: registry.log.child('names') });
    for (const scheme of ['dns+http', 'dns+https', 'srv+http', 'srv+https']) registry.source(scheme, names);
    registry.transport('http', {
      validate,
      open: async (context) => (await import('./streamable.js')).openStreamable(context),
    });
    registry.transport('sse', {
      validate,
      open: async (context) => (await import('./legacy-sse.js')).openLegacySse(context),
    });
  },
});

function validate({ url, address }: Endpoint): void {
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (!isWeb) {
    throw new ConnectorError('MCPC_USAGE', `The endpoint "${address}" is no web address.`, {
      hint: `Write it with its scheme, for example http://${address || 'localhost:8080/mcp'}`,
    });
  }
  if (url.port !== '0') return;
  throw new ConnectorError('MCPC_USAGE', `The endpoint ${url.origin} has the port 0, which cannot be.`, {
    hint: 'Write a port between 1 and 65535, or none for the usual one',
  });
}
