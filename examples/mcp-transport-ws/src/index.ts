import { ConnectorError, definePlugin } from '@mcp-connect/core';

const NAME = 'mcp-transport-ws';

/** A name of a subprotocol is a token of HTTP (RFC 6455 section 4.1). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]*$/;

/** Connects to MCP servers over WebSockets: `ws://host/path` and `wss://host/path`. */
export default definePlugin({
  name: NAME,
  core: '^0.1.0',
  provides: { schemes: ['ws', 'wss'] },
  flags: {
    'ws-protocol': {
      type: 'string',
      env: 'MCP_TRANSPORT_WS_PROTOCOL',
      valueName: 'NAME',
      default: 'mcp',
      summary: 'Subprotocol to ask the server for; empty for none.',
    },
  },
  apply(connector, { 'ws-protocol': protocol }) {
    if (!TOKEN.test(protocol)) {
      throw new ConnectorError('MCPC_USAGE', '--ws-protocol is no name of a subprotocol.', {
        hint: 'Give a word without blanks and commas, or leave it out',
      });
    }
    for (const scheme of ['ws', 'wss']) {
      connector.transport(scheme, {
        async open(context) {
          const { openSocket } = await import('./socket.js');
          return openSocket(context, protocol);
        },
      });
    }
  },
});
