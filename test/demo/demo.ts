// `npm run demo`: a real client, mcp-connect and a real server in one conversation.
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Conversation } from './conversation.js';
import { startDemoServer } from './server.js';

/** Calls in a row that make up the closing measurement. */
const CALLS = 200;

const server = await startDemoServer();
const talk = new Conversation(process.stdout);
talk.title('SDK client ── stdio ──▸ mcp-connect proxy ── Streamable HTTP ──▸ example server');
talk.note(`mcp-connect proxy --endpoint ${server.url}`);

const client = new Client({ name: 'demo-client', version: '1.0.0' }, { capabilities: { elicitation: {} } });
client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
  talk.aside('server asks', params.message);
  talk.aside('client says', 'Ada');
  return { action: 'accept', content: { name: 'Ada' } };
});
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [
    fileURLToPath(new URL('../../../cli/bin/run.js', import.meta.url)),
    'proxy',
    '--endpoint',
    server.url,
  ],
});

try {
  await talk.line('start, initialize', async () => {
    await client.connect(transport);
    return `${client.getServerVersion()?.name}, pid ${transport.pid}`;
  });
  await talk.line('tools/list', async () =>
    (await client.listTools()).tools.map(({ name }) => name).join(', '),
  );
  await talk.line('tools/call add {2, 40}', () => call('add', { a: 2, b: 40 }));
  await talk.line('tools/call echo', () => call('echo', { message: 'Grüße, 世界 👋' }));
  await talk.line('tools/call slow', async () => {
    const params = { name: 'slow', arguments: { steps: 3 } };
    const onprogress = ({ progress, total }: { progress: number; total?: number | undefined }): void =>
      talk.aside('progress', `${progress} of ${total}`);
    return textOf(await client.callTool(params, undefined, { onprogress }));
  });
  await talk.line('tools/call ask', () => call('ask', {}));
  await talk.line('resources/read', async () => {
    const { contents } = await client.readResource({ uri: 'demo://readme' });
    return contents.map((content) => ('text' in content ? content.text : content.uri)).join();
  });
  await talk.line('prompts/get review', async () => {
    const { messages } = await client.getPrompt({ name: 'review', arguments: { file: 'pipeline.ts' } });
    return messages.map(({ content }) => (content.type === 'text' ? content.text : content.type)).join();
  });
  await talk.line(`${CALLS} × tools/call echo`, async () => {
    const times: number[] = [];
    for (let index = 0; index < CALLS; index++) {
      const startedAt = performance.now();
      await call('echo', { message: 'again' });
      times.push(performance.now() - startedAt);
    }
    times.sort((a, b) => a - b);
    return `median ${times[CALLS / 2]?.toFixed(2)} ms a call`;
  });
  await talk.line('close', async () => {
    await client.close();
    return `${server.sessions.size} sessions left on the server`;
  });
} finally {
  await client.close();
  await server.close();
}

async function call(name: string, args: Record<string, unknown>): Promise<string> {
  return textOf(await client.callTool({ name, arguments: args }));
}

function textOf(result: Awaited<ReturnType<Client['callTool']>>): string {
  const content = result['content'] as readonly { type: string; text?: string }[];
  return content.map((part) => part.text ?? part.type).join();
}
