import { setTimeout as wait } from 'node:timers/promises';
import { McpServer, type RegisteredTool } from '@modelcontextprotocol/sdk/server/mcp.js';
import { demoMessages } from './messages.js';

/** What the demo server is made from. */
export interface DemoOptions {
  /** How many log messages a client gets once it is there, and how many steps the tool takes. */
  readonly count: number;
  /** Milliseconds between two of them. */
  readonly interval: number;
  readonly version: string;
  /** Ends whatever is under way. */
  readonly signal: AbortSignal;
}

/**
 * Makes an MCP server that has nothing to offer but notifications. Once a client is there it gets log messages at
 * levels that rotate – those that its `logging/setLevel` lets through – and then news that the list of tools has
 * changed. The tool `notify` does the same on demand, and reports progress.
 */
export function createDemoServer(options: DemoOptions): McpServer {
  const { count, version, signal } = options;
  const server = new McpServer(
    { name: 'mcp-connect-notification-demo', version },
    {
      capabilities: { logging: {} },
      instructions: 'Call notify for log messages, progress and a changed list.',
    },
  );
  const description = 'Sends log messages and progress, then adds a tool or takes it away again.';
  server.registerTool('notify', { description }, async (extra) => {
    const progressToken = extra._meta?.progressToken;
    await send(server, { ...options, signal: AbortSignal.any([signal, extra.signal]) }, async (progress) => {
      if (progressToken === undefined) return;
      const params = { progressToken, progress, total: count };
      await extra.sendNotification({ method: 'notifications/progress', params });
    });
    toggle();
    return { content: [{ type: 'text', text: `${count} notifications were sent.` }] };
  });
  let appeared: RegisteredTool | undefined;
  const toggle = (): void => {
    appeared?.remove();
    appeared =
      appeared === undefined ? server.registerTool('appeared', {}, () => ({ content: [] })) : undefined;
  };
  server.server.oninitialized = () => {
    void send(server, options).then(toggle, () => undefined);
  };
  return server;
}

/** Rejects when the signal aborts, or when nobody is connected any more. */
async function send(
  server: McpServer,
  { count, interval, signal }: Pick<DemoOptions, 'count' | 'interval' | 'signal'>,
  onsent?: (sent: number) => Promise<void>,
): Promise<void> {
  for (const [at, message] of demoMessages(count).entries()) {
    if (at > 0 && interval > 0) await wait(interval, undefined, { signal });
    signal.throwIfAborted();
    await server.sendLoggingMessage(message);
    await onsent?.(at + 1);
  }
}
