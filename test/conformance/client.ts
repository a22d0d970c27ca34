/**
 * The client that the conformance harness starts: it does what the scenario asks with an SDK client that knows nothing
 * but stdio, so all that the harness sees on the wire is mcp-connect's.
 *
 * Usage: `node client.js URL`, with the scenario and the revision that it is to speak in the environment.
 */
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { mcpConnect } from '../e2e/proxy-process.js';
import { Desk } from '../e2e/desk.js';
import { signInFlags } from './sign-in.js';

/** What a scenario tells its client. */
interface Context {
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[];
}

type Steps = (client: Client) => Promise<unknown>;

const MODERN = '2026-07-28';

/** Calls every tool there is, so that whatever a scenario watches for happens. */
async function callTools(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  for (const { name } of tools) await client.callTool({ name, arguments: { a: 2, b: 3 } });
}

async function useEverything(client: Client): Promise<void> {
  await callTools(client);
  const { resources } = await client.listResources();
  for (const { uri } of resources) await client.readResource({ uri });
  const { prompts } = await client.listPrompts();
  for (const { name } of prompts) await client.getPrompt({ name });
}

async function echoSchema(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema;
  await client.callTool({ name: 'json_schema_echo', arguments: { schema } });
}

/** This server leaves out a member that its revision demands. The answer came through; the SDK client refuses it. */
async function callSloppyTools(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  for (const { name } of tools) {
    await client.callTool({ name }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'INVALID_RESULT') throw error;
    });
  }
}

/** Makes the calls that the scenario prescribes, once the tools are known. */
async function callAsTold(client: Client): Promise<void> {
  await client.listTools();
  const { toolCalls = [] } = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Context;
  for (const call of toolCalls) await client.callTool(call);
}

/** Calls what the list offers, with a text for every argument. */
async function callWithTexts(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  for (const { name, inputSchema } of tools) {
    const names = Object.keys(inputSchema.properties ?? {});
    await client.callTool({ name, arguments: Object.fromEntries(names.map((each) => [each, 'text'])) });
  }
}

const STEPS: Readonly<Record<string, Steps>> = {
  initialize: (client) => client.listTools(),
  tools_call: callTools,
  'elicitation-sep1034-client-defaults': callTools,
  'sse-retry': callTools,
  'request-metadata': (client) => client.listTools(),
  'http-standard-headers': useEverything,
  'http-custom-headers': callAsTold,
  'http-invalid-tool-headers': callWithTexts,
  'json-schema-ref-no-deref': (client) => client.listTools(),
  'json-schema-2020-12-preservation': echoSchema,
  'sep-2322-client-request-state': callSloppyTools,
};

const { MCP_CONFORMANCE_SCENARIO: scenario = '', MCPC_TEST_REVISION: revision = MODERN } = process.env;
const [, , url = ''] = process.argv;

const client = new Client(
  { name: 'conformance-client', version: '1.0.0' },
  {
    capabilities: { elicitation: { form: { applyDefaults: true } } },
    ...(revision === MODERN
      ? { versionNegotiation: { mode: { pin: MODERN } } }
      : { supportedProtocolVersions: [revision] }),
  },
);
// An empty answer: the client fills in the defaults of the form.
client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }));
const desk = await Desk.open('browser');
try {
  const flags = ['--endpoint', url, ...(await signInFlags(scenario, process.env, desk))];
  await client.connect(new StdioClientTransport(mcpConnect(['proxy', ...flags], desk.env)));
  await (STEPS[scenario] ?? callTools)(client);
} finally {
  await client.close();
  await desk.close();
}
