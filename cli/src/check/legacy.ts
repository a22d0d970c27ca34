import type { Connector, Endpoint } from '@mcp-connect/core';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import {
  CallToolResultSchema,
  ListPromptsResultSchema,
  ListResourcesResultSchema,
  ListResourceTemplatesResultSchema,
  ListToolsResultSchema,
  ResultSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Conversation } from './conversation.js';
import type { WireWatch } from './wire-watch.js';

/** A person may be asked to sign in during the first request; the line itself bounds the rest. In milliseconds. */
const LONGEST_GREETING = 16 * 60_000;

/** Results by method, where the SDK knows their shape: a client would refuse what does not fit. */
const SHAPES = {
  'tools/list': ListToolsResultSchema,
  'tools/call': CallToolResultSchema,
  'resources/list': ListResourcesResultSchema,
  'resources/templates/list': ListResourceTemplatesResultSchema,
  'prompts/list': ListPromptsResultSchema,
};

/** What the conversation is held with. */
export interface LegacyOptions {
  readonly connector: Connector;
  readonly clientInfo: { readonly name: string; readonly version: string };
  readonly watch: WireWatch;
}

/** Greets a server as the SDK's own client does, with `initialize` (2025-11-25 basic/lifecycle). */
export async function greetLegacy({ connector, clientInfo, watch }: LegacyOptions): Promise<Conversation> {
  const { timeout } = connector.settings;
  const client = new Client(clientInfo, { capabilities: {} });
  const transport = connector.asSdkTransport();
  let revision = '';
  transport.setProtocolVersion = (version) => void (revision = version);
  await client.connect(transport, { timeout: LONGEST_GREETING });
  const { name, version } = client.getServerVersion() ?? {};
  const instructions = client.getInstructions();
  return {
    greeting: {
      era: 'legacy',
      revisions: [revision],
      server: { ...(name !== undefined && { name }), ...(version !== undefined && { version }) },
      capabilities: client.getServerCapabilities() ?? {},
      ...(instructions !== undefined && { instructions }),
    },
    request(method, params = {}) {
      const shape = SHAPES[method as keyof typeof SHAPES] ?? ResultSchema;
      return client.request({ method, params }, shape, { timeout }) as Promise<Record<string, unknown>>;
    },
    news: () => newsOf(connector.endpoints[0]!, watch, timeout),
    close: () => client.close(),
  };
}

/** Over HTTP news has a stream of its own, which a server need not offer; elsewhere it comes along with the rest. */
async function newsOf({ scheme }: Endpoint, watch: WireWatch, timeout: number): Promise<string | undefined> {
  if (scheme !== 'http' && scheme !== 'sse') return 'on the same channel';
  const answer = await watch.stream(timeout);
  if (answer === undefined) return undefined;
  return answer.isStream ? 'open' : undefined;
}
