import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** A session like most: V8 compiles what it passes through. */
const SESSION = [
  {
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'build', version: '0' } },
  },
  { method: 'notifications/initialized' },
  { id: 1, method: 'tools/list' },
  { id: 2, method: 'tools/call', params: { name: 'a', arguments: {} } },
];

/**
 * Puts what V8 compiles in a start beside the bundle. It fits the Node.js of the build alone, and is no part of the
 * package; in an image, or a clone, it spares every start that finds no cache of its user the compiling.
 *
 * @param folder where the bundle lies
 */
export async function compileStart(folder: string): Promise<void> {
  const cache = await mkdtemp(join(tmpdir(), 'mcp-connect-build-'));
  try {
    await runSession(cache);
    const compiled = join(cache, 'compiled');
    // Written, not copied: everyone who may run the bundle may read this too.
    for (const name of await readdir(compiled))
      await writeFile(join(folder, name), await readFile(join(compiled, name)));
  } finally {
    await rm(cache, { recursive: true });
  }
}

/** Starts mcp-connect and goes through a session with it, one message after another. */
async function runSession(cache: string): Promise<void> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => answer(request.method === 'POST' ? body : '{}', response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const env = { PATH: process.env['PATH'], MCP_CONNECT_CACHE_DIR: cache, MCP_CONNECT_STATE_DIR: cache };
  const child = spawn(process.execPath, [RUN, 'proxy', '--endpoint', `http://127.0.0.1:${port}/mcp`], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const closed = once(child, 'close');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    for (const message of SESSION) {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
      if ('id' in message) await lines.next();
    }
    child.stdin.end();
    await closed;
  } finally {
    child.kill();
    server.close();
  }
}

/** Answers a call as an event, as many servers do, and all else as JSON. */
function answer(body: string, response: ServerResponse): void {
  const { id, method } = JSON.parse(body) as { id?: number; method?: string };
  if (id === undefined) return void response.writeHead(method === undefined ? 405 : 202).end();
  const text = JSON.stringify({ jsonrpc: '2.0', id, result: RESULTS[method!] });
  if (method === 'tools/call')
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`event: message\ndata: ${text}\n\n`);
  else response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'a' }).end(text);
}

const RESULTS: Readonly<Record<string, object>> = {
  initialize: {
    protocolVersion: '2025-06-18',
    capabilities: { tools: {} },
    serverInfo: { name: 'build', version: '0' },
  },
  'tools/list': { tools: [] },
  'tools/call': { content: [] },
};
