import type { Log } from '@mcp-connect/core';
import { demoMessages } from './messages.js';

/** What the demo needs of its process. */
export interface DemoSurroundings {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  once(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
}

/** How the demo is run. */
export interface RunDemoOptions {
  readonly count: number;
  /** Milliseconds between two notifications. */
  readonly interval: number;
  readonly version: string;
  readonly log: Log;
  readonly around: DemoSurroundings;
}

/**
 * Runs `mcp-connect notification-demo`: an MCP server on stdin and stdout until its client is gone or a signal asks to
 * stop. Where a person sits at stdin, the notifications are printed at once, as a client would get them.
 */
export async function runDemo(options: RunDemoOptions): Promise<void> {
  const { stdin, stdout } = options.around;
  if (stdin.isTTY) {
    for (const params of demoMessages(options.count))
      stdout.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params })}\n`);
  } else await serveDemo(options);
}

async function serveDemo({ around, log, ...options }: RunDemoOptions): Promise<void> {
  const { stdin, stdout } = around;
  const [{ StdioServerTransport }, { createDemoServer }] = await Promise.all([
    import('@modelcontextprotocol/sdk/server/stdio.js'),
    import('./server.js'),
  ]);
  const stop = new AbortController();
  const ended = new Promise<void>((resolve) => {
    stdin.once('end', resolve);
    // EPIPE: whoever reads our notifications is gone.
    stdout.on('error', () => resolve());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) around.once(signal, resolve);
  });
  const server = createDemoServer({ ...options, signal: stop.signal });
  await server.connect(new StdioServerTransport(stdin, stdout));
  log.info?.('waiting for a client on stdin');
  await ended;
  stop.abort();
  await server.close();
}
