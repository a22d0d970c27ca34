import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseEndpoint } from '@mcp-connect/core';
import { PacedWriter } from './paced.js';
import type { PeerHandler, PeerMessage, Served } from './peer.js';
import { Place } from './place.js';
import type { ScriptedServer } from './script.js';

/** Where messages go. */
export const PATH = '/mcp';

/** Headers of an event stream. */
export const SSE_TYPE = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };

/** Handles one HTTP request: its body has been read. */
type HttpHandler = (text: string, request: IncomingMessage, response: ServerResponse) => void;

/** A bare HTTP server that is being served. */
interface ServedHttp extends Required<Served>, Pick<ScriptedServer, 'turnAway' | 'stop' | 'start'> {}

/**
 * Serves a handler over Streamable HTTP with SSE replies (2025-11-25 basic/transports): an answer ends the stream of
 * its request, all else that is said goes out on the youngest stream that is open.
 */
export async function serveHttp(handler: PeerHandler): Promise<Required<Served>> {
  const streams = new Map<PeerMessage['id'], { response: ServerResponse; writer: PacedWriter }>();
  const say = (text: string): Promise<void> | undefined => {
    const { id, method } = JSON.parse(text) as PeerMessage;
    const stream = method === undefined ? streams.get(id) : [...streams.values()].at(-1);
    const wait = stream?.writer.write(sseEvent(text));
    if (method === undefined && streams.delete(id)) stream?.response.end();
    return wait;
  };
  return servePosts((text, _request, response) => {
    const { id, method } = JSON.parse(text) as PeerMessage;
    if (id === undefined || method === undefined) response.writeHead(202).end();
    else {
      response.writeHead(200, SSE_TYPE).flushHeaders();
      streams.set(id, { response, writer: new PacedWriter(response) });
    }
    handler(text, say);
  });
}

/** Serves POSTs, whose bodies are read first, and all other requests in another way. */
export async function servePosts(
  onpost: HttpHandler,
  // No stream of its own, no session to end (2025-11-25 basic/transports).
  onother = (_request: IncomingMessage, response: ServerResponse): void => void response.writeHead(405).end(),
): Promise<ServedHttp> {
  let away = false;
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    if (request.method !== 'POST') {
      onother(request, response);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => onpost(Buffer.concat(chunks).toString(), request, response));
  });
  server.on('connection', (socket) => {
    if (away) socket.destroy();
  });
  const place = await Place.take(server);
  const cut = (): void => server.closeAllConnections();
  return {
    endpoint: parseEndpoint(`http://127.0.0.1:${place.port}${PATH}`),
    cut,
    turnAway() {
      away = true;
      cut();
    },
    async stop() {
      cut();
      await place.leave();
    },
    async start() {
      away = false;
      await place.comeBack();
    },
    async close() {
      cut();
      await place.free();
    },
  };
}

/** Writes a message as one event; text of several lines is spread over as many fields. */
export function sseEvent(text: string, id?: string): string {
  const data = text.replaceAll('\n', '\ndata: ');
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`;
}
