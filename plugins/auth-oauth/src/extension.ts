import type { JSONRPCMessage } from '@mcp-connect/core';
import type { Grant } from './model.js';

/** The MCP extensions that a grant belongs to, which a client has to declare. */
const EXTENSIONS: Partial<Record<Grant, string>> = {
  'client-credentials': 'io.modelcontextprotocol/oauth-client-credentials',
  enterprise: 'io.modelcontextprotocol/enterprise-managed-authorization',
};

/** Where a modern request declares what the client can do (2026-07-28 basic/index, _meta). */
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

type Members = Readonly<Record<string, unknown>>;

/** Names the extension of a grant, where it has one. */
export function extensionOf(grant: Grant): string | undefined {
  return EXTENSIONS[grant];
}

/**
 * Adds an extension to the capabilities that a client declares: in `initialize`, and in every modern request
 * (2026-07-28 extensions). Returns nothing for messages that declare none.
 */
export function declare(message: JSONRPCMessage, extension: string): JSONRPCMessage | undefined {
  const { method, params } = message as { method?: string; params?: Members };
  const within = (capabilities: unknown): Members => {
    const all = membersOf(capabilities);
    return { ...all, extensions: { ...membersOf(all['extensions']), [extension]: {} } };
  };
  if (params === undefined) return undefined;
  if (method === 'initialize') {
    return {
      ...message,
      params: { ...params, capabilities: within(params['capabilities']) },
    } as JSONRPCMessage;
  }
  const meta = membersOf(params['_meta']);
  if (!(CAPABILITIES in meta)) return undefined;
  const declared = { ...meta, [CAPABILITIES]: within(meta[CAPABILITIES]) };
  return { ...message, params: { ...params, _meta: declared } } as JSONRPCMessage;
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}
