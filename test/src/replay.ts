import { textOf, type PeerMessage } from './peer.js';
import type { Reply } from './script.js';

/** How a wire writes a reply down. */
export interface Framing {
  /** Puts the message of this number, from 0, into the form of the wire. */
  frame(text: string, number: number): string;
  /** Writes bytes. A returned promise asks for a pause until it settles. */
  write(bytes: Buffer): void | Promise<void> | undefined;
  /** True once nobody is there any more to write to. */
  gone(): boolean;
  /** Told once all is written; `whole` is false when the reply breaks off inside its answer. */
  onend(whole: boolean): void;
}

/** Bytes to write, or milliseconds to wait. */
type Step = Buffer | number;

/** Writes a reply message by message, at its own pace and no faster than the wire takes it. */
export function play(reply: Reply, id: PeerMessage['id'], framing: Framing): void {
  const steps = stepsOf(textsOf(reply, id), reply, framing);
  const go = (): void => {
    if (framing.gone()) return;
    for (let next = steps.next(); !next.done; next = steps.next()) {
      if (typeof next.value === 'number') {
        // A pause that nobody waits for any more must not keep the process of a test alive.
        setTimeout(go, next.value).unref();
        return;
      }
      const full = framing.write(next.value);
      if (framing.gone()) return;
      if (full !== undefined) {
        void full.then(go);
        return;
      }
    }
    framing.onend(!reply.broken);
  };
  go();
}

/** Every message of a reply, in order. */
export function* textsOf(reply: Reply, id: PeerMessage['id']): Generator<string> {
  for (const message of reply.before) yield textOf(message);
  const answer = answerOf(reply, id);
  for (let n = 0; n < reply.times; n++) yield answer;
  for (const message of reply.after) yield textOf(message);
}

/** The answer itself. */
function answerOf({ body, pretty }: Reply, id: PeerMessage['id']): string {
  const answer = textOf({ id, ...body });
  return pretty ? JSON.stringify(JSON.parse(answer), undefined, 2) : answer;
}

function* stepsOf(texts: Iterable<string>, reply: Reply, { frame }: Framing): Generator<Step> {
  let number = 0;
  for (const text of texts) {
    const bytes = Buffer.from(frame(text, number++));
    if (reply.broken && isAnswer(text)) {
      yield bytes.subarray(0, bytes.length / 2);
      return;
    }
    yield* piecesOf(bytes, reply.chunk);
    if (reply.pause > 0) yield reply.pause;
  }
}

function* piecesOf(bytes: Buffer, size: number): Generator<Step> {
  if (bytes.length <= size) {
    yield bytes;
    return;
  }
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
    // Written within one turn they would travel together.
    yield 0;
  }
}

function isAnswer(text: string): boolean {
  return (JSON.parse(text) as PeerMessage).method === undefined;
}
