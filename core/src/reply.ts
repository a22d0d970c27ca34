import { Envelope } from './envelope.js';
import { causeCodeOf, ConnectorError, type ErrorCode } from './errors.js';
import type { Attempt } from './contract.js';

/** JSON-RPC 2.0 section 5.1. Local errors keep to these codes; the 26 revision reserves -32020 to -32099. */
const JSON_RPC_CODES: Partial<Record<ErrorCode, number>> = {
  MCPC_PARSE: -32_700,
  MCPC_INVALID_MESSAGE: -32_600,
};
const INTERNAL_ERROR = -32_603;

/** What to type next where the failure itself gives no better hint. */
const SEND_AGAIN = 'Send it again; if that fails too, run mcp-connect test --debug with the same flags';
const CHECK_FIRST = 'Check at the server whether it was carried out before sending it again';
const WRITE_MESSAGES = 'Write one JSON-RPC 2.0 message on each line';

/** What the error of a request tells beside the failure itself. */
export interface ReplyFacts {
  readonly attempts: readonly Attempt[];
  /** Whether the request may have been carried out. */
  readonly executed: 'no' | 'unknown';
  /** Whether the client may send it again without harm. */
  readonly retryable: boolean;
  /** Hides secrets in a text. */
  redact(text: string): string;
}

/** The `data` of every error that is ours: `source` tells it from a server's (MCP basic/index, Error Codes). */
export interface ErrorData {
  readonly source: 'mcp-connect';
  readonly code: ErrorCode;
  readonly hint?: string;
  /** The code by which the system or TLS names the reason, such as `ECONNREFUSED`. */
  readonly cause?: string;
  /** The endpoint of the last attempt. */
  readonly endpoint?: string;
  readonly attempts?: readonly { endpoint: string; error: string; ms: number }[];
  /** Whether the request may have been carried out. */
  readonly executed?: 'no' | 'unknown';
  /** Whether the client may send the request again without harm. */
  readonly retryable?: boolean;
}

/** Makes the error reply to a request that failed on its way. `idText` is the request's id as JSON. */
export function errorReply(idText: string, error: ConnectorError, facts: ReplyFacts): Envelope {
  const { attempts, executed, retryable, redact } = facts;
  const last = attempts.at(-1);
  const cause = causeCodeOf(error);
  const data: ErrorData = {
    source: 'mcp-connect',
    code: error.code,
    ...(cause !== undefined && { cause: redact(cause) }),
    ...(last && { endpoint: last.candidate.endpoint.label }),
    attempts: attempts.map(({ candidate, error: failure, ms }) => ({
      endpoint: candidate.endpoint.label,
      error: redact(`${failure.code}: ${failure.message}`),
      ms: Math.round(ms),
    })),
    executed,
    retryable,
    hint: redact(error.hint ?? (retryable ? SEND_AGAIN : CHECK_FIRST)),
  };
  return reply(idText, error, redact(error.message), data);
}

/** Makes the reply to a message that never became a request: unreadable, no envelope, or an id in use. */
export function refusal(idText: string, error: ConnectorError): Envelope {
  const hint = error.hint ?? (error.code === 'MCPC_PARSE' ? WRITE_MESSAGES : undefined);
  const data: ErrorData = {
    source: 'mcp-connect',
    code: error.code,
    ...(hint !== undefined && { hint }),
  };
  return reply(idText, error, error.message, data);
}

/** Refuses JSON that is no JSON-RPC message, or an empty batch. `idText` is its id where one can be read. */
export function refuseInvalid(idText: string): Envelope {
  return refusal(
    idText,
    new ConnectorError('MCPC_INVALID_MESSAGE', 'The message is not a valid JSON-RPC 2.0 envelope.', {
      hint: 'A request needs "jsonrpc":"2.0", a text "method", and a text or number "id"',
    }),
  );
}

/** Refuses a request under an id that is in flight already. */
export function refuseDuplicate(idText: string): Envelope {
  return refusal(
    idText,
    new ConnectorError('MCPC_INVALID_MESSAGE', 'A request with this id is already waiting for its answer.', {
      hint: 'Give every request an id of its own',
    }),
  );
}

/**
 * Stands for an answer that cannot be parsed where it has to be: a large one that is malformed inside, which shows only
 * then. `idText` is the request's id as JSON.
 */
export function malformedAnswer(idText: string): Envelope {
  const error = new ConnectorError('MCPC_BAD_RESPONSE', 'The answer of the server is not valid JSON.', {
    hint: 'Report this to the authors of the server',
  });
  return errorReply(idText, error, {
    attempts: [],
    executed: 'unknown',
    retryable: false,
    redact: (text) => text,
  });
}

/** Words the refusal of a line of the client that was too large to be kept, both in bytes. */
export function overLimit(length: number, limit: number): ConnectorError {
  const text = `A message of ${length} bytes is over the limit of ${limit}.`;
  return new ConnectorError('MCPC_TOO_LARGE', text, {
    hint: 'Allow larger ones with --max-message-size BYTES',
  });
}

/** Makes a reply around the id's own JSON text, so that no id is changed by having been parsed. */
export function replyWith(idText: string, body: object): Envelope {
  const rest = JSON.stringify(body).slice(1);
  return Envelope.read(Buffer.from(`{"jsonrpc":"2.0","id":${idText},${rest}`));
}

/** The key of an id's JSON text, or undefined when it is no id. */
export function keyOf(idText: string): Envelope['key'] {
  try {
    return replyWith(idText, { result: {} }).key;
  } catch {
    return undefined;
  }
}

/** Tells a server that the answer to a request is no longer wanted. `idText` is the request's id as JSON. */
export function cancellation(idText: string, reason: string): Envelope {
  const params = `{"requestId":${idText},"reason":${JSON.stringify(reason)}}`;
  return Envelope.read(
    Buffer.from(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`),
  );
}

const REQUEST_ID = /"requestId"\s*:\s*([\d.eE+-]+)/;

/** The `Envelope.key` of the request that a cancellation names; undefined when it names none. */
export function cancelledId({ parsed, bytes }: Envelope): string | number | undefined {
  const id = (parsed as { params?: { requestId?: unknown } } | undefined)?.params?.requestId;
  if (typeof id !== 'number') return typeof id === 'string' ? id : undefined;
  // Beyond 2^53 only the text tells numbers apart.
  return Number.isSafeInteger(Math.trunc(id)) ? id : keyOf(REQUEST_ID.exec(bytes.toString())?.[1] ?? 'null');
}

function reply(idText: string, error: ConnectorError, message: string, data: ErrorData): Envelope {
  return replyWith(idText, { error: { code: JSON_RPC_CODES[error.code] ?? INTERNAL_ERROR, message, data } });
}
