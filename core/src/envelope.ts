import { isUtf8 } from 'node:buffer';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { ConnectorError } from './errors.js';
import { glance, type Glance } from './glance.js';
import { outlineOf, type Outline } from './scan.js';
import { skim } from './skim.js';
import { inUtf8 } from './utf8.js';

/** What a message is to the line. `invalid` is JSON that is no JSON-RPC message. */
export type MessageKind = 'request' | 'notification' | 'response' | 'batch' | 'invalid';

/** The one version of JSON-RPC there is. */
const VERSION = '2.0';

/** Up to this many bytes a message is looked at as a whole; above it a look at its ends is cheaper. */
const LOOK_LIMIT = 16_384;

/** How sure it is that bytes are a whole message. */
export interface Framing {
  /** False where the wire does not tell the end of a message from one that was cut: then even a large one is read through. */
  readonly framed?: boolean;
}

const FRAMED: Framing = {};

/**
 * One JSON-RPC message with the bytes it arrived as. An envelope that no hook changed is forwarded as those very
 * bytes; `message` is parsed at most once, on demand (JSON-RPC 2.0; MCP basic/index, Messages). Bytes that are no UTF-8
 * are replaced as a parser replaces them: no message may have any (MCP basic/transports, stdio).
 */
export class Envelope {
  readonly kind: MessageKind;
  /** The id of a request or response. Undefined for notifications and for errors that name no request. */
  readonly id: RequestId | undefined;
  /** The method of a request or notification. */
  readonly method: string | undefined;
  #line: Line | undefined;
  #message: JSONRPCMessage | undefined;

  private constructor(
    { versioned, id, method, answered, isBatch }: TopLevel,
    line: Line | undefined,
    message: JSONRPCMessage | undefined,
  ) {
    const kind = isBatch ? 'batch' : kindOf(versioned, id, method, answered);
    this.kind = kind;
    this.id = isId(id) ? id : undefined;
    this.method = kind === 'request' || kind === 'notification' ? (method as string) : undefined;
    this.#line = line;
    this.#message = message;
  }

  /**
   * Wraps the bytes of one message, whole or in pieces, which become the envelope's own.
   *
   * @throws ConnectorError `MCPC_PARSE` when they are not one JSON value, as far as a message that is large is looked at
   */
  static read(bytes: Buffer | readonly Buffer[], { framed = true }: Framing = FRAMED): Envelope {
    const pieces = Buffer.isBuffer(bytes) ? [bytes] : bytes;
    const large = sizeOf(pieces) > LOOK_LIMIT;
    if (!large) {
      const whole = joined(pieces);
      const small = framed ? Envelope.readAt(whole, 0) : undefined;
      return small?.size === whole.length ? small : Envelope.#parsed(whole);
    }
    const top = topOfLarge(pieces, framed);
    // A batch has to be taken apart in any case.
    return top.isBatch
      ? Envelope.#parsed(joined(pieces))
      : new Envelope(top, inUtf8(pieces).map(onOneLine), undefined);
  }

  /**
   * Wraps the message that begins at a place of a chunk, which becomes the envelope's own; `size` tells where it has
   * ended. What stands behind it is left to the caller.
   *
   * @returns undefined where no small message stands there, whole, on one line and beyond doubt: find its end then, and
   *   read it by itself
   */
  static readAt(chunk: Buffer, from: number): Envelope | undefined {
    const skimmed = skim(chunk, from, Math.min(chunk.length, from + LOOK_LIMIT));
    if (skimmed === undefined) return undefined;
    const { end } = skimmed;
    const line = from === 0 && end === chunk.length ? chunk : chunk.subarray(from, end);
    return new Envelope(skimmed, line, undefined);
  }

  static #parsed(bytes: Buffer): Envelope {
    const text = bytes.toString('utf8');
    const message = parse(text);
    const whole = isUtf8(bytes) ? bytes : Buffer.from(text);
    const line = text.includes('\n') || text.includes('\r') ? onOneLine(whole) : whole;
    return new Envelope(topOf(message), line, message);
  }

  /** Wraps a message that this process made or changed. */
  static of(message: JSONRPCMessage): Envelope {
    return new Envelope(topOf(message), undefined, message);
  }

  /** The message as one line of JSON, without the newline. */
  get bytes(): Buffer {
    const { line } = this;
    return Buffer.isBuffer(line) ? line : (this.#line = joined(line));
  }

  /**
   * The same bytes, whole or in the pieces in which they came, for who writes them: a large message can be passed on
   * without being copied together.
   */
  get line(): Line {
    return (this.#line ??= Buffer.from(JSON.stringify(this.#message)));
  }

  /**
   * The parsed message; treat it as read-only and make a changed one with {@link Envelope.of}.
   *
   * @throws ConnectorError `MCPC_PARSE` when the inside of a large message is malformed.
   */
  get message(): JSONRPCMessage {
    return (this.#message ??= parse(this.bytes.toString('utf8')));
  }

  /** The parsed message, or undefined when the inside of a large message is malformed. */
  get parsed(): JSONRPCMessage | undefined {
    try {
      return this.message;
    } catch {
      return undefined;
    }
  }

  /**
   * The id as a key that keeps `1` and `"1"` apart, and also integers beyond 2^53 that a parsed number cannot tell
   * apart.
   */
  get key(): RequestId | undefined {
    return isExact(this.id) ? this.id : `\0${this.idText}`;
  }

  /** The id's JSON text exactly as it arrived; `null` when there is none. */
  get idText(): string {
    if (this.id === undefined) return 'null';
    return isExact(this.id) ? JSON.stringify(this.id) : (outlineOf(this.bytes).id ?? 'null');
  }

  /** How many bytes the message takes up. */
  get size(): number {
    const line = this.#line;
    if (line === undefined) return 0;
    return Buffer.isBuffer(line) ? line.length : sizeOf(line);
  }

  /** Makes the same message under another id, without touching any other byte. `idText` is JSON. */
  withId(idText: string): Envelope {
    const { idStart, idEnd } = outlineOf(this.bytes);
    if (idStart === -1) return this;
    const bytes = Buffer.concat([
      this.bytes.subarray(0, idStart),
      Buffer.from(idText),
      this.bytes.subarray(idEnd),
    ]);
    return Envelope.read(bytes);
  }

  /** The messages of a batch, each in an envelope of its own (2025-03-26 basic/index, Batching). */
  parts(): Envelope[] {
    if (this.kind !== 'batch') return [this];
    return (this.message as unknown as JSONRPCMessage[]).map((part) => Envelope.of(part));
  }
}

/** Puts one message together as its pieces arrive. */
export class Assembler {
  readonly pieces: Buffer[] = [];
  #size = 0;

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  push(piece: Buffer): void {
    this.pieces.push(piece);
    this.#size += piece.length;
  }

  /**
   * Wraps the whole message.
   *
   * @throws ConnectorError `MCPC_PARSE` when it is not one JSON value
   */
  finish(framing?: Framing): Envelope {
    return Envelope.read(this.pieces, framing);
  }
}

/** A message as one line without its newline, whole or in pieces. */
export type Line = Buffer | readonly Buffer[];

/** What the top level of a message says, whatever stands there. */
interface TopLevel {
  readonly versioned: boolean;
  readonly id: unknown;
  readonly method: unknown;
  /** True where there is a `result` or an `error`. */
  readonly answered: boolean;
  readonly isBatch?: boolean;
}

function sizeOf(pieces: readonly Buffer[]): number {
  let size = 0;
  for (const piece of pieces) size += piece.length;
  return size;
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

function parse(text: string): JSONRPCMessage {
  try {
    return JSON.parse(text) as JSONRPCMessage;
  } catch (cause) {
    throw new ConnectorError('MCPC_PARSE', 'The message is not valid JSON.', { cause });
  }
}

/** stdio framing allows no newline inside a message; in JSON a raw one can only be a blank between tokens. */
function onOneLine(bytes: Buffer): Buffer {
  if (!bytes.includes(0x0a) && !bytes.includes(0x0d)) return bytes;
  const copy = Buffer.from(bytes);
  for (const newline of [0x0a, 0x0d]) {
    for (let at = copy.indexOf(newline); at !== -1; at = copy.indexOf(newline, at + 1)) copy[at] = 0x20;
  }
  return copy;
}

function topOf(message: unknown): TopLevel {
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    return { ...NOTHING, isBatch: Array.isArray(message) };
  const { jsonrpc, id, method } = message as { jsonrpc?: unknown; id?: unknown; method?: unknown };
  return { versioned: jsonrpc === VERSION, id, method, answered: 'result' in message || 'error' in message };
}

const NOTHING: TopLevel = { versioned: false, id: undefined, method: undefined, answered: false };

function topOfLarge(pieces: readonly Buffer[], framed: boolean): TopLevel {
  const seen = framed ? glance(pieces) : undefined;
  return seen === undefined ? topOfOutline(outlineOf(pieces)) : topOfMembers(seen);
}

function topOfOutline(outline: Outline): TopLevel {
  if (!outline.complete)
    throw new ConnectorError('MCPC_PARSE', 'The message is not valid JSON, or was cut short.');
  return outline.opening === '[' ? { ...NOTHING, isBatch: true } : topOfMembers(outline);
}

function topOfMembers({ jsonrpc, id, method, hasResult, hasError }: Glance): TopLevel {
  const answered = hasResult || hasError;
  return { versioned: value(jsonrpc) === VERSION, id: value(id), method: value(method), answered };
}

function value(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ConnectorError('MCPC_PARSE', 'The message is not valid JSON.', { cause });
  }
}

function kindOf(versioned: boolean, id: unknown, method: unknown, answered: boolean): MessageKind {
  if (!versioned) return 'invalid';
  if (method === undefined)
    return answered && (id === undefined || id === null || isId(id)) ? 'response' : 'invalid';
  if (typeof method !== 'string' || answered) return 'invalid';
  if (id === undefined) return 'notification';
  return isId(id) ? 'request' : 'invalid';
}

function isId(id: unknown): id is RequestId {
  return typeof id === 'string' || typeof id === 'number';
}

function isExact(id: RequestId | undefined): boolean {
  return typeof id !== 'number' || Math.abs(id) <= Number.MAX_SAFE_INTEGER;
}
