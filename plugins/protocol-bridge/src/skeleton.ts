import { randomUUID } from 'node:crypto';
import { Envelope, type JSONRPCMessage } from '@mcp-connect/core';
import { paramsOf, underId, withParams, type Params } from './messages.js';

/** Up to this size a message is parsed as it is, in bytes. */
const SMALL = 16_384;
/** Strings above this length are held aside, in bytes. */
const LONG = 1_024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * A large message without its long strings. To change a member or two, nobody has to decode and encode megabytes of
 * text: a short stand-in takes the place of each long string while the message is parsed, changed and written.
 */
export class Skeleton {
  readonly #mark = `mcpc-${randomUUID()}-`;
  /** The insides of the strings, as they stand in the JSON text. */
  readonly #kept: Buffer[] = [];
  readonly message: JSONRPCMessage;

  private constructor(bytes: Buffer) {
    this.message = JSON.parse(this.#strip(bytes)) as JSONRPCMessage;
  }

  /** Takes a message apart. Returns undefined where it is small, or no JSON. */
  static of(envelope: Envelope): Skeleton | undefined {
    if (envelope.size <= SMALL) return undefined;
    try {
      return new Skeleton(envelope.bytes);
    } catch {
      return undefined;
    }
  }

  /** Puts the long strings back. A stand-in must be a whole string, or a part of one; not of JSON in a string. */
  restored(envelope: Envelope): Envelope {
    const [first = '', ...rest] = envelope.bytes.toString('utf8').split(this.#mark);
    const pieces = rest.flatMap((part) => {
      const end = part.indexOf(';');
      return [this.#kept[Number(part.slice(0, end))]!, Buffer.from(part.slice(end + 1))];
    });
    return Envelope.read([Buffer.from(first), ...pieces]);
  }

  #strip(bytes: Buffer): string {
    const parts: string[] = [];
    let copied = 0;
    for (let open = bytes.indexOf(QUOTE); open !== -1;) {
      const close = closingOf(bytes, open);
      if (close === -1) break;
      if (close - open > LONG) {
        parts.push(bytes.toString('utf8', copied, open + 1), this.#mark, `${this.#kept.length};`);
        this.#kept.push(bytes.subarray(open + 1, close));
        copied = close;
      }
      open = bytes.indexOf(QUOTE, close + 1);
    }
    parts.push(bytes.toString('utf8', copied));
    return parts.join('');
  }
}

/** The parameters of a request, where nobody looks at what is long in them. */
export function bareParamsOf(envelope: Envelope): Params {
  const skeleton = Skeleton.of(envelope);
  return paramsOf(skeleton === undefined ? envelope : Envelope.of(skeleton.message));
}

/** Makes the same request or notification with other parameters; what is long in it is never looked at. */
export function withChangedParams(envelope: Envelope, change: (params: Params) => object): Envelope {
  const skeleton = Skeleton.of(envelope);
  if (skeleton === undefined) return withParams(envelope, change(paramsOf(envelope)));
  const bare = Envelope.of(skeleton.message);
  return underId(skeleton.restored(withParams(bare, change(paramsOf(bare)))), envelope);
}

/** The offset of the quote that closes a string: the first one behind an even number of backslashes. */
function closingOf(bytes: Buffer, open: number): number {
  for (let at = bytes.indexOf(QUOTE, open + 1); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    let start = at;
    while (bytes[start - 1] === BACKSLASH) start--;
    if ((at - start) % 2 === 0) return at;
  }
  return -1;
}
