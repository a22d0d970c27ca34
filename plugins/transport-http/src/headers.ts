import {
  ConnectorError,
  reasonOf,
  type Credentials,
  type Envelope,
  type WebRequest,
} from '@mcp-connect/core';

/** Where a modern request carries its protocol version (2026-07-28 basic/index, _meta). */
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';

/** Members of `params` that name what a request is about (2026-07-28 streamable-http, Standard Request Headers). */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** Where a tool's arguments are mirrored (2026-07-28 streamable-http, Custom Headers from Tool Parameters). */
const MIRRORED = 'mcp-param-';

/** Revisions that know no `MCP-Protocol-Version` header. */
const WITHOUT_VERSION_HEADER = new Set(['2024-11-05', '2025-03-26']);

const PLAIN_VALUE = /^[\x20-\x7e]*$/;
const SENTINEL = /^=\?base64\?.*\?=$/s;

interface Params {
  readonly _meta?: Readonly<Record<string, unknown>>;
  readonly [name: string]: unknown;
}

/** The headers of every POST (2025-11-25 basic/transports, Sending Messages to the Server). */
export function postHeaders(...more: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const headers = {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'user-agent': 'mcp-connect',
  };
  return Object.assign(headers, ...more) as Record<string, string>;
}

/** The headers of every GET for a stream (2025-11-25 basic/transports, Listening for Messages from the Server). */
export function streamHeaders(...more: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  return Object.assign({ accept: 'text/event-stream', 'user-agent': 'mcp-connect' }, ...more) as Record<
    string,
    string
  >;
}

/**
 * The headers of one request with those that prove who we are on this very one.
 *
 * @throws ConnectorError where a plugin cannot make them; nothing has been sent then
 */
export function signedHeaders(credentials: Credentials, request: WebRequest): Record<string, string> {
  const { headers } = request;
  if (credentials.prove === undefined) return { ...headers };
  try {
    return { ...headers, ...credentials.prove(request) };
  } catch (cause) {
    if (cause instanceof ConnectorError) throw cause;
    throw new ConnectorError('MCPC_PLUGIN', `A request could not be signed: ${reasonOf(cause)}`, { cause });
  }
}

/** The protocol version that a modern message carries; undefined for every message of an older revision. */
export function modernVersion(envelope: Envelope): string | undefined {
  // A message of an older revision never holds the key, and a search of the bytes is cheaper than a parse.
  if (envelope.method === undefined || !envelope.bytes.includes(VERSION_KEY)) return undefined;
  const version = paramsOf(envelope)?._meta?.[VERSION_KEY];
  return typeof version === 'string' ? version : undefined;
}

/** The headers that mirror a modern message (2026-07-28 streamable-http, Protocol Version and Standard Headers). */
export function modernHeaders(envelope: Envelope, version: string): Record<string, string> {
  const headers: Record<string, string> = {
    'mcp-protocol-version': encodeHeaderValue(version),
    'mcp-method': encodeHeaderValue(envelope.method ?? ''),
  };
  const name = paramsOf(envelope)?.[NAMED_BY[envelope.method ?? ''] ?? ''];
  if (typeof name === 'string') headers['mcp-name'] = encodeHeaderValue(name);
  return headers;
}

/**
 * Credentials as they go with a modern message. What a plugin mirrors in `Mcp-Param-*` may be any text, so it is encoded
 * here (2026-07-28 streamable-http, Value Encoding).
 */
export function mirroredHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const names = Object.keys(headers).filter((name) => name.startsWith(MIRRORED));
  if (names.length === 0) return headers;
  return {
    ...headers,
    ...Object.fromEntries(names.map((name) => [name, encodeHeaderValue(headers[name]!)])),
  };
}

/** The headers of a legacy session (2025-11-25 basic/transports, Session Management and Protocol Version Header). */
export function sessionHeaders(id: string | undefined, version: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  if (id !== undefined) headers['mcp-session-id'] = id;
  if (version !== undefined && !WITHOUT_VERSION_HEADER.has(version))
    headers['mcp-protocol-version'] = version;
  return headers;
}

/**
 * Writes a value so that it can stand in a header: plain ASCII as it is, everything else as Base64 of its UTF-8 in the
 * form `=?base64?…?=` (2026-07-28 streamable-http, Value Encoding).
 */
export function encodeHeaderValue(value: string): string {
  const plain = PLAIN_VALUE.test(value) && value.trim() === value && !SENTINEL.test(value);
  return plain ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`;
}

/** Reads `Retry-After` as milliseconds from now, from seconds or an HTTP date (RFC 9110 section 10.2.3). */
export function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const milliseconds = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}

function paramsOf(envelope: Envelope): Params | undefined {
  const { params } = envelope.message as { params?: unknown };
  return typeof params === 'object' && params !== null ? (params as Params) : undefined;
}
