import { Envelope, type ErrorData, type JSONRPCMessage, type RequestId } from '@mcp-connect/core';

/** What is known of a sign-in that holds everything up. */
export interface Obstacle {
  /** The server that asks for the sign-in, as the user knows it. */
  readonly server: string;
  /** Where the user signs in, once that is known. */
  readonly page: URL | undefined;
  /** Why the last sign-in failed, while none is under way. */
  readonly failure?: { readonly message: string; readonly hint?: string | undefined };
}

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const SUBSCRIPTION_KEY = 'io.modelcontextprotocol/subscriptionId';
const SERVER_INFO = { name: 'mcp-connect', title: 'mcp-connect, waiting for a sign-in', version: '1' };
const INTERNAL_ERROR = -32_603;

/** What every server may have; the lists are announced as changed once the real ones can be read. */
const LISTS = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true },
} as const;

/** The member that holds the list, by method. */
const EMPTY_LISTS: Readonly<Record<string, string>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
};

/** Requests that only ask what a server is: a client that gets no answer to them shows the user nothing at all. */
const OPENERS = new Set<string | undefined>(['initialize', 'server/discover']);

/** The request whose answer is a stream of news (2026-07-28 patterns/subscriptions). */
export const LISTEN = 'subscriptions/listen';

/** Whether a request opens a conversation. */
export function isOpener({ method }: Envelope): boolean {
  return OPENERS.has(method);
}

/** Whether a request asks for a list that a server without a session may be said to have empty. */
export function isList({ method }: Envelope): boolean {
  return method !== undefined && Object.hasOwn(EMPTY_LISTS, method);
}

/** Whether a message is of 2026-07-28, where every request stands for itself. */
export function isModern(envelope: Envelope): boolean {
  return typeof metaOf(envelope)?.[VERSION_KEY] === 'string';
}

/** The request that a message takes back; undefined where it takes none back. */
export function cancelledId(envelope: Envelope): RequestId | undefined {
  if (envelope.method !== 'notifications/cancelled') return undefined;
  const id = paramsOf(envelope)?.['requestId'];
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

/** Answers a request in the stead of a server that cannot be asked before the user has signed in. */
export function standInFor(request: Envelope, obstacle: Obstacle): Envelope {
  const modern = isModern(request);
  switch (request.method) {
    case 'initialize':
      return resultFor(request, {
        protocolVersion: paramsOf(request)?.['protocolVersion'],
        capabilities: { ...LISTS, logging: {} },
        serverInfo: SERVER_INFO,
        instructions: instructionsFor(obstacle),
      });
    case 'server/discover':
      return resultFor(request, {
        supportedVersions: [metaOf(request)?.[VERSION_KEY]],
        capabilities: LISTS,
        instructions: instructionsFor(obstacle),
        ...stale(),
        _meta: { 'io.modelcontextprotocol/serverInfo': SERVER_INFO },
      });
    case 'ping':
    case 'logging/setLevel':
      return modern ? errorFor(request, obstacle) : resultFor(request, {});
    default:
      return isList(request) ? emptyList(request) : errorFor(request, obstacle);
  }
}

/** Answers a request for a list with an empty one. */
export function emptyList(request: Envelope): Envelope {
  const member = EMPTY_LISTS[request.method ?? '']!;
  return resultFor(request, { [member]: [], ...(isModern(request) && stale()) });
}

/** Says that a stream of news runs (2026-07-28 patterns/subscriptions). */
export function acknowledge(listen: Envelope): Envelope {
  const notifications = paramsOf(listen)?.['notifications'] ?? {};
  return Envelope.of({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications, _meta: { [SUBSCRIPTION_KEY]: listen.id } },
  } as JSONRPCMessage);
}

/** Answers with an error that tells the user where to sign in. */
export function errorFor(request: Envelope, { server, page, failure }: Obstacle): Envelope {
  const data: ErrorData = {
    source: 'mcp-connect',
    code: failure === undefined ? 'MCPC_UNAUTHORIZED' : 'MCPC_SIGN_IN',
    endpoint: server,
    executed: 'no',
    retryable: true,
    hint: hintFor(page, failure),
  };
  const message =
    failure === undefined
      ? `${server} needs you to sign in${page === undefined ? '' : ` at ${page.href}`}.`
      : `${server} needs you to sign in, which failed: ${failure.message}`;
  return under(request, { error: { code: INTERNAL_ERROR, message, data } });
}

function hintFor(page: URL | undefined, failure: Obstacle['failure']): string {
  if (failure !== undefined) return failure.hint ?? 'Try again, or sign in with: mcp-connect login';
  if (page === undefined) return 'Finish the sign-in that mcp-connect has begun, then try again';
  return `Open ${page.href} in a browser, sign in, then try again`;
}

function instructionsFor({ server, page, failure }: Obstacle): string {
  const why = failure === undefined ? '' : ` The last attempt failed: ${failure.message}`;
  const where =
    page === undefined
      ? 'mcp-connect is opening the page for it, and writes its address to its log.'
      : `Ask the user to open this page in a browser: ${page.href}`;
  return `${server} needs the user to sign in before it can be used. ${where}${why}
Until then it has no tools, prompts or resources; afterwards they appear by themselves.`;
}

/** A modern answer that must be asked for again. */
function stale(): object {
  return { ttlMs: 0, cacheScope: 'private' };
}

function resultFor(request: Envelope, result: object): Envelope {
  return under(request, { result: isModern(request) ? { resultType: 'complete', ...result } : result });
}

/** Makes the answer under the request's id, letter by letter. */
function under(request: Envelope, body: object): Envelope {
  return Envelope.of({ jsonrpc: '2.0', id: 0, ...body } as unknown as JSONRPCMessage).withId(request.idText);
}

function paramsOf({ parsed }: Envelope): Record<string, unknown> | undefined {
  return (parsed as { params?: Record<string, unknown> } | undefined)?.params;
}

function metaOf(envelope: Envelope): Record<string, unknown> | undefined {
  return paramsOf(envelope)?.['_meta'] as Record<string, unknown> | undefined;
}
