import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { ConnectorError } from './errors.js';
import { glance, type Glance } from './glance.js';
import { outlineOf, type Outline } from './scan.js';
import { skim } from './skim.js';

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
 * bytes; `message` is parsed at most once, on demand (JSON-RPC 2.0; MCP basic/index, Messages).
 */
export class Envelope {
  readonly kind: MessageKind;
  /** The id of a request or response. Undefined for notifications and for errors that name no request. */
  readonly id: RequestId | undefined;
  /** The method of a request or notification. */
  readonly method: string | undefined;
  /** The message in the pieces that it came in; joined only when someone asks for its bytes. */
  #pieces: readonly Buffer[] | undefined;
  #message: JSONRPCMessage | undefined;

  private constructor(
    routing: Routing,
    pieces: readonly Buffer[] | undefined,
    message: JSONRPCMessage | undefined,
  ) {
    this.kind = routing.kind;
    this.id = routing.id;
    this.method = routing.method;
    this.#pieces = pieces;
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
    if (!large) return framed ? Envelope.#readSmall(joined(pieces)) : Envelope.#parsed(joined(pieces));
    const routing = routingOfLarge(pieces, framed);
    // A batch has to be taken apart in any case.
    return routing.kind === 'batch'
      ? Envelope.#parsed(joined(pieces))
      : new Envelope(routing, pieces.map(onOneLine), undefined);
  }

  static #readSmall(bytes: Buffer): Envelope {
    const skimmed = skim(bytes);
    if (skimmed === undefined) return Envelope.#parsed(bytes);
    const { versioned, id, method, answered } = skimmed;
    return new Envelope(route(versioned ? VERSION : undefined, id, method, answered), [bytes], undefined);
  }

  static #parsed(bytes: Buffer): Envelope {
    const text = bytes.toString('utf8');
    const message = parse(text);
    const line = text.includes('\n') || text.includes('\r') ? onOneLine(bytes) : bytes;
    return new Envelope(routingOf(message), [line], message);
  }

  /** Wraps a message that this process made or changed. */
  static of(message: JSONRPCMessage): Envelope {
    return new Envelope(routingOf(message), undefined, message);
  }

  /** The message as one line of JSON, without the newline. */
  get bytes(): Buffer {
    const { pieces } = this;
    if (pieces.length === 1) return pieces[0]!;
    const bytes = joined(pieces);
    this.#pieces = [bytes];
    return bytes;
  }

  /** The same bytes in one or more pieces: a large message can be passed on without being copied together. */
  get pieces(): readonly Buffer[] {
    return (this.#pieces ??= [Buffer.from(JSON.stringify(this.#message))]);
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
    return sizeOf(this.#pieces ?? []);
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

interface Routing {
  readonly kind: MessageKind;
  readonly id: RequestId | undefined;
  readonly method: string | undefined;
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

function routingOf(message: unknown): Routing {
  if (Array.isArray(message)) return { kind: 'batch', id: undefined, method: undefined };
  if (typeof message !== 'object' || message === null)
    return { kind: 'invalid', id: undefined, method: undefined };
  const { jsonrpc, id, method } = message as { jsonrpc?: unknown; id?: unknown; method?: unknown };
  return route(jsonrpc, id, method, 'result' in message || 'error' in message);
}

function routingOfLarge(pieces: readonly Buffer[], framed: boolean): Routing {
  const seen = framed ? glance(pieces) : undefined;
  return seen === undefined ? routingOfOutline(outlineOf(pieces)) : routingOfMembers(seen);
}

function routingOfOutline(outline: Outline): Routing {
  if (!outline.complete)
    throw new ConnectorError('MCPC_PARSE', 'The message is not valid JSON, or was cut short.');
  if (outline.opening === '[') return { kind: 'batch', id: undefined, method: undefined };
  return routingOfMembers(outline);
}

function routingOfMembers({ jsonrpc, id, method, hasResult, hasError }: Glance): Routing {
  return route(value(jsonrpc), value(id), value(method), hasResult || hasError);
}

function value(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ConnectorError('MCPC_PARSE', 'The message is not valid JSON.', { cause });
  }
}

function route(jsonrpc: unknown, id: unknown, method: unknown, answered: boolean): Routing {
  const knownId = typeof id === 'string' || typeof id === 'number' ? id : undefined;
  const invalid: Routing = { kind: 'invalid', id: knownId, method: undefined };
  if (jsonrpc !== VERSION) return invalid;
  if (method === undefined) {
    const readable = knownId !== undefined || id === undefined || id === null;
    return answered && readable ? { kind: 'response', id: knownId, method: undefined } : invalid;
  }
  if (typeof method !== 'string' || answered) return invalid;
  if (id === undefined) return { kind: 'notification', id: undefined, method };
  return knownId === undefined ? invalid : { kind: 'request', id: knownId, method };
}

function isExact(id: RequestId | undefined): boolean {
  return typeof id !== 'number' || Math.abs(id) <= Number.MAX_SAFE_INTEGER;
}
