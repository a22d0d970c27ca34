// Servers and a client for the check of what is installed: small, and without anything of the repository.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';

const NO_METHOD = { error: { code: -32601, message: 'no such method' } };

/** Answers as a server with these tools; notes the names of those that are called. */
function serverWith(tools) {
  const called = [];
  const methods = {
    initialize: () => ({
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'peer', version: '1' },
    }),
    'tools/list': () => ({ tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) }),
    'tools/call': ({ name }) => {
      called.push(name);
      return { content: [] };
    },
  };
  const answer = ({ id, method, params }) => ({
    jsonrpc: '2.0',
    id,
    ...(Object.hasOwn(methods, method) ? { result: methods[method](params) } : NO_METHOD),
  });
  return { called, answer };
}

/** Serves tools over WebSockets. */
export async function serveWebSocket(tools) {
  const { called, answer } = serverWith(tools);
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('message', (/** @type {Buffer} */ data) => {
      const message = JSON.parse(data.toString());
      if (message.id !== undefined) socket.send(JSON.stringify(answer(message)));
    });
  });
  await once(server, 'listening');
  return { called, url: `ws://127.0.0.1:${server.address().port}/mcp`, close: () => server.close() };
}

/** Serves tools over HTTP; notes the `Authorization` of every request. */
export async function serveHttp(tools) {
  const { answer } = serverWith(tools);
  const signed = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      signed.push(request.headers.authorization);
      if (request.method !== 'POST') return response.writeHead(405).end();
      const message = JSON.parse(body.toString());
      if (message.id === undefined) return response.writeHead(202).end();
      return response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(answer(message)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { signed, url: `http://127.0.0.1:${server.address().port}/mcp`, close: () => server.close() };
}

/** Runs the program as a client would; sends the requests one after another, and returns the results. */
export async function converse(program, args, { env, requests }) {
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const results = [];
  for (const [id, request] of requests.entries()) {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...request })}\n`);
    const { value } = await lines.next();
    results.push(JSON.parse(value).result);
  }
  child.stdin.end();
  const [code] = await once(child, 'exit');
  return { code, results };
}
