// A local server that neither the end of its input nor SIGTERM brings down.
import { createInterface } from 'node:readline';
import { defaultOutcome, type PeerMessage } from '@mcp-connect/testing';

process.on('SIGTERM', () => undefined);
setInterval(() => undefined, 60_000);
createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line) as PeerMessage;
  if (request.id === undefined) return;
  const outcome = defaultOutcome(request);
  const body = outcome.kind === 'reply' && 'result' in outcome.body ? outcome.body.result : {};
  const result = { ...body, pid: process.pid };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: request.id, result })}\n`);
});
