import {
  createRequestStateCodec,
  McpServer,
  ResourceTemplate,
  type PromptMessage,
  type ReadResourceResult,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { addAskingTools, asking, CONTEXT, type Seal } from './asking-tools.js';
import { addPlainTools, IMAGE, type Events } from './plain-tools.js';

/** What the servers of a program share. */
export interface Surroundings extends Events {
  /** Seals the state of a call that asks in between: any server has to know it again. */
  readonly seal: Seal;
}

/** Makes what the servers of a program share. */
export function surroundings(events: Events = {}): Surroundings {
  return { ...events, seal: createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) }) };
}

/** Makes a server with all that the scenarios of the official harness look for, in both eras. */
export function createEverything({ seal, ...events }: Surroundings): McpServer {
  const listChanged = true;
  const server = new McpServer(
    { name: 'conformance-server', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged },
        prompts: { listChanged },
        resources: { subscribe: true, listChanged },
        logging: {},
        completions: {},
      },
      requestState: { verify: seal.verify },
    },
  );
  addPlainTools(server, events);
  addAskingTools(server, seal);
  addResources(server);
  addPrompts(server);
  server.server.setRequestHandler('completion/complete', () => ({
    completion: { values: ['testValue1'], total: 1, hasMore: false },
  }));
  return server;
}

function addResources(server: McpServer): void {
  addResource(server, 'static-text', { mimeType: 'text/plain', text: 'This is a static text resource.' });
  addResource(server, 'static-binary', { mimeType: 'image/png', blob: IMAGE });
  addResource(server, 'watched-resource', { mimeType: 'text/plain', text: 'This resource is watched.' });
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  server.registerResource('template', template, { mimeType: 'application/json' }, (uri, { id }) => ({
    contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id }) }],
  }));
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
}

type Content = { readonly mimeType: string } & ({ readonly text: string } | { readonly blob: string });

function addResource(server: McpServer, name: string, content: Content): void {
  const uri = `test://${name}`;
  const read = (): ReadResourceResult => ({ contents: [{ uri, ...content }] });
  server.registerResource(name, uri, { mimeType: content.mimeType }, read);
}

function addPrompts(server: McpServer): void {
  const two = { description: 'Prompt', argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) };
  const one = { description: 'Prompt', argsSchema: z.object({ resourceUri: z.string() }) };
  const none = { description: 'Prompt' };
  server.registerPrompt('test_simple_prompt', none, () => saying(text('This is a simple prompt.')));
  server.registerPrompt('test_prompt_with_arguments', two, ({ arg1, arg2 }) =>
    saying(text(`Prompt with arguments: ${arg1}, ${arg2}`)),
  );
  server.registerPrompt('test_prompt_with_embedded_resource', one, ({ resourceUri }) =>
    saying(
      { type: 'resource', resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded.' } },
      text('Please process the resource above.'),
    ),
  );
  server.registerPrompt('test_prompt_with_image', none, () =>
    saying({ type: 'image', data: IMAGE, mimeType: 'image/png' }, text('Please analyze the image above.')),
  );
  server.registerPrompt('test_input_required_result_prompt', none, ({ mcpReq }) => {
    const answer = CONTEXT.answer(mcpReq);
    return answer === undefined ? asking([CONTEXT]) : saying(text(`Use this context: ${answer}`));
  });
}

function saying(...contents: PromptMessage['content'][]): { messages: PromptMessage[] } {
  return { messages: contents.map((content) => ({ role: 'user', content })) };
}

function text(said: string): PromptMessage['content'] {
  return { type: 'text', text: said };
}
