// A legacy server of SDK v1 as a local program, whose tools are run as tasks, for the scenarios of tasks.
import type { TaskRequestHandlerExtra } from '@modelcontextprotocol/sdk/experimental/tasks/interfaces.js';
import {
  InMemoryTaskMessageQueue,
  InMemoryTaskStore,
} from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js';
import { ElicitResultSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

/** Asks the user, and returns what came of it. */
type Ask = () => Promise<unknown>;
type Work = (seconds: number, ask: Ask) => Promise<CallToolResult>;

const ARGUMENTS = {
  seconds: z.number().default(0),
  label: z.string().optional(),
  filename: z.string().optional(),
};
const CONFIRMATION = { type: 'object' as const, properties: { confirm: { type: 'boolean' as const } } };

const server = new McpServer(
  { name: 'tasks-server', version: '1.0.0' },
  {
    capabilities: { tasks: { cancel: {}, requests: { tools: { call: {} } } } },
    taskStore: new InMemoryTaskStore(),
    taskMessageQueue: new InMemoryTaskMessageQueue(),
  },
);
server.registerTool('greet', { inputSchema: { name: z.string() } }, ({ name }) => said(`Hello, ${name}!`));
addTask('slow_compute', async (seconds) => {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  return said('computed');
});
addTask('failing_job', () => Promise.resolve({ ...said('This tool fails.'), isError: true }));
addTask('protocol_error_job', () => Promise.reject(new Error('This task fails.')));
addTask('confirm_delete', async (_, ask) => said(JSON.stringify(await ask())));
addTask('multi_input', async (_, ask) => said(JSON.stringify(await Promise.all([ask(), ask()]))));
await server.connect(new StdioServerTransport());

function addTask(name: string, work: Work): void {
  const config = { inputSchema: ARGUMENTS, execution: { taskSupport: 'required' as const } };
  server.experimental.tasks.registerToolTask(name, config, {
    async createTask({ seconds }, { taskStore, sendRequest }) {
      const task = await taskStore.createTask({ ttl: 60_000, pollInterval: 100 });
      const { taskId } = task;
      const ask: Ask = async () => {
        await taskStore.updateTaskStatus(taskId, 'input_required');
        const params = { message: 'Sure?', requestedSchema: CONFIRMATION };
        const relation: RequestOptions = { relatedTask: { taskId } };
        return sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema, relation);
      };
      work(seconds, ask)
        .then((result) => taskStore.storeTaskResult(taskId, 'completed', result))
        // A task that was cancelled takes no result any more.
        .catch((error: unknown) => taskStore.updateTaskStatus(taskId, 'failed', String(error)))
        .catch(() => undefined);
      return { task };
    },
    getTask: (_: unknown, { taskStore, taskId }: TaskRequestHandlerExtra) => taskStore.getTask(taskId),
    getTaskResult: async (_: unknown, { taskStore, taskId }: TaskRequestHandlerExtra) =>
      (await taskStore.getTaskResult(taskId)) as CallToolResult,
  });
}

function said(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}
