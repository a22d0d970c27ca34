// The server of the bench: raw node:http and prepared answers, so that it is never the slowest part. It prints its
// port and ends with its stdin. The arguments of a call say what comes back:
// `size` bytes of text, as `reply` `json` or `sse`, behind `notifications` notifications. At `/modern` it refuses
// `initialize`, as a server that speaks 2026-07-28 alone does.
import { once } from 'node:events';
import { createServer } from 'node:http';

const JSON_TYPE = { 'content-type': 'application/json' };
const SSE_TYPE = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };
/** Text as tools return it: mostly ASCII, some escapes, some letters beyond it. */
const PARAGRAPH = 'A line of a log, a table or a page: \\"naïve café\\", 128 µs, C:\\\\path, 50 % — done.\\n';
/** Notifications that are written at once. */
const BLOCK = 100;

const NOTIFICATION = `event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","logger":"bench","data":"${PARAGRAPH}"}}\n\n`;
const notifications = Buffer.from(NOTIFICATION.repeat(BLOCK));
const texts = new Map();

const server = createServer((request, response) => {
  if (request.method !== 'POST') return response.writeHead(request.method === 'GET' ? 405 : 200).end();
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  return request.on('end', () => {
    const message = JSON.parse(Buffer.concat(chunks));
    if (request.url === '/modern' && answerModern(message, response)) return;
    void answer(message, response);
  });
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.stdin.on('end', () => process.exit()).resume();

function answer({ id, method, params }, response) {
  if (id === undefined) return response.writeHead(202).end();
  if (method === 'tools/call') return call(id, params.arguments, response);
  if (method === 'initialize') {
    response.setHeader('mcp-session-id', 'bench');
    const serverInfo = { name: 'bench', version: '1.0.0' };
    return send(response, id, {
      protocolVersion: params.protocolVersion,
      capabilities: { tools: {} },
      serverInfo,
    });
  }
  return send(response, id, {});
}

/** Answers what a modern server answers otherwise. */
function answerModern({ id, method }, response) {
  if (method === 'server/discover') {
    send(response, id, {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
    });
  } else if (method === 'initialize') {
    const error = { code: -32_022, message: 'Unsupported', data: { supported: ['2026-07-28'] } };
    response.writeHead(400, JSON_TYPE).end(JSON.stringify({ jsonrpc: '2.0', id, error }));
  } else return false;
  return true;
}

function send(response, id, result) {
  const body = JSON.stringify({ jsonrpc: '2.0', id, result });
  response.writeHead(200, { ...JSON_TYPE, 'content-length': Buffer.byteLength(body) }).end(body);
}

async function call(id, { size = 0, reply = 'json', notifications: count = 0 }, response) {
  const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[{"type":"text","text":"`;
  const text = textOf(size);
  const tail = `"}]}}`;
  if (reply === 'json') {
    response.writeHead(200, { ...JSON_TYPE, 'content-length': head.length + text.length + tail.length });
    return writeAll(response, head, text, tail);
  }
  response.writeHead(200, SSE_TYPE);
  for (let sent = 0; sent < count; sent += BLOCK) {
    if (!response.write(notifications)) await once(response, 'drain');
  }
  return writeAll(response, `event: message\ndata: ${head}`, text, `${tail}\n\n`);
}

function writeAll(response, head, text, tail) {
  if (text.length < 65_536) return response.end(head + text.toString() + tail);
  response.cork();
  response.write(head);
  response.write(text);
  return response.end(tail);
}

function textOf(size) {
  let text = texts.get(size);
  if (text === undefined) {
    const unit = Buffer.from(PARAGRAPH);
    const whole = Math.floor(size / unit.length) * unit.length;
    text = Buffer.alloc(size, 'x');
    text.fill(unit, 0, whole);
    texts.set(size, text);
  }
  return text;
}
