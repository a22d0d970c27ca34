import type { Transport as SdkTransport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { Envelope } from './envelope.js';
import { ConnectorError, reasonOf, toConnectorError } from './errors.js';
import type { Client, Pipeline } from './pipeline.js';
import type { Transport, TransportContext } from './transport.js';

export type { SdkTransport };

/**
 * Lets any transport of the MCP SDK, version 1 or 2, serve as a channel to a server. The SDK rebuilds every message:
 * members that it does not know may be lost.
 */
export async function fromSdkTransport(
  transport: SdkTransport,
  context: TransportContext,
): Promise<Transport> {
  const { endpoint, log } = context;
  let closed = false;
  transport.onmessage = (message: JSONRPCMessage) => void context.onmessage(Envelope.of(message));
  transport.onerror = (error) => log.warn?.('%s: %s', endpoint.label, error.message);
  transport.onclose = () => {
    if (!closed) context.onclose();
    closed = true;
  };
  try {
    await transport.start();
  } catch (error) {
    throw toConnectorError(error, 'MCPC_CONNECT');
  }
  return {
    async send(envelope) {
      try {
        await transport.send(envelope.message);
      } catch (error) {
        // The SDK does not say how far a message came, so the careful reading is the right one.
        throw new ConnectorError('MCPC_CONNECTION_LOST', `${endpoint.label}: ${reasonOf(error)}`, {
          cause: error,
          delivered: 'unknown',
        });
      }
    },
    async close() {
      closed = true;
      await transport.close();
    },
  };
}

/** Makes the transport that an SDK client connects to. */
export function sdkTransport(connect: (client: Client) => Pipeline): SdkTransport {
  let pipeline: Pipeline | undefined;
  const transport: SdkTransport = {
    async start() {
      pipeline = connect({ deliver: (envelope) => transport.onmessage?.(envelope.message) });
    },
    async send(message) {
      if (pipeline === undefined) throw new ConnectorError('MCPC_USAGE', 'The transport is not started.');
      await pipeline.accept(Envelope.of(message));
    },
    async close() {
      const closing = pipeline?.close();
      pipeline = undefined;
      await closing;
      transport.onclose?.();
    },
  };
  return transport;
}
