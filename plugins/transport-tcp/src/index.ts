import { definePlugin, isLoopback, type TransportKind } from '@mcp-connect/core';
import { addressOf } from './address.js';

/** Connects to MCP servers over sockets: `tcp://host:port`, `tls://host:port` and `unix:/path`. */
export default definePlugin({
  name: '@mcp-connect/transport-tcp',
  provides: { schemes: ['tcp', 'tls', 'unix'] },
  apply(connector) {
    const warned = new Set<string>();
    const kind: TransportKind = {
      pooled: true,
      validate: (endpoint) => void addressOf(endpoint),
      async open(context) {
        const { endpoint, log } = context;
        const { openConnection } = await import('./socket.js');
        const { transport, remoteAddress } = await openConnection(context);
        const exposed =
          endpoint.scheme === 'tcp' && remoteAddress !== undefined && !isLoopback(remoteAddress);
        if (exposed && !warned.has(endpoint.label)) {
          warned.add(endpoint.label);
          log.warn?.('%s is not encrypted: anyone on the way can read and change it', endpoint.label);
        }
        return transport;
      },
    };
    for (const scheme of ['tcp', 'tls', 'unix']) connector.transport(scheme, kind);
  },
});
