import type { IncomingMessage } from 'node:http';
import { ConnectorError, reasonOf } from '@mcp-connect/core';

const BOM = Buffer.from('\ufeff');

/** What became of a response's body: its bytes in the pieces that they came in, or why there are none. */
export type Body = readonly Buffer[] | ConnectorError;

/**
 * Collects a whole body up to a limit. The error, where there is one, is `MCPC_CONNECTION_LOST` for a body that was cut
 * and `MCPC_TOO_LARGE` for one above the limit.
 */
export function collect(
  response: IncomingMessage,
  label: string,
  limit: number,
  done: (body: Body) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let over = false;
  const finish = (body: Body): void => {
    if (over) return;
    over = true;
    done(body);
  };
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= limit || over) return;
    finish(tooLarge(label, limit));
    response.destroy();
  });
  response.on('end', () => finish(withoutBom(chunks)));
  // `close` follows every body, so the error of a cut one is made only where it is one.
  const fail = (cause?: Error): void => {
    if (!over) finish(cut(label, cause));
  };
  response.on('error', fail);
  response.on('close', () => fail());
}

/** Some servers begin their JSON with a byte order mark, which every fetch takes off. */
function withoutBom(chunks: readonly Buffer[]): readonly Buffer[] {
  const [first] = chunks;
  if (first === undefined || first[0] !== BOM[0]) return chunks;
  const whole = Buffer.concat(chunks);
  return [whole.subarray(0, BOM.length).equals(BOM) ? whole.subarray(BOM.length) : whole];
}

/** The error of a reply that is larger than `--max-message-size`. */
export function tooLarge(label: string, limit: number): ConnectorError {
  return new ConnectorError('MCPC_TOO_LARGE', `${label} replied with more than ${limit} bytes.`, {
    delivered: 'unknown',
    hint: 'Allow larger messages with --max-message-size BYTES',
  });
}

/** The error of a reply whose connection broke before its end. */
export function cut(label: string, cause: unknown): ConnectorError {
  const reason = cause === undefined ? '' : `: ${reasonOf(cause)}`;
  return new ConnectorError('MCPC_CONNECTION_LOST', `The reply of ${label} was cut${reason}.`, {
    cause,
    delivered: 'unknown',
  });
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
