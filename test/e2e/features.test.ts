import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  EmptyResultSchema,
  ErrorCode,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
  type CallToolResult,
  type Notification,
} from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'chai';
import { MEMO } from '../fixtures/feature-server.js';
import { mcpConnect } from './proxy-process.js';
import { Inbox } from './inbox.js';
import {
  fixture,
  localProgram,
  serveFeaturesInTurn,
  serveFeaturesOverHttp,
  serveFeaturesOverSocket,
  type Peer,
} from './servers.js';

const MEGABYTE = 1024 * 1024;

speaksMcp('over Streamable HTTP', serveFeaturesOverHttp);
speaksMcp('over stdio', async () => localProgram(...fixture('feature-stdio')));
speaksMcp('over TCP', () => serveFeaturesOverSocket());
speaksMcp('over a unix socket', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-connect-'));
  const peer = await serveFeaturesOverSocket(join(folder, 'mcp.sock'));
  return {
    ...peer,
    async close() {
      await peer.close();
      await rm(folder, { recursive: true });
    },
  };
});

speaksMcp('over three servers in turn', () => serveFeaturesInTurn(3));
speaksMcp('over three servers, by their load', async () => {
  const peer = await serveFeaturesInTurn(3);
  return { ...peer, args: [...peer.args, '--strategy', 'least-pending'] };
});
speaksMcp('over a pool of TCP connections', async () => {
  const peer = await serveFeaturesOverSocket();
  return { ...peer, args: [...peer.args, '--pool', '3'] };
});

/** All that MCP 2025-11-25 lets client and server say to each other, between two SDK v1 peers. */
function speaksMcp(route: string, start: () => Promise<Peer>): void {
  describe(`an SDK v1 client and an SDK v1 server ${route}`, () => {
    let peer: Peer;
    let client: Client;
    let news: Inbox<Notification>;

    before(async () => {
      peer = await start();
      news = new Inbox();
      client = await connect(peer, news);
    });

    after(async () => {
      await client?.close();
      await peer?.close();
    });

    const say = async (name: string, args: Record<string, unknown> = {}): Promise<string> =>
      textOf((await client.callTool({ name, arguments: args })) as CallToolResult);

    it('initialize', () => {
      expect(client.getServerVersion()).to.deep.equal({ name: 'feature-server', version: '1.0.0' });
      expect(client.getServerCapabilities()).to.include.keys('logging', 'tools', 'resources', 'prompts');
    });

    it('ping', async () => {
      expect(await client.ping()).to.deep.equal({});
    });

    it('list and call tools', async () => {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).to.include.members(['echo', 'wait', 'ask-user']);
      expect(await say('echo', { text: 'grüß dich 👋\u2028' })).to.equal('grüß dich 👋\u2028');
    });

    it('list and read resources, also of templates', async () => {
      const { resources } = await client.listResources();
      expect(resources.map(({ uri }) => uri)).to.deep.equal([MEMO]);
      const { resourceTemplates } = await client.listResourceTemplates();
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).to.deep.equal(['weather://{city}']);
      const { contents } = await client.readResource({ uri: 'weather://bern' });
      expect(contents).to.deep.equal([{ uri: 'weather://bern', text: 'sunny in bern' }]);
    });

    it('list and get prompts', async () => {
      const { prompts } = await client.listPrompts();
      expect(prompts.map(({ name }) => name)).to.deep.equal(['travel']);
      const { messages } = await client.getPrompt({ name: 'travel', arguments: { city: 'Bern' } });
      expect(messages[0]?.content).to.deep.equal({ type: 'text', text: 'Take me to Bern' });
    });

    it('complete arguments of prompts and resource templates', async () => {
      const argument = { name: 'city', value: 'Ber' };
      const ofPrompt = await client.complete({ ref: { type: 'ref/prompt', name: 'travel' }, argument });
      expect(ofPrompt.completion.values).to.deep.equal(['Berlin', 'Bern']);
      const ofTemplate = await client.complete({
        ref: { type: 'ref/resource', uri: 'weather://{city}' },
        argument,
      });
      expect(ofTemplate.completion.values).to.deep.equal(['Berlin', 'Bern']);
    });

    it('progress arrives in order and before the result', async () => {
      const steps: number[] = [];
      const onprogress = ({ progress }: { progress: number }): void => void steps.push(progress);
      const params = { name: 'count', arguments: { steps: 5 } };
      await client.callTool(params, undefined, { onprogress });
      expect(steps).to.deep.equal([1, 2, 3, 4, 5]);
    });

    it('cancellation reaches the server', async () => {
      const cancel = new AbortController();
      const call = client.callTool({ name: 'wait' }, undefined, { signal: cancel.signal });
      await news.next((message) => isLog(message, 'waiting'));
      cancel.abort('changed my mind');
      const error = await call.catch((reason: unknown) => reason);
      expect(error).to.be.an('error');
      await news.next((message) => isLog(message, 'cancelled'));
    });

    it('sampling, asked during a call', async () => {
      expect(JSON.parse(await say('ask-model'))).to.deep.equal({ type: 'text', text: 'Paris' });
    });

    it('elicitation, asked during a call', async () => {
      expect(JSON.parse(await say('ask-user'))).to.deep.equal({ action: 'accept', content: { name: 'Ada' } });
    });

    it('roots, asked outside of any call', async () => {
      expect(await say('ask-roots')).to.equal('file:///project');
    });

    it('log level, and the messages above it', async () => {
      await client.setLoggingLevel('error');
      await say('log');
      const { params } = await news.next(({ method }) => method === 'notifications/message');
      expect(params).to.deep.include({ level: 'error', data: 'error' });
      await client.setLoggingLevel('debug');
    });

    it('subscription to a resource, and its updates', async () => {
      await client.subscribeResource({ uri: MEMO });
      await say('touch');
      const { params } = await news.next(({ method }) => method === 'notifications/resources/updated');
      expect(params).to.deep.equal({ uri: MEMO });
    });

    it('news of a changed list', async () => {
      await say('grow');
      await news.next(({ method }) => method === 'notifications/tools/list_changed');
    });

    it("a method that nobody knows is answered with the server's own error", async () => {
      const call = client.request({ method: 'no/such/method' as 'ping' }, EmptyResultSchema);
      const error = (await call.catch((reason: unknown) => reason)) as { code: number; data?: unknown };
      expect(error.code).to.equal(ErrorCode.MethodNotFound);
      expect(error.data).to.equal(undefined);
    });

    it('a result of 5 MB', async () => {
      const text = await say('repeat', { text: '0123456789abcdeé', times: (5 * MEGABYTE) / 16 });
      expect(text).to.have.length(5 * MEGABYTE);
      expect(text.endsWith('abcdeé')).to.equal(true);
    });

    it('200 calls at once, each with its own answer', async () => {
      const texts = Array.from({ length: 200 }, (_, index) => `call ${index}`);
      expect(await Promise.all(texts.map((text) => say('echo', { text })))).to.deep.equal(texts);
    });
  });
}

/** Connects a client that can be asked anything and keeps all news. */
async function connect(peer: Peer, news: Inbox<Notification>): Promise<Client> {
  const capabilities = { sampling: {}, elicitation: {}, roots: {} };
  const client = new Client({ name: 'feature-client', version: '1.0.0' }, { capabilities });
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: 'test',
    role: 'assistant',
    content: { type: 'text', text: 'Paris' },
  }));
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ada' } }));
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///project' }] }));
  for (const schema of [
    LoggingMessageNotificationSchema,
    ResourceUpdatedNotificationSchema,
    ToolListChangedNotificationSchema,
  ]) {
    client.setNotificationHandler(schema, (notification: Notification) => news.put(notification));
  }
  await client.connect(new StdioClientTransport(mcpConnect([peer.command ?? 'proxy', ...peer.args])));
  return client;
}

function isLog({ method, params }: Notification, data: string): boolean {
  return method === 'notifications/message' && params?.['data'] === data;
}

function textOf({ content }: CallToolResult): string {
  const [first] = content;
  return first?.type === 'text' ? first.text : '';
}
