// oxlint-disable typescript/no-deprecated -- the oldest revision is served as long as there are such servers
import { randomUUID } from 'node:crypto';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport as ModernStdioTransport } from '@modelcontextprotocol/server/stdio';
import { fixture, localProgram, serveHttp, serveSocket, type HttpAnswer, type Peer } from '../e2e/servers.js';
import { createFeatureServer } from '../fixtures/feature-server.js';
import { createModernServer, type ModernHost } from '../fixtures/modern-server.js';
import { knowing } from '../fixtures/revision.js';
import { MODERN, type Pair, type Revision } from './pair.js';

/** Starts a server of one revision, and of no other era, on a wire. */
export function startServer({ server: revision, wire }: Pair): Promise<Peer> {
  const modern = revision === MODERN;
  switch (wire) {
    case 'http json':
      return modern ? modernOverHttp('auto') : legacyOverHttp(revision, true);
    case 'http sse':
      // The oldest revision knows another transport, which is all streams.
      if (revision === '2024-11-05') return legacyOverSse(revision);
      return modern ? modernOverHttp('sse') : legacyOverHttp(revision, false);
    case 'stdio':
      return Promise.resolve(
        localProgram(
          ...(modern
            ? fixture('modern-stdio', '--modern-only')
            : fixture('feature-stdio', '--revision', revision)),
        ),
      );
    case 'tcp':
      return modern ? modernOverTcp() : legacyOverTcp(revision);
  }
}

function legacyOverTcp(revision: Revision): Promise<Peer> {
  return serveSocket((socket) => {
    void createFeatureServer().connect(knowing(revision, new StdioServerTransport(socket, socket)));
  });
}

function modernOverTcp(): Promise<Peer> {
  return serveSocket((socket) => {
    const transport = new ModernStdioTransport(socket, socket);
    serveStdio(() => createModernServer(), { legacy: 'reject', transport });
  });
}

function legacyOverHttp(revision: Revision, enableJsonResponse: boolean): Promise<Peer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  return serveHttp(async ({ headers, body }, response, request) => {
    const incoming = request as Parameters<StreamableHTTPServerTransport['handleRequest']>[0];
    const message: unknown = body === '' ? undefined : JSON.parse(body);
    const known = sessions.get(String(headers['mcp-session-id']));
    if (known !== undefined) return known.handleRequest(incoming, response, message);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await createFeatureServer({ bareReplies: enableJsonResponse }).connect(knowing(revision, transport));
    return transport.handleRequest(incoming, response, message);
  });
}

/** HTTP with SSE of 2024-11-05: one stream for everything that the server says. */
function legacyOverSse(revision: Revision): Promise<Peer> {
  const sessions = new Map<string, SSEServerTransport>();
  return serveHttp(async ({ verb, body, url }, response, request) => {
    if (verb === 'GET') {
      const transport = new SSEServerTransport('/messages', response);
      sessions.set(transport.sessionId, transport);
      return createFeatureServer().connect(knowing(revision, transport));
    }
    const known = sessions.get(new URLSearchParams(url.split('?')[1]).get('sessionId') ?? '');
    if (known === undefined) return response.writeHead(405).end();
    return known.handlePostMessage(
      request as Parameters<SSEServerTransport['handlePostMessage']>[0],
      response,
      JSON.parse(body),
    );
  });
}

/** Left to itself, a modern server replies in JSON where the answer is all that it has to say. */
async function modernOverHttp(responseMode: 'auto' | 'sse'): Promise<Peer> {
  const host: ModernHost = {
    waiting: { count: 0 },
    toolsChanged: () => handler.notify.toolsChanged(),
    resourceUpdated: (uri) => handler.notify.resourceUpdated(uri),
  };
  const handler = createMcpHandler(() => createModernServer(host), { legacy: 'reject', responseMode });
  const handle = toNodeHandler(handler);
  const answer: HttpAnswer = ({ body }, response, request) =>
    handle(
      request as Parameters<typeof handle>[0],
      response as Parameters<typeof handle>[1],
      body === '' ? undefined : JSON.parse(body),
    );
  const peer = await serveHttp(answer);
  return {
    ...peer,
    async close() {
      await handler.close();
      await peer.close();
    },
  };
}
