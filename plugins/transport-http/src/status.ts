import { ConnectorError } from '@mcp-connect/core';
import { retryAfter } from './headers.js';
import type { Reply } from './reply.js';

/** What a request was that met a refusal. */
export interface RefusedRequest {
  /** The endpoint, for people. */
  readonly label: string;
  /**
   * Whether it named a session, which makes 404 the news that it is over (2025-11-25 basic/transports, Session
   * Management).
   */
  readonly session: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Header fields that say who asks, by their names: those for a key are many. */
const CREDENTIAL = /^(?!mcp-)(.+[-_])?(authorization|auth|cookie|key|token|secret)$/i;

const GIVE = 'Give a token with --auth-token TOKEN, or a key with --api-key KEY';

/** What to type next where a server wants to know who asks, by whether it was told and by status. */
const SIGNING_HINTS: Readonly<Record<'signed' | 'unsigned', Readonly<Record<number, string>>>> = {
  signed: {
    401: 'Check the token or key: it may be mistyped, have expired, or be meant for another server',
    403: 'The credentials given lack the right to do this',
  },
  unsigned: {
    401: GIVE,
    403: `${GIVE}; where it wants neither, look whether it takes requests from here`,
  },
};

/** What to type next, by status. */
const HINTS: Readonly<Record<number, string>> = {
  404: 'Check the path of the endpoint: many servers answer at /mcp',
  405: 'Check the path of the endpoint: nothing there accepts messages',
  407: 'The proxy on the way asks for credentials',
};

/** The norm's own words for what servers answer (RFC 9110 section 15); theirs may say anything. */
const PHRASES: Readonly<Record<number, string>> = {
  300: 'Multiple Choices',
  303: 'See Other',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Entity',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** What to type next where the status itself gives no better hint. */
const HINT =
  'Run mcp-connect test --debug with the same flags to see what is said, or look into the log of the server';

/** Says what a refusal by HTTP status means: whether the request was carried out, and what could mend it. */
export function refusalOf(response: Reply, { label, session, headers }: RefusedRequest): ConnectorError {
  const status = response.statusCode!;
  const wwwAuthenticate = response.headers['www-authenticate'];
  const signed = Object.keys(headers).some((name) => CREDENTIAL.test(name));
  const hint = SIGNING_HINTS[signed ? 'signed' : 'unsigned'][status] ?? HINTS[status] ?? HINT;
  const base = { status, hint };
  if (status === 401 || (status === 403 && wwwAuthenticate !== undefined)) {
    const nonce = response.headers['dpop-nonce'];
    const challenge = {
      status,
      ...(wwwAuthenticate !== undefined && { wwwAuthenticate }),
      ...(typeof nonce === 'string' && { nonce }),
    };
    const what = signed ? 'refuses the credentials given' : 'asks for authorization';
    return new ConnectorError('MCPC_UNAUTHORIZED', `${label} ${what} (${status}).`, {
      ...base,
      delivered: 'rejected',
      challenge,
    });
  }
  if (status === 404 && session) {
    return new ConnectorError('MCPC_SESSION_LOST', `${label} no longer knows the session (404).`, {
      status,
      delivered: 'rejected',
    });
  }
  const wait = retryAfter(response.headers['retry-after']);
  if (status === 429 || (status === 503 && wait !== undefined)) {
    return new ConnectorError('MCPC_RATE_LIMITED', `${label} asks to come back later (${status}).`, {
      status,
      delivered: 'rejected',
      hint: 'Send it again later; --retry-attempts and --retry-delay say how long mcp-connect itself goes on',
      ...(wait !== undefined && { retryAfter: wait }),
    });
  }
  const text = `${label} answered ${status} ${PHRASES[status] ?? ''}`;
  return new ConnectorError('MCPC_HTTP_STATUS', `${text.trimEnd()}.`, {
    ...base,
    delivered: leavesOpen(status) ? 'unknown' : 'rejected',
  });
}

/** True for refusals that ask for another attempt, whatever their bodies say: signed in, in a new session, or later. */
export function bidsAgain(refusal: ConnectorError): boolean {
  return (
    refusal.code === 'MCPC_UNAUTHORIZED' ||
    refusal.code === 'MCPC_SESSION_LOST' ||
    (refusal.code === 'MCPC_RATE_LIMITED' && refusal.retryAfter !== undefined)
  );
}

/**
 * True for statuses that leave open whether the request was carried out; gateways have many of their own above 504, and
 * 303 shows where to look for what became of it (RFC 9110 section 15.4.4).
 */
function leavesOpen(status: number): boolean {
  return status === 303 || status === 408 || status >= 500;
}
