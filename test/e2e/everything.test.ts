import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  type CallToolResult,
  type Notification,
} from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'chai';
import { Inbox } from './inbox.js';
import { mcpConnect } from './proxy-process.js';
import { EVERYTHING, localProgram, startEverything, type Peer } from './servers.js';

useEverything('Streamable HTTP', () => startEverything('streamableHttp'));
useEverything('HTTP with SSE (2024-11-05)', () => startEverything('sse'));
useEverything('stdio', async () => localProgram(process.execPath, EVERYTHING, 'stdio'));

/** The reference server, which asks the client for its roots of its own accord soon after the handshake. */
function useEverything(route: string, start: () => Promise<Peer>): void {
  describe(`server-everything over ${route}`, () => {
    const news = new Inbox<Notification>();
    const rootsAsked = new Inbox<void>();
    let peer: Peer;
    let client: Client;

    before(async () => {
      peer = await start();
      const capabilities = { sampling: {}, elicitation: {}, roots: { listChanged: true } };
      client = new Client({ name: 'everything-client', version: '1.0.0' }, { capabilities });
      client.setRequestHandler(CreateMessageRequestSchema, () => ({
        model: 'test',
        role: 'assistant',
        content: { type: 'text', text: 'sampled' },
      }));
      client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ada' } }));
      client.setRequestHandler(ListRootsRequestSchema, () => {
        rootsAsked.put();
        return { roots: [{ uri: 'file:///project', name: 'project' }] };
      });
      client.setNotificationHandler(LoggingMessageNotificationSchema, (message) => news.put(message));
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, (message) => news.put(message));
      await client.connect(
        new StdioClientTransport({ ...mcpConnect(['proxy', ...peer.args]), stderr: 'pipe' }),
      );
    });

    after(async () => {
      await client?.close();
      await peer?.close();
    });

    const say = async (name: string, args: Record<string, unknown> = {}): Promise<string> => {
      const { content } = (await client.callTool({ name, arguments: args })) as CallToolResult;
      return content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('\n');
    };

    it('is who it says it is, and gives instructions', () => {
      expect(client.getServerVersion()?.name).to.equal('mcp-servers/everything');
      expect(client.getInstructions()).to.be.a('string');
    });

    it('asks for roots by itself', async () => {
      await rootsAsked.next();
      expect(await say('get-roots-list')).to.contain('file:///project');
    });

    it('lists all its tools and answers plain calls', async () => {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).to.include.members([
        'echo',
        'get-sum',
        'trigger-sampling-request',
        'trigger-elicitation-request',
      ]);
      expect(await say('echo', { message: 'hello' })).to.equal('Echo: hello');
      expect(await say('get-sum', { a: 2, b: 3 })).to.contain('5');
      expect(await say('get-tiny-image')).to.contain('[image]');
    });

    it('structured content comes through', async () => {
      const params = { name: 'get-structured-content', arguments: { location: 'New York' } };
      const { structuredContent } = (await client.callTool(params)) as CallToolResult;
      expect(structuredContent).to.include.keys('temperature', 'conditions', 'humidity');
    });

    it('reports progress of a long call', async () => {
      const steps: number[] = [];
      const params = { name: 'trigger-long-running-operation', arguments: { duration: 0.4, steps: 2 } };
      await client.callTool(params, undefined, { onprogress: ({ progress }) => void steps.push(progress) });
      // The last step is sent together with the result, and then an SDK client may miss it.
      expect(steps[0]).to.equal(1);
    });

    it('asks for sampling and elicitation', async () => {
      expect(await say('trigger-sampling-request', { prompt: 'hi' })).to.contain('sampled');
      expect(await say('trigger-elicitation-request')).to.contain('Ada');
    });

    it('resources, prompts and completion', async () => {
      const { resources } = await client.listResources();
      expect(resources).to.not.be.empty;
      const { contents } = await client.readResource({ uri: resources[0]!.uri });
      expect(contents).to.have.length(1);
      const { prompts } = await client.listPrompts();
      expect(prompts.map(({ name }) => name)).to.include('completable-prompt');
      const { completion } = await client.complete({
        ref: { type: 'ref/prompt', name: 'completable-prompt' },
        argument: { name: 'department', value: 'E' },
      });
      expect(completion.values).to.deep.equal(['Engineering']);
    });

    it('log messages and resource updates', async () => {
      await client.setLoggingLevel('debug');
      await say('toggle-simulated-logging');
      await news.next(({ method }) => method === 'notifications/message');
      const { resources } = await client.listResources();
      await client.subscribeResource({ uri: resources[0]!.uri });
      await say('toggle-subscriber-updates');
      const { params } = await news.next(({ method }) => method === 'notifications/resources/updated');
      expect(params).to.deep.equal({ uri: resources[0]!.uri });
    });
  });
}
