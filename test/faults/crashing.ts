// A local server that ends in the middle of a call, with some words on stderr, when the call asks for it.
import { createInterface } from 'node:readline';
import { defaultOutcome, type PeerMessage } from '@mcp-connect/testing';

/** How it ends. */
const CODE = 7;

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line) as PeerMessage;
  if (request.id === undefined) return;
  const { crash } = (request.params?.['arguments'] ?? {}) as { readonly crash?: unknown };
  if (crash === true) {
    process.stderr.write('no more memory\n', () => process.exit(CODE));
    return;
  }
  const outcome = defaultOutcome(request);
  const body = outcome.kind === 'reply' ? outcome.body : { result: {} };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: request.id, ...body })}\n`);
});
