/** Every error code of mcp-connect with its meaning: the one closed list. Docs, types and tests derive from it. */
export const ERROR_CODES = {
  MCPC_USAGE: 'An option, endpoint or plugin was given in a form that cannot work.',
  MCPC_PARSE: 'A message was not valid JSON.',
  MCPC_INVALID_MESSAGE: 'A message was valid JSON but not a valid JSON-RPC envelope.',
  MCPC_CONNECT: 'No connection could be made: name, refusal, TLS or the start of a command failed.',
  MCPC_TIMEOUT: 'The time allowed for connecting or for an answer passed.',
  MCPC_CONNECTION_LOST: 'The connection, stream or process ended before the answer came.',
  MCPC_NO_ANSWER: 'The server ended its reply properly, but without the answer.',
  MCPC_BAD_RESPONSE: 'The server replied with something that is not an MCP message.',
  MCPC_HTTP_STATUS: 'The server refused the message with an HTTP status.',
  MCPC_UNAUTHORIZED: 'The server asks for a sign-in or for more rights.',
  MCPC_SIGN_IN: 'The sign-in failed, was refused or was given up.',
  MCPC_AUTH_SERVER: 'The authorization server cannot be used: what it says is missing, wrong or unsafe.',
  MCPC_SESSION_LOST: 'The server no longer knows the session.',
  MCPC_RATE_LIMITED: 'The server asks to slow down or to come back later.',
  MCPC_TOO_LARGE: 'A message is larger than the limit set by --max-message-size.',
  MCPC_OUTCOME_UNKNOWN:
    'The request may or may not have been carried out, and sending it twice could do harm.',
  MCPC_NO_ENDPOINT: 'No endpoint is left to try.',
  MCPC_PLUGIN: 'A plugin failed.',
  MCPC_CANCELLED: 'The client cancelled the request.',
  MCPC_SHUTDOWN: 'mcp-connect is stopping.',
} as const;

/** A code of the closed list {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * Tells whether a failed message may have had an effect. `no`: it never reached the server. `rejected`: the server
 * refused it before carrying it out. `unknown`: it was sent, and nothing tells what became of it.
 */
export type Delivered = 'no' | 'rejected' | 'unknown';

/** What a server said when it refused a message for want of rights (RFC 9110 section 11.6.1). */
export interface Challenge {
  /** The HTTP status: 401 or 403. */
  readonly status: number;
  /** The value of `WWW-Authenticate`, where there was one. */
  readonly wwwAuthenticate?: string;
  /** The value of `DPoP-Nonce`, where there was one (RFC 9449 section 9). */
  readonly nonce?: string;
}

/** Everything beside code and text that a {@link ConnectorError} can say. */
export interface ConnectorErrorOptions {
  /** What the user can type or do next. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Defaults to `no`. */
  readonly delivered?: Delivered;
  /** Milliseconds to wait before another attempt, as the server asked. */
  readonly retryAfter?: number;
  readonly challenge?: Challenge;
  /** The HTTP status, where there was one. */
  readonly status?: number;
  /** True for what does not pass by itself, such as a certificate that is not trusted. Defaults to false. */
  readonly lasting?: boolean;
}

const BRAND = Symbol.for('mcp-connect.error');

/**
 * Reports a failure of mcp-connect itself, as opposed to an error that a server sent.
 * `instanceof` holds across two copies of this package.
 */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly delivered: Delivered;
  readonly retryAfter: number | undefined;
  readonly challenge: Challenge | undefined;
  readonly status: number | undefined;
  readonly lasting: boolean;

  constructor(code: ErrorCode, message: string, options: ConnectorErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.delivered = options.delivered ?? 'no';
    this.retryAfter = options.retryAfter;
    this.challenge = options.challenge;
    this.status = options.status;
    this.lasting = options.lasting ?? false;
  }

  get [BRAND](): true {
    return true;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/** Returns `error` as it is when it is ours, else wrapped under `code` with its text and itself as the cause. */
export function toConnectorError(
  error: unknown,
  code: ErrorCode,
  options: ConnectorErrorOptions = {},
): ConnectorError {
  if (error instanceof ConnectorError) return error;
  return new ConnectorError(code, reasonOf(error), { ...options, cause: error });
}

/** Words the failure of what the end of the connector has cut short. */
export function stopping(delivered: Delivered = 'no'): ConnectorError {
  return new ConnectorError('MCPC_SHUTDOWN', 'mcp-connect is stopping.', { delivered });
}

/** Names the reason of any thrown value in a few words; an aggregate of connection attempts gives its first reason. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (isOpenssl(error)) return error.reason;
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}

/** Returns the code by which the system or TLS names what is at the bottom of an error, such as `ECONNREFUSED`. */
export function causeCodeOf(error: unknown): string | undefined {
  if (error instanceof ConnectorError) return causeCodeOf(error.cause);
  if (error instanceof AggregateError && error.errors.length > 0) return causeCodeOf(error.errors[0]);
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** OpenSSL puts its reason among the names of its own source files; Node.js hands it over by itself, too. */
function isOpenssl(error: unknown): error is { readonly reason: string } {
  const { code, reason } = (error ?? {}) as { code?: unknown; reason?: unknown };
  return typeof code === 'string' && /^ERR_O?SSL_/.test(code) && typeof reason === 'string';
}
