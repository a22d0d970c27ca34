import { fromJsonSchema, type CallToolResult, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** What a tool can bring about outside of its own call. */
export interface Events {
  /** Tells those who listen that a list has changed. */
  changed?(list: 'tools' | 'prompts'): void;
  /** Ends the stream of a call under way: its reply has to be fetched. */
  drop?(session: string, call: string | number): void;
}

type Content = CallToolResult['content'][number];

/** A red dot. */
export const IMAGE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const AUDIO = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';
const PICTURE: Content = { type: 'image', data: IMAGE, mimeType: 'image/png' };

/** Whoever calls the tool over HTTP has to repeat an argument in a header. */
const MIRRORED = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, level: { type: 'integer' } },
};

/** Words of JSON Schema 2020-12 that have to arrive as they are. */
const RICH = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- the word of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

/** Tools that ask nothing. */
export function addPlainTools(server: McpServer, events: Events): void {
  addContentTools(server);
  addTellingTools(server, events);
  const mirrored = fromJsonSchema<{ region?: string }>(MIRRORED);
  server.registerTool(
    'test_x_mcp_header',
    { description: 'Mirrored', inputSchema: mirrored },
    ({ region = '' }) => said(`region: ${region}`),
  );
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Rich', inputSchema: fromJsonSchema(RICH) },
    (args) => said(JSON.stringify(args)),
  );
}

function addContentTools(server: McpServer): void {
  const contents: Readonly<Record<string, Content[]>> = {
    test_simple_text: [text('This is a simple text response.')],
    test_image_content: [PICTURE],
    test_audio_content: [{ type: 'audio', data: AUDIO, mimeType: 'audio/wav' }],
    test_embedded_resource: [embedded('test://embedded-resource')],
    test_multiple_content_types: [text('Several:'), PICTURE, embedded('test://mixed-content-resource')],
    test_streaming_elicitation: [text('No request of its own comes down this stream.')],
  };
  for (const [name, content] of Object.entries(contents))
    server.registerTool(name, { description: 'Content' }, () => ({ content }));
  server.registerTool('test_error_handling', { description: 'Fails' }, () => {
    throw new Error('This tool fails on purpose.');
  });
}

/** Tools that say something before they answer. */
function addTellingTools(server: McpServer, events: Events): void {
  const config = { description: 'Tells', inputSchema: z.object({}) };
  for (const name of ['test_tool_with_logging', 'test_logging_tool']) {
    server.registerTool(name, config, async (_, { mcpReq }) => {
      // oxlint-disable-next-line typescript/no-deprecated -- servers go on logging while the deprecation lasts
      for (const step of ['started', 'processing', 'completed']) await mcpReq.log('info', step);
      return said('logged');
    });
  }
  server.registerTool('test_tool_with_progress', config, async (_, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      const params = { progressToken: progressToken!, progress, total: 100 };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    return said('progressed');
  });
  server.registerTool('test_reconnection', config, (_, { mcpReq, sessionId }) => {
    if (sessionId !== undefined) events.drop?.(sessionId, mcpReq.id);
    return said('fetched');
  });
  for (const list of ['tools', 'prompts'] as const) {
    server.registerTool(`test_trigger_${list.slice(0, -1)}_change`, config, () => {
      events.changed?.(list);
      if (events.changed === undefined && list === 'tools') server.sendToolListChanged();
      if (events.changed === undefined && list === 'prompts') server.sendPromptListChanged();
      return said('changed');
    });
  }
}

/** Makes the result of a tool that answers with a text. */
export function said(words: string): CallToolResult {
  return { content: [text(words)] };
}

function text(words: string): Content {
  return { type: 'text', text: words };
}

function embedded(uri: string): Content {
  return { type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'An embedded resource.' } };
}
