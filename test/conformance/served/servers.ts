import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createMcpHandler, type EventStore, type JSONRPCMessage } from '@modelcontextprotocol/server';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import {
  localProgram,
  serveHttp,
  serveSocket,
  type HttpAnswer,
  type HttpPeer,
  type Peer,
} from '../../e2e/servers.js';
import { createEverything, surroundings } from './everything.js';
import { isLocal } from './local.js';
import type { Era, Wire } from './pair.js';

type Incoming = Parameters<NodeStreamableHTTPServerTransport['handleRequest']>[0];

/** How soon a client may fetch the rest of a stream that was ended, in milliseconds. */
const RETRY = 20;

const PROGRAM = fileURLToPath(new URL('everything-stdio.js', import.meta.url));

/** Starts the conformance server for one era on a wire. */
export function startServer(era: Era, wire: Wire): Promise<Peer> {
  switch (wire) {
    case 'http':
      return serveOverHttp(era);
    case 'stdio':
      return Promise.resolve(localProgram(process.execPath, PROGRAM, '--era', era));
    case 'tcp':
      return serveOverTcp(era);
  }
}

/** Serves the conformance server for one era over HTTP. */
export function serveOverHttp(era: Era): Promise<HttpPeer> {
  return era === 'legacy' ? serveLegacy() : serveModern();
}

function serveOverTcp(era: Era): Promise<Peer> {
  const around = surroundings();
  return serveSocket((socket) => {
    const transport = new StdioServerTransport(socket, socket);
    if (era === 'legacy') void createEverything(around).connect(transport);
    else serveStdio(() => createEverything(around), { legacy: 'reject', transport });
  });
}

/** With sessions, and replies that can be fetched when a stream has ended. */
function serveLegacy(): Promise<HttpPeer> {
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  const around = surroundings({ drop: (session, call) => sessions.get(session)?.closeSSEStream(call) });
  return serveHttp(async ({ headers, body }, response, request) => {
    if (!isLocal(headers)) return response.writeHead(403).end();
    const incoming = request as Incoming;
    const message: unknown = body === '' ? undefined : JSON.parse(body);
    const session = headers['mcp-session-id'];
    const known = sessions.get(String(session));
    if (known !== undefined) return known.handleRequest(incoming, response, message);
    if (session !== undefined) return response.writeHead(404).end();
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: RETRY,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await createEverything(around).connect(transport);
    return transport.handleRequest(incoming, response, message);
  });
}

async function serveModern(): Promise<HttpPeer> {
  const around = surroundings({
    changed: (list) => (list === 'tools' ? handler.notify.toolsChanged() : handler.notify.promptsChanged()),
  });
  const handler = createMcpHandler(() => createEverything(around), { legacy: 'reject' });
  const handle = toNodeHandler(handler);
  const answer: HttpAnswer = ({ headers, body }, response, request) =>
    isLocal(headers)
      ? handle(
          request as Parameters<typeof handle>[0],
          response as Parameters<typeof handle>[1],
          body === '' ? undefined : JSON.parse(body),
        )
      : response.writeHead(403).end();
  const peer = await serveHttp(answer);
  return {
    ...peer,
    async close() {
      await handler.close();
      await peer.close();
    },
  };
}

/** What streams have said, so that the rest of one can be fetched. */
class Events implements EventStore {
  readonly #events: { readonly stream: string; readonly message: JSONRPCMessage }[] = [];

  storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    return Promise.resolve(String(this.#events.push({ stream, message })));
  }

  async replayEventsAfter(
    last: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const stream = this.#events[Number(last) - 1]?.stream ?? '';
    for (const [index, event] of this.#events.entries()) {
      if (index >= Number(last) && event.stream === stream) await send(String(index + 1), event.message);
    }
    return stream;
  }
}
