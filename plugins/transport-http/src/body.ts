import { Assembler, ConnectorError, reasonOf, refusal, type Envelope } from '@mcp-connect/core';
import { BomFilter } from './bom.js';
import type { Intake } from './intake.js';
import type { Reply } from './reply.js';

/** How much of an id of the server's making is shown, in characters. */
const LONGEST_ID = 40;

/** How long the body of a refusal may take, in milliseconds. */
const REFUSAL_PATIENCE = 2_000;

/** What became of a response's body: its bytes, put together, or why there are none. */
export type Body = Assembler | ConnectorError;

/** How a body is collected. */
export interface CollectOptions {
  /** How errors name the server. */
  readonly label: string;
  /** Most bytes that a body may have. */
  readonly limit: number;
  readonly intake: Intake;
}

/**
 * Collects a whole body up to a limit, as fast as there is room for it. The error, where there is one, is
 * `MCPC_CONNECTION_LOST` for a body that was cut and `MCPC_TOO_LARGE` for one above the limit.
 */
export function collect(
  response: Reply,
  { label, limit, intake }: CollectOptions,
  done: (body: Body) => void,
): void {
  const body = new Assembler();
  const bom = new BomFilter();
  let over = false;
  const finish = (outcome: Body): void => {
    if (over) return;
    over = true;
    done(outcome);
    intake.hold(response, 0);
  };
  response.on('data', (chunk: Buffer) => {
    if (over) return;
    body.push(bom.push(chunk));
    if (body.size <= limit) return intake.hold(response, body.size);
    finish(tooLarge(label, limit));
    response.destroy();
  });
  response.on('end', () => finish(body));
  // `close` follows every body, so the error of a cut one is made only where it is one.
  const fail = (cause?: Error): void => {
    if (!over) finish(cut(label, cause));
  };
  response.on('error', fail);
  response.on('close', () => fail());
}

/** Collects the body of a refusal; a server that does not end it in time has none. */
export async function bodyOfRefusal(response: Reply, options: CollectOptions): Promise<Body> {
  const late = setTimeout(() => response.destroy(), REFUSAL_PATIENCE);
  try {
    return await new Promise((done) => collect(response, options, done));
  } finally {
    clearTimeout(late);
  }
}

/** The error of a reply that is larger than `--max-message-size`. */
export function tooLarge(label: string, limit: number): ConnectorError {
  return new ConnectorError('MCPC_TOO_LARGE', `${label} replied with more than ${limit} bytes.`, {
    delivered: 'unknown',
    hint: 'Allow larger messages with --max-message-size BYTES',
  });
}

/** Refuses a request of the server that is larger than `--max-message-size`. `idText` is its id as JSON. */
export function refuseTooLarge(idText: string, limit: number): Envelope {
  return refusal(
    idText,
    new ConnectorError('MCPC_TOO_LARGE', `The request is larger than ${limit} bytes.`, {
      hint: 'Send less, or allow larger messages with --max-message-size BYTES',
    }),
  );
}

/** The error of a reply whose connection broke before its end. */
export function cut(label: string, cause: unknown): ConnectorError {
  const reason = cause === undefined ? '' : `: ${reasonOf(cause)}`;
  return new ConnectorError('MCPC_CONNECTION_LOST', `The reply of ${label} was cut${reason}.`, {
    cause,
    delivered: 'unknown',
  });
}

/** The error of a message that the server did not acknowledge in time, in milliseconds. */
export function untaken(label: string, timeout: number): ConnectorError {
  const text = `${label} did not take a message within ${timeout / 1000} s.`;
  return new ConnectorError('MCPC_TIMEOUT', text, { delivered: 'unknown' });
}

/** The error of a reply that holds no MCP message. */
export function notMcp(label: string, what: string, cause: unknown): ConnectorError {
  const text = `${label} replied with something that is no MCP message (${what}).`;
  const hint = 'Check that the endpoint is the one for MCP, not a web page: many servers answer at /mcp';
  return new ConnectorError('MCPC_BAD_RESPONSE', text, { cause, hint, delivered: 'unknown' });
}

/** The error of a reply that came to its end without the answer. */
export function noAnswer(label: string, what: string): ConnectorError {
  return new ConnectorError('MCPC_NO_ANSWER', `${label} replied with ${what}.`, { delivered: 'unknown' });
}

/**
 * The error of a reply that holds no answer but, as the case may be, one under an id that nobody used.
 *
 * @param id that id as JSON; undefined where there was no such answer
 */
export function otherId(label: string, id: string | undefined, what: string): ConnectorError {
  return noAnswer(
    label,
    id === undefined ? what : `an answer under another id (${id.slice(0, LONGEST_ID)}), and with ${what}`,
  );
}
