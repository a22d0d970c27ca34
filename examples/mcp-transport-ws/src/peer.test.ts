import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseEndpoint } from '@mcp-connect/core';
import type { PeerHandler, Served } from '@mcp-connect/testing';
import { WebSocketServer } from 'ws';

/** Serves a handler over WebSockets on a free port of this machine; `admit` may refuse an upgrade. */
export async function serveWs(
  handler: PeerHandler,
  admit: (request: IncomingMessage) => boolean = () => true,
): Promise<Served> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: ({ req }: { req: IncomingMessage }) => admit(req),
  });
  server.on('connection', (socket) => {
    const say = (text: string): Promise<void> => new Promise((done) => socket.send(text, () => done()));
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => handler(data.toString(), say));
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const client of server.clients) client.terminate();
  };
  return {
    endpoint: parseEndpoint(`ws://127.0.0.1:${port}/mcp`),
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
