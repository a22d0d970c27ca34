import { channel } from 'node:diagnostics_channel';
import { ConnectorError, type TransportContext } from '@mcp-connect/core';
import { connectionError } from './connecting.js';
import type { Reply } from './reply.js';
import type { Sender, Sent } from './sender.js';

/** One HTTP request as the transport wants it on the wire. */
export interface HttpOutgoing {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Where to, when not to the endpoint itself. */
  readonly url?: URL;
  /** True for what others may be waiting for: it never queues behind requests. */
  readonly urgent?: boolean;
}

/** Exactly one of the two is called, once. */
export interface HttpEvents {
  onresponse(response: Reply): void;
  /** The error's `delivered` tells whether the request may have reached the server. */
  onerror(error: ConnectorError): void;
}

/** A request on its way. */
export interface HttpRequest {
  /** Gives the request up and closes its connection; no event follows. */
  abort(): void;
  /** True once the server may have got something of it: it has a connection to travel on. */
  hasLeft(): boolean;
}

/** The seam of the hot path: all that the rest of this package knows of HTTP on the wire. */
export interface Wire {
  /** The endpoint, or where it has moved to for good. */
  readonly url: URL;
  request(outgoing: HttpOutgoing, events: HttpEvents): HttpRequest;
  /** Drops the connections that are kept for later. */
  rest(): void;
  /** Drops every connection. */
  close(): void;
}

/**
 * An idle connection is not used again after this long. Common servers close theirs after five seconds, and a request
 * that meets the closing would be lost without a trace.
 */
const IDLE_LIMIT = 4_000;
/** How long a response may take to end that nobody needs, in milliseconds. */
const PATIENCE = 2_000;
/** Requests above this number wait for a free connection. */
const MOST_REQUESTS = 256;
const MOST_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 307, 308]);
const PERMANENT = new Set([301, 308]);

/** The head of a reply, as it is published on the channel {@link REPLY_CHANNEL}. */
export interface ReplyHead {
  readonly method: HttpOutgoing['method'];
  readonly url: URL;
  readonly status: number;
  readonly headers: Reply['headers'];
}

/** The channel of `node:diagnostics_channel` on which the head of every reply is published. */
export const REPLY_CHANNEL = 'mcp-connect.http.reply';

const replies = channel(REPLY_CHANNEL);

/**
 * Opens the wire to one server. What is urgent has connections of its own, so that an answer never queues behind the
 * requests that wait for it.
 */
export async function openWire(context: TransportContext): Promise<Wire> {
  const { endpoint, log } = context;
  let home = new URL(endpoint.url!);
  const basic = basicAuth(home);
  log.hide(basic);
  home.username = home.password = '';
  const sender = await senderTo(home, context);
  return {
    get url() {
      return home;
    },
    request({ method, headers, body, url: elsewhere, urgent = false }, { onresponse, onerror }) {
      let aborted = false;
      let redirects = 0;
      let sent: Sent | undefined;
      const go = (url: URL): void => {
        try {
          sent = sender.send({
            method,
            url,
            headers: basic === undefined ? headers : { authorization: basic, ...headers },
            body,
            urgent,
            onresponse(response) {
              if (replies.hasSubscribers) {
                const { statusCode: status, headers: fields } = response;
                replies.publish({ method, url, status: status!, headers: fields } satisfies ReplyHead);
              }
              if (aborted) return void response.destroy();
              const location = REDIRECTS.has(response.statusCode!) ? response.headers.location : undefined;
              if (location === undefined) return onresponse(response);
              discard(response);
              const target = URL.canParse(location, url.href) ? new URL(location, url.href) : undefined;
              if (target?.origin !== url.origin || ++redirects > MOST_REDIRECTS) {
                return onerror(refusedRedirect(endpoint.label, response.statusCode!, target));
              }
              if (PERMANENT.has(response.statusCode!) && url.href === home.href) home = target;
              go(target);
            },
            onerror(error, connected) {
              if (!aborted) onerror(connectionError(error, endpoint.label, connected));
            },
          });
        } catch (error) {
          // It was not even fit to be sent.
          onerror(connectionError(error as Error, endpoint.label, false));
        }
      };
      // By the end of this turn it is known which idle connections the server has closed: those are not used.
      const first = setImmediate(() => go(elsewhere ?? home));
      return {
        abort() {
          aborted = true;
          clearImmediate(first);
          sent?.abort();
        },
        hasLeft() {
          return redirects > 0 || sent?.hasLeft() === true;
        },
      };
    },
    rest: () => sender.rest(),
    close: () => sender.close(),
  };
}

/** Where the settings know of an agent, as for a proxy, requests go by way of it; else straight to the server. */
async function senderTo(origin: URL, context: TransportContext): Promise<Sender> {
  const { makeAgent } = context.settings;
  const keeping = { idle: IDLE_LIMIT, most: MOST_REQUESTS };
  const requests = await makeAgent?.(origin, keeping);
  const urgent = await makeAgent?.(origin, { idle: IDLE_LIMIT });
  if (requests === undefined || urgent === undefined) {
    const { directSender } = await import('./direct.js');
    return directSender(origin, context, keeping);
  }
  const { agentSender } = await import('./by-agent.js');
  return agentSender(origin, context, { requests, urgent });
}

/**
 * Reads what is left of a response that nobody needs, so that its connection can be used again. One that does not end
 * loses its connection.
 */
export function discard(response: Reply): void {
  const late = setTimeout(() => response.destroy(), PATIENCE).unref();
  response.once('close', () => clearTimeout(late));
  response.resume();
}

/** Credentials must not follow a redirect to another origin, and without them the message is not the same. */
function refusedRedirect(label: string, status: number, target: URL | undefined): ConnectorError {
  const where = target === undefined ? 'an unreadable address' : target.origin;
  return new ConnectorError(
    'MCPC_HTTP_STATUS',
    `${label} redirects to ${where} (${status}), which is not followed.`,
    {
      delivered: 'rejected',
      status,
      ...(target !== undefined && {
        hint: `If you trust it, use --endpoint ${target.origin}${target.pathname}`,
      }),
    },
  );
}

function basicAuth(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  const pair = `${decoded(url.username)}:${decoded(url.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** A bare percent sign is allowed in a URL, and stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
