import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConnectorError, reasonOf } from '@mcp-connect/core';
import type { CallbackRequest } from './model.js';
import { PAGE_HEADERS, pageOf, type Ending } from './page.js';

/** Names of the loopback interface in a redirect URL, with the address that is bound for each. */
const LOOPBACK: Readonly<Record<string, string>> = {
  '127.0.0.1': '127.0.0.1',
  localhost: '127.0.0.1',
  '[::1]': '::1',
};
const PATH = '/callback';
const HTTP_PORT = 80;

/** Whether a redirect URL leads to this machine, so that it can be listened on. */
export function isLoopback({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && Object.hasOwn(LOOPBACK, hostname);
}

/** What a listener is made from. */
export interface ListenerOptions extends CallbackRequest {
  /** Whether the query of a redirect belongs to the sign-in that is under way. */
  isOurs(query: URLSearchParams): boolean;
  /** Takes a query that is ours, once the browser has its page. */
  take(query: URLSearchParams): void;
}

/** A port that waits for the browser. */
export interface Listener {
  /** Where the authorization server has to send the browser. */
  readonly redirectUri: string;
  /** Frees the port. Calling it again does nothing. */
  close(): Promise<void>;
}

/**
 * Listens on the loopback interface for the redirect that ends a sign-in (RFC 8252 section 7.3). The port is bound
 * before anyone is told of it, and what comes is checked: no other page in the user's browser can answer.
 *
 * @throws ConnectorError `MCPC_SIGN_IN` when the port that was asked for is taken
 */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const wanted = options.redirectUrl ?? new URL(`http://127.0.0.1:${options.port ?? 0}${PATH}`);
  const server = createServer();
  const port = await bind(server, wanted, options);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const respond = (status: number, page?: string): void => {
      response.writeHead(status, { ...PAGE_HEADERS, connection: 'close' }).end(page);
    };
    const refusal = refusalOf(request, port);
    if (refusal !== undefined) return respond(refusal);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (pathname !== wanted.pathname) return respond(404);
    if (!options.isOurs(searchParams)) return respond(400, pageOf('stranger'));
    response.once('close', () => options.take(searchParams));
    return respond(200, pageOf(endingOf(searchParams)));
  });
  return {
    // A URL that was given is registered letter by letter; only one of ours learns its port here.
    redirectUri: options.redirectUrl?.href ?? `http://127.0.0.1:${port}${PATH}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Refuses what a web page may have sent, or what came under a name of somebody else's choice (DNS rebinding). */
function refusalOf({ headers, method }: IncomingMessage, port: number): number | undefined {
  const names = Object.keys(LOOPBACK);
  const hosts = names.flatMap((name) =>
    port === HTTP_PORT ? [name, `${name}:${port}`] : [`${name}:${port}`],
  );
  const { host = '', origin } = headers;
  if (!hosts.includes(host)) return 403;
  // A browser that follows a redirect names no origin, and no page of ours asks for anything.
  if (origin !== undefined) return 403;
  return method === 'GET' ? undefined : 405;
}

function endingOf(query: URLSearchParams): Ending {
  return query.has('code') ? 'signed-in' : 'refused';
}

/** Binds the port that was asked for, or the one that would be best, or any. Returns it. */
async function bind(server: Server, wanted: URL, request: CallbackRequest): Promise<number> {
  const host = LOOPBACK[wanted.hostname] ?? '127.0.0.1';
  const { redirectUrl, port, preferredPort } = request;
  const must = redirectUrl === undefined ? port : Number(wanted.port || HTTP_PORT);
  try {
    return await bound(server, must ?? preferredPort ?? 0, host);
  } catch (cause) {
    if (must === undefined) return bound(server, 0, host);
    const text = `Port ${must}, to which the sign-in has to come back, cannot be used: ${reasonOf(cause)}.`;
    const advice =
      redirectUrl === undefined
        ? 'choose another one with --callback-port, or leave that out'
        : 'give another --redirect-url that the authorization server knows';
    throw new ConnectorError('MCPC_SIGN_IN', text, {
      cause,
      hint: `Stop the program that uses the port, or ${advice}`,
    });
  }
}

function bound(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
