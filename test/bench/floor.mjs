// The yardstick: a bridge from stdio to Streamable HTTP that parses, checks and heals nothing.
import { Agent, request } from 'node:http';

const { hostname: host, port, pathname: path } = new URL(process.argv[2]);
const agent = new Agent({ keepAlive: true });
const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
let parts = [];

process.stdin.on('data', (chunk) => {
  let start = 0;
  for (let end; (end = chunk.indexOf(10, start)) !== -1; start = end + 1) {
    parts.push(chunk.subarray(start, end));
    post(parts.length === 1 ? parts[0] : Buffer.concat(parts));
    parts = [];
  }
  if (start < chunk.length) parts.push(chunk.subarray(start));
});
process.stdin.on('end', () => agent.destroy());

function post(line) {
  const options = { host, port, path, agent, method: 'POST' };
  request({ ...options, headers: { ...headers, 'content-length': line.length } }, receive).end(line);
}

function receive(response) {
  headers['mcp-session-id'] ??= response.headers['mcp-session-id'] ?? '';
  const isStream = response.headers['content-type'] === 'text/event-stream';
  const chunks = [];
  response.on('data', (chunk) => chunks.push(chunk));
  response.on('end', () => {
    process.stdout.cork();
    const body = isStream ? Buffer.concat(chunks) : Buffer.alloc(0);
    for (let start = 0, end; (end = body.indexOf(10, start)) !== -1; start = end + 1)
      if (body[start] === 0x64 /* d of data */) process.stdout.write(body.subarray(start + 6, end + 1));
    if (!isStream && chunks.push('\n') > 1) for (const chunk of chunks) process.stdout.write(chunk);
    process.stdout.uncork();
  });
}
