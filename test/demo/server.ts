import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';

/** An example server that listens. */
export interface DemoServer {
  /** Where it listens, for example `http://127.0.0.1:41234/mcp`. */
  readonly url: string;
  /** Sessions that are open now. */
  readonly sessions: ReadonlyMap<string, unknown>;
  /** Ends all sessions and stops listening. */
  close(): Promise<void>;
}

/** Starts the example server on a free port of this machine: Streamable HTTP, one session for every client. */
export async function startDemoServer(): Promise<DemoServer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const http = createServer((request, response) => {
    serve(sessions, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    sessions,
    async close() {
      for (const session of sessions.values()) await session.close();
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

/** Hands a request to its session; one without a session id opens a new session. */
async function serve(
  sessions: Map<string, StreamableHTTPServerTransport>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const id = request.headers['mcp-session-id'];
  const session = typeof id === 'string' ? sessions.get(id) : await open(sessions);
  if (session === undefined) response.writeHead(404).end();
  else await session.handleRequest(request, response);
}

async function open(
  sessions: Map<string, StreamableHTTPServerTransport>,
): Promise<StreamableHTTPServerTransport> {
  const session: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void sessions.set(id, session),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  // The SDK's own declarations disagree under exactOptionalPropertyTypes.
  await createDemoServer().connect(session as Parameters<McpServer['connect']>[0]);
  return session;
}

function createDemoServer(): McpServer {
  const server = new McpServer({ name: 'demo-server', version: '1.0.0' }, { capabilities: { logging: {} } });

  server.registerTool(
    'add',
    { description: 'Adds two numbers', inputSchema: { a: z.number(), b: z.number() } },
    ({ a, b }) => text(`${a + b}`),
  );

  server.registerTool(
    'echo',
    { description: 'Returns its input', inputSchema: { message: z.string() } },
    ({ message }) => text(message),
  );

  server.registerTool(
    'slow',
    { description: 'Takes its time and reports progress', inputSchema: { steps: z.number().int().min(1) } },
    async ({ steps }, { _meta, sendNotification }) => {
      for (let step = 1; step <= steps; step++) {
        const progressToken = _meta?.progressToken;
        if (progressToken !== undefined) {
          const params = { progressToken, progress: step, total: steps };
          await sendNotification({ method: 'notifications/progress', params });
        }
        await pause(50);
      }
      return text(`done in ${steps} steps`);
    },
  );

  server.registerTool('ask', { description: 'Asks the user for a name and greets' }, async () => {
    const answer = await server.server.elicitInput({
      message: 'What is your name?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    });
    return text(answer.action === 'accept' ? `Hello, ${String(answer.content?.['name'])}!` : 'Never mind.');
  });

  server.registerResource('readme', 'demo://readme', { mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, text: 'A server to try things on.' }],
  }));

  server.registerPrompt('review', { argsSchema: { file: z.string() } }, ({ file }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Please review ${file}.` } }],
  }));

  return server;
}

function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] };
}
