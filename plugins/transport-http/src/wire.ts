import type { ClientRequest, IncomingMessage } from 'node:http';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ConnectorError, directAgents, reasonOf, type TransportContext } from '@mcp-connect/core';

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
  onresponse(response: IncomingMessage): void;
  /** The error's `delivered` tells whether the request may have reached the server. */
  onerror(error: ConnectorError): void;
}

/** A request on its way. */
export interface HttpRequest {
  /** Gives the request up and closes its connection; no event follows. */
  abort(): void;
}

/** The seam of the hot path: all that this package knows of `node:http` and `node:https`. */
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
/** Requests above this number wait for a free connection. */
const MOST_REQUESTS = 256;
const MOST_REDIRECTS = 5;
/** A body up to this many bytes leaves in one write with its headers. */
const LONGEST_TEXT = 16_384;
const REDIRECTS = new Set([301, 302, 307, 308]);
const PERMANENT = new Set([301, 308]);

/** What to type when a connection fails, by the code that node gives. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Start the server, or check host and port of the endpoint',
  ENOTFOUND: 'Check the host name of the endpoint',
  EAI_AGAIN: 'Check the host name of the endpoint and the network',
  EPROTO:
    'The server may not speak TLS: try http:// instead of https://. Or it asks who we are: give --cert FILE and --key FILE',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another name: give that name with --servername NAME',
  CERT_HAS_EXPIRED: 'The server has to renew its certificate',
};
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Refusals of our certificate, which in TLS 1.3 come only after our side of the handshake is done (RFC 8446 section
 * 4.4.2.4). Nothing that we sent has been read.
 */
const UNWELCOME = new Set([
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
]);

/**
 * Opens the wire to one server. What is urgent has connections of its own, so that an answer never queues behind the
 * requests that wait for it.
 */
export async function openWire({ endpoint, settings, log }: TransportContext): Promise<Wire> {
  let home = new URL(endpoint.url!);
  const basic = basicAuth(home);
  log.hide(basic);
  home.username = home.password = '';
  const secure = home.protocol === 'https:';
  const http = secure ? await import('node:https') : await import('node:http');
  const makeAgent = settings.makeAgent ?? directAgents(settings);
  const requests = await makeAgent(home, { idle: IDLE_LIMIT, most: MOST_REQUESTS });
  const others = await makeAgent(home, { idle: IDLE_LIMIT });

  const start = (
    outgoing: HttpOutgoing,
    url: URL,
    onresponse: HttpEvents['onresponse'],
    onerror: HttpEvents['onerror'],
  ): ClientRequest => {
    const { method, headers, body, urgent } = outgoing;
    const outbound = http.request({
      protocol: url.protocol,
      // URL keeps the brackets of an IPv6 address, which a host look-up does not know.
      hostname: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
      port: url.port,
      path: url.pathname + url.search,
      method,
      headers: basic === undefined ? headers : { authorization: basic, ...headers },
      agent: urgent ? others : requests,
      ...(endpoint.ip !== undefined && url.host === endpoint.url?.host && { lookup: alwaysAt(endpoint.ip) }),
    });
    let connected = false;
    let over = false;
    outbound.on('socket', (socket: Socket) => {
      if (outbound.reusedSocket || isConnected(socket)) connected = true;
      else awaitConnection(socket, settings.timeout, () => (connected = true));
    });
    outbound.on('response', (response) => {
      // The reply of a proxy has been made an error by then.
      if (over) return void response.resume();
      over = true;
      onresponse(response);
    });
    const fail = (error: Error): void => {
      if (over) return;
      over = true;
      onerror(connectionError(error, endpoint.label, connected));
    };
    outbound.on('error', fail);
    // A server that switches protocols, or closes without a word, answers nothing.
    outbound.on('upgrade', (_, socket) => socket.destroy());
    outbound.on('close', () => over || fail(new Error('it was closed without an answer')));
    // node joins headers and body into one write only where both are strings; latin1 keeps every byte.
    if (body === undefined || body.length > LONGEST_TEXT) outbound.end(body);
    else outbound.end(body.toString('latin1'), 'latin1');
    return outbound;
  };

  return {
    get url() {
      return home;
    },
    request(outgoing, { onresponse, onerror }) {
      let aborted = false;
      let redirects = 0;
      let current: ClientRequest | undefined;
      const go = (url: URL): void => {
        current = start(
          outgoing,
          url,
          (response) => {
            if (aborted) return void response.destroy();
            const location = REDIRECTS.has(response.statusCode!) ? response.headers.location : undefined;
            if (location === undefined) return onresponse(response);
            response.resume();
            const target = URL.canParse(location, url.href) ? new URL(location, url.href) : undefined;
            if (target?.origin !== url.origin || ++redirects > MOST_REDIRECTS) {
              return onerror(refusedRedirect(endpoint.label, response.statusCode!, target));
            }
            if (PERMANENT.has(response.statusCode!) && url.href === home.href) home = target;
            go(target);
          },
          (error) => {
            if (!aborted) onerror(error);
          },
        );
      };
      // By the end of this turn it is known which idle connections the server has closed: those are not used.
      const first = setImmediate(() => go(outgoing.url ?? home));
      return {
        abort() {
          aborted = true;
          clearImmediate(first);
          current?.destroy();
        },
      };
    },
    rest() {
      for (const { freeSockets } of [requests, others]) {
        for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
      }
    },
    close() {
      requests.destroy();
      others.destroy();
    },
  };
}

/** A proxy hands over what leads through it before TLS to the server has begun. */
function isConnected(socket: Socket): boolean {
  return !socket.connecting && !(isTls(socket) && socket.getFinished() === undefined);
}

function isTls(socket: Socket): socket is TLSSocket {
  return 'encrypted' in socket;
}

/** Finds every name at one address; Host and the name in TLS stay those of the URL. */
function alwaysAt(ip: string): LookupFunction {
  const family = isIP(ip);
  return (_name, { all }, found) => {
    if (all === true) found(null, [{ address: ip, family }]);
    else found(null, ip, family);
  };
}

/** Bounds the making of a connection, which node by itself does not. */
function awaitConnection(socket: Socket, timeout: number, onconnected: () => void): void {
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${timeout / 1000} s`)),
    timeout,
  );
  socket.once(isTls(socket) ? 'secureConnect' : 'connect', () => {
    clearTimeout(timer);
    onconnected();
  });
  socket.once('close', () => clearTimeout(timer));
}

function connectionError(cause: Error, label: string, connected: boolean): ConnectorError {
  // A pool of connections knows better where it did not come through.
  if (cause instanceof ConnectorError) return cause;
  const code = codeOf(cause);
  if (connected && !UNWELCOME.has(code)) {
    return new ConnectorError('MCPC_CONNECTION_LOST', `${label} broke the connection: ${reasonOf(cause)}`, {
      cause,
      delivered: 'unknown',
    });
  }
  const hint = hintFor(code);
  return new ConnectorError('MCPC_CONNECT', `No connection to ${label}: ${reasonOf(cause)}`, {
    cause,
    ...(hint !== undefined && { hint }),
  });
}

function hintFor(code: string): string | undefined {
  if (UNTRUSTED.has(code)) {
    return 'The certificate is not trusted: give the authority that signed it with --ca FILE';
  }
  if (UNWELCOME.has(code))
    return 'The server wants another certificate of ours: give --cert FILE and --key FILE';
  return HINTS[code];
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return (error as NodeJS.ErrnoException).code ?? '';
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
