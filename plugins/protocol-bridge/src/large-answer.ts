import { Envelope, outlineOf } from '@mcp-connect/core';

/** Up to this many bytes an answer is as well read and written anew. */
const LARGE = 16_384;

const BLANK = 0x20;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** True for answers that cost more to read than all else that is done with them. */
export function isLarge(answer: Envelope): boolean {
  return answer.size > LARGE;
}

/**
 * Makes of a large answer that of another request, with more members in its result, without reading it. Returns
 * undefined where it holds no result that is an object.
 */
export function extended(answer: Envelope, request: Envelope, members: object): Envelope | undefined {
  const { bytes } = answer;
  const { idStart, idEnd, resultStart, hasError } = outlineOf(bytes);
  const inside = afterBlanks(bytes, resultStart) + 1;
  if (idStart === -1 || resultStart === -1 || hasError || bytes[inside - 1] !== OPEN_BRACE) return undefined;
  const isEmpty = bytes[afterBlanks(bytes, inside)] === CLOSE_BRACE;
  const more = Buffer.from(JSON.stringify(members).slice(1, -1) + (isEmpty ? '' : ','));
  const id = Buffer.from(request.idText);
  const pieces =
    idStart < inside
      ? [bytes.subarray(0, idStart), id, bytes.subarray(idEnd, inside), more, bytes.subarray(inside)]
      : [bytes.subarray(0, inside), more, bytes.subarray(inside, idStart), id, bytes.subarray(idEnd)];
  return Envelope.read(pieces);
}

function afterBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at]! <= BLANK) at++;
  return at;
}
