import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { Envelope } from './envelope.js';
import type { Call } from './ledger.js';
import { malformedAnswer, refuseInvalid } from './reply.js';

/**
 * Takes in the messages of a batch one by one. It is answered with one batch, in which every request has its answer
 * (JSON-RPC 2.0 section 6); one that owes none is not answered at all.
 *
 * @param admit takes in one of them, and where its answer goes
 * @param deliver takes the answer to the whole
 */
export function takeApart(
  batch: Envelope,
  admit: (part: Envelope, deliver: Call['deliver']) => void | Promise<void>,
  deliver: (answer: Envelope) => void | Promise<void>,
): void | Promise<void> {
  const parts = batch.parts();
  if (parts.length === 0) return deliver(refuseInvalid('null'));
  const owing = new Set(parts.filter(({ kind }) => kind !== 'notification' && kind !== 'response'));
  const answers: JSONRPCMessage[] = [];
  const collect = (part: Envelope, answer: Envelope | undefined): void | Promise<void> => {
    if (!owing.delete(part)) return undefined;
    if (answer !== undefined) answers.push(answer.parsed ?? malformedAnswer(part.idText).message);
    if (owing.size > 0 || answers.length === 0) return undefined;
    // An array is a batch, which the SDK's types no longer know.
    return deliver(Envelope.of(answers as unknown as JSONRPCMessage));
  };
  for (const part of parts) void admit(part, (answer) => collect(part, answer));
  return undefined;
}

/** Joins what the messages of a batch ask to be waited for. */
export function together(waits: readonly (void | Promise<void>)[]): void | Promise<void> {
  const pending = waits.filter((wait) => wait !== undefined);
  return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined);
}
