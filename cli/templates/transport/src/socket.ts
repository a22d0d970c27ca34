import { once } from 'node:events';
import { connect } from 'node:net';
import {
  ConnectorError,
  LineChannel,
  reasonOf,
  type Transport,
  type TransportContext,
} from '@mcp-connect/core';
import { addressOf } from './address.js';

/**
 * Connects to the server of an endpoint.
 *
 * @throws ConnectorError `MCPC_CONNECT`
 */
export async function openSocket(context: TransportContext): Promise<Transport> {
  const { endpoint, signal } = context;
  const socket = connect(addressOf(endpoint));
  let failure: unknown;
  socket.on('error', (error) => (failure = error));
  try {
    await once(socket, 'connect', { signal });
  } catch (cause) {
    socket.destroy();
    throw new ConnectorError('MCPC_CONNECT', `No connection to ${endpoint.label}: ${reasonOf(cause)}`, {
      cause,
      hint: 'Check that the server runs and listens there',
    });
  }

  // One JSON message a line, with back-pressure both ways and a limit of the size.
  const channel = new LineChannel({ input: socket, output: socket, context });
  let asked = false;
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      // What was under way may have been carried out: the line decides what is safe to send again.
      const text = `${endpoint.label} ended the connection.`;
      const error = new ConnectorError('MCPC_CONNECTION_LOST', text, {
        cause: failure,
        delivered: 'unknown',
      });
      channel.close(asked ? undefined : error);
      resolve();
    });
  });
  void channel.ended.then(() => socket.end());

  return {
    send: (envelope) => channel.send(envelope),
    drain: () => channel.drain(),
    async close() {
      asked = true;
      channel.flush();
      socket.end(() => socket.destroy());
      await closed;
    },
  };
}
