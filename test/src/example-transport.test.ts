import { definePlugin, type Envelope } from '@mcp-connect/core';
import { memoryTransport, testTransport, transportOf } from '@mcp-connect/testing';

const wire = memoryTransport();

/** A transport that counts what it carries. */
const counting = definePlugin({
  name: 'counting-transport',
  apply(connector) {
    let count = 0;
    connector.transport('memory', {
      open: (context) =>
        wire.kind.open({
          ...context,
          onmessage(envelope: Envelope) {
            connector.log.debug?.('message %d', ++count);
            return context.onmessage(envelope);
          },
        }),
    });
  },
});

describe('counting-transport', () => {
  testTransport(it, { kind: transportOf(counting, 'memory', {}), serve: wire.serve });
});
