import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseEndpoint } from '@mcp-connect/core';
import { PacedWriter } from './paced.js';
import { textOf, type PeerHandler, type PeerMessage, type Served } from './peer.js';
import { defaultOutcome, Journal, type Outcome, type Script, type ScriptedServer } from './script.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const SSE_TYPE = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };

/** Handles one POST: its body has been read. */
type PostHandler = (text: string, response: ServerResponse) => void;

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
  return servePosts((text, response) => {
    const { id, method } = JSON.parse(text) as PeerMessage;
    if (id === undefined || method === undefined) response.writeHead(202).end();
    else {
      response.writeHead(200, SSE_TYPE).flushHeaders();
      streams.set(id, { response, writer: new PacedWriter(response) });
    }
    handler(text, say);
  });
}

/** Starts a scripted server over HTTP. Its answers are JSON replies, unless an outcome says `replySse`. */
export async function scriptedHttp(script: Script): Promise<ScriptedServer> {
  const journal = new Journal();
  const served = await servePosts((text, response) => {
    const message = JSON.parse(text) as PeerMessage;
    if (message.id === undefined || message.method === undefined) {
      journal.note(message, undefined);
      response.writeHead(202).end();
      return;
    }
    const outcome = script(message) ?? defaultOutcome(message);
    journal.note(message, outcome);
    act(outcome, message, response);
  });
  return {
    ...served,
    messages: journal.messages,
    executions: (method) => journal.executions(method),
    received: (count, method) => journal.received(count, method),
  };
}

function act(outcome: Outcome, { id }: PeerMessage, response: ServerResponse): void {
  const { socket } = response;
  switch (outcome.kind) {
    case 'reply': {
      const answer = textOf({ id, ...outcome.body });
      if (!outcome.sse) {
        response.writeHead(200, JSON_TYPE).end(outcome.pretty ? pretty(answer) : answer);
        return;
      }
      response.writeHead(200, SSE_TYPE);
      const texts = [...outcome.before.map(textOf), ...Array.from({ length: outcome.times }, () => answer)];
      for (const [n, text] of texts.entries())
        response.write(sseEvent(text, outcome.ids ? `${id}-${n}` : undefined));
      response.end();
      return;
    }
    case 'raw':
      response.writeHead(200, { 'content-type': outcome.type }).end(outcome.bytes);
      return;
    case 'status':
      response.writeHead(outcome.status, outcome.headers).end(outcome.body);
      return;
    case 'end':
      response.writeHead(200, SSE_TYPE).end();
      return;
    case 'hang':
      return;
    case 'cut':
      if (outcome.after === undefined) {
        socket?.resetAndDestroy();
        return;
      }
      response.writeHead(200, SSE_TYPE);
      response.write(outcome.after, () => socket?.destroy());
  }
}

async function servePosts(onpost: PostHandler): Promise<Required<Served>> {
  const server = createServer((request, response) => {
    if (request.method !== 'POST') {
      // No stream of its own, no session to end (2025-11-25 basic/transports).
      response.writeHead(405).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => onpost(Buffer.concat(chunks).toString(), response));
    response.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: parseEndpoint(`http://127.0.0.1:${port}/mcp`),
    cut: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sseEvent(text: string, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`;
}

function pretty(text: string): string {
  return JSON.stringify(JSON.parse(text), undefined, 2);
}
