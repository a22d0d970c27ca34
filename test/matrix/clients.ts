import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  EmptyResultSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
  type CallToolResult,
  type LoggingLevel,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { Inbox } from '../e2e/inbox.js';
import { mcpConnect } from '../e2e/proxy-process.js';
import { askingFor } from '../fixtures/revision.js';
import { MODERN, type Revision } from './pair.js';

const CAPABILITIES = { sampling: {}, elicitation: {}, roots: {} };
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

/** News of a server, as a client of any revision gets it. */
export interface News {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** How a call is made. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** True to ask for progress. */
  readonly progress?: boolean;
}

/** What clients of all revisions can do, each in its own way. */
export interface MatrixClient {
  readonly news: Inbox<News>;
  /** All progress so far. An SDK client forgets what it reads together with the result, so it is taken from the wire. */
  readonly progress: readonly unknown[];
  tools(): Promise<string[]>;
  /** Calls a tool and returns the text of its result. */
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<string>;
  /** Wants to hear of changes of the list of tools and of this resource. */
  subscribe(uri: string): Promise<void>;
  /** Wants to see log messages of this level and above from now on. */
  logFrom(level: LoggingLevel): Promise<void>;
  /** Sends a request that no server knows. */
  unknown(): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts mcp-connect behind a client of a revision. */
export function connectClient(
  revision: Revision,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<MatrixClient> {
  const start = mcpConnect(['proxy', ...args], env);
  return revision === MODERN ? connectModern(start) : connectLegacy(revision, start);
}

type Start = ReturnType<typeof mcpConnect>;

async function connectLegacy(revision: Revision, start: Start): Promise<MatrixClient> {
  const news = new Inbox<News>();
  const client = new Client({ name: 'matrix-client', version: '1.0.0' }, { capabilities: CAPABILITIES });
  client.setRequestHandler(CreateMessageRequestSchema, () => ({ ...MODEL, role: 'assistant' }));
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ada' } }));
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///project' }] }));
  client.setNotificationHandler(LoggingMessageNotificationSchema, (told) => news.put(told));
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, (told) => news.put(told));
  client.setNotificationHandler(ToolListChangedNotificationSchema, (told) => news.put(told));
  const transport = new StdioClientTransport({ ...start, stderr: 'ignore' });
  await client.connect(askingFor(revision, transport));
  return {
    news,
    progress: progressOf(transport),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async call(name, args = {}, options = {}) {
      return textOf(
        (await client.callTool({ name, arguments: args }, undefined, sdkOptions(options))) as CallToolResult,
      );
    },
    subscribe: async (uri) => void (await client.subscribeResource({ uri })),
    logFrom: async (level) => void (await client.setLoggingLevel(level)),
    unknown: () => client.request({ method: 'no/such/method' as 'ping' }, EmptyResultSchema),
    close: () => client.close(),
  };
}

async function connectModern(start: Start): Promise<MatrixClient> {
  const news = new Inbox<News>();
  const options = { versionNegotiation: { mode: { pin: MODERN } }, capabilities: CAPABILITIES };
  const client = new ModernClient({ name: 'matrix-client', version: '1.0.0' }, options);
  let level: LoggingLevel | undefined;
  client.setRequestHandler('sampling/createMessage', () => ({ ...MODEL, role: 'assistant' }));
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }));
  client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///project' }] }));
  client.setNotificationHandler('notifications/message', (told) => news.put(told));
  client.setNotificationHandler('notifications/resources/updated', (told) => news.put(told));
  client.setNotificationHandler('notifications/tools/list_changed', (told) => news.put(told));
  const transport = new ModernStdio({ ...start, stderr: 'ignore' });
  await client.connect(transport);
  return {
    news,
    progress: progressOf(transport),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async call(name, args = {}, how = {}) {
      const _meta = level === undefined ? {} : { _meta: { [LOG_LEVEL]: level } };
      return textOf(
        (await client.callTool({ name, arguments: args, ..._meta }, sdkOptions(how))) as CallToolResult,
      );
    },
    subscribe: async (uri) =>
      void (await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] })),
    logFrom: async (wanted) => void (level = wanted),
    unknown: () => client.request({ method: 'no/such/method' }, z.object({})),
    close: () => client.close(),
  };
}

const MODEL = { model: 'test', content: { type: 'text' as const, text: 'Paris' } };

/** Listens to the progress that comes over a transport, from now on. */
function progressOf(transport: { onmessage?: ((message: never) => void) | undefined }): unknown[] {
  const steps: unknown[] = [];
  const { onmessage } = transport;
  transport.onmessage = (message: News) => {
    if (message.method === 'notifications/progress') steps.push(message.params?.['progress']);
    onmessage?.(message as never);
  };
  return steps;
}

function sdkOptions({ signal, progress }: CallOptions): { signal?: AbortSignal; onprogress?: () => void } {
  return { ...(signal && { signal }), ...(progress === true && { onprogress: () => undefined }) };
}

function textOf({ content }: CallToolResult): string {
  const [first] = content;
  return first?.type === 'text' ? first.text : '';
}
