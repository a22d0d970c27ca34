import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { Envelope } from './envelope.js';
import { replyWith } from './reply.js';

/** The request whose reply is a stream of news that never ends by itself (2026-07-28 patterns/subscriptions). */
export const LISTEN = 'subscriptions/listen';

/** The first message on such a stream. */
export const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

/** Lists that can change, by the member of the request's filter that asks for them. */
const LISTS = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
} as const;

type Filter = { readonly [K in keyof typeof LISTS]?: unknown } & { readonly resourceSubscriptions?: unknown };

/** The subscription that a message of such a stream belongs to: the id of the request that opened it. */
export function subscriptionOf(envelope: Envelope): RequestId | undefined {
  const { _meta } =
    (envelope.parsed as { params?: { _meta?: Record<string, unknown> } } | undefined)?.params ?? {};
  const id = _meta?.[SUBSCRIPTION_ID];
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

/** News of everything that a stream was asked to tell: what happened while it was down would otherwise be missed. */
export function missedNews(listen: Envelope): Envelope[] {
  const { notifications } = (listen.message as { params?: { notifications?: Filter } }).params ?? {};
  const _meta = { [SUBSCRIPTION_ID]: listen.id };
  const news = (method: string, params: object): Envelope =>
    Envelope.of({ jsonrpc: '2.0', method, params: { ...params, _meta } } as JSONRPCMessage);
  const uris = notifications?.resourceSubscriptions;
  return [
    ...Object.entries(LISTS)
      .filter(([member]) => notifications?.[member as keyof typeof LISTS] === true)
      .map(([, method]) => news(method, {})),
    ...(Array.isArray(uris) ? uris : []).map((uri: unknown) =>
      news('notifications/resources/updated', { uri }),
    ),
  ];
}

/** The answer that ends a stream in good order. */
export function endOfNews(listen: Envelope): Envelope {
  const _meta = { [SUBSCRIPTION_ID]: listen.id };
  return replyWith(listen.idText, { result: { resultType: 'complete', _meta } });
}
