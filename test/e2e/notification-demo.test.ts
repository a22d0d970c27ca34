import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  LoggingMessageNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'chai';
import { Inbox } from './inbox.js';
import { mcpConnect, ProxyProcess, type Message } from './proxy-process.js';

const DEMO = ['notification-demo', '--count', '3', '--interval', '0'];

/** A client of the SDK with the demo behind it, as an MCP client's settings would start it. */
async function connected(
  args: readonly string[],
): Promise<{ client: Client; levels: Inbox<string>; lists: Inbox<string> }> {
  const client = new Client({ name: 'demo-client', version: '1.0.0' });
  const [levels, lists] = [new Inbox<string>(), new Inbox<string>()];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => levels.put(params.level));
  client.setNotificationHandler(ToolListChangedNotificationSchema, ({ method }) => lists.put(method));
  await client.connect(new StdioClientTransport({ ...mcpConnect(args), stderr: 'ignore' }));
  return { client, levels, lists };
}

describe('mcp-connect notification-demo', () => {
  it('sends log messages at rotating levels, then a changed list, by itself', async () => {
    const { client, levels, lists } = await connected(DEMO);
    try {
      expect([await levels.next(), await levels.next(), await levels.next()]).to.deep.equal([
        'debug',
        'info',
        'notice',
      ]);
      await lists.next();
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).to.include.members(['notify', 'appeared']);
    } finally {
      await client.close();
    }
  });

  it('reports progress, and keeps to the level that the client set', async () => {
    const program = new ProxyProcess(DEMO);
    await program.initialize();
    await program.message(({ method }) => method === 'notifications/tools/list_changed');
    await program.request(1, 'logging/setLevel', { level: 'notice' });
    const before = program.lines.length;
    await program.request(2, 'tools/call', { name: 'notify', arguments: {}, _meta: { progressToken: 'p' } });
    const sent = program.lines.slice(before).map((line) => JSON.parse(line) as Message);
    const of = (method: string): Message[] => sent.filter((message) => message.method === method);
    expect(of('notifications/progress').map(({ params }) => params)).to.deep.equal(
      [1, 2, 3].map((progress) => ({ progressToken: 'p', progress, total: 3 })),
    );
    expect(of('notifications/message').map(({ params }) => params?.['level'])).to.deep.equal(['notice']);
    expect(of('notifications/tools/list_changed')).to.have.length(1);
    await program.end();
  });

  it('works behind a proxy', async () => {
    const { command, args } = mcpConnect(DEMO);
    const { client, levels } = await connected(['proxy', '--', command, ...args]);
    try {
      expect(await levels.next()).to.equal('debug');
    } finally {
      await client.close();
    }
  });

  it('ends in order when its client is gone', async () => {
    const program = new ProxyProcess(DEMO);
    await program.initialize();
    await program.message(({ method }) => method === 'notifications/tools/list_changed');
    expect(await program.end()).to.deep.equal({ code: 0, signal: null });
    expect(program.stderr).to.equal('');
  });

  it('tells mistakes in one line, with exit code 2', async () => {
    for (const args of [['--count', '0'], ['--cuont', '3'], ['stray']]) {
      const program = new ProxyProcess(['notification-demo', ...args]);
      expect(await program.exit).to.deep.equal({ code: 2, signal: null });
      expect(program.stderr).to.match(/^mcp-connect: [^\n]+\n$/);
    }
  });
});
