import { Envelope, Outliner, type Outline } from '@mcp-connect/core';
import { BomFilter } from './bom.js';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const NEWLINE = Buffer.from('\n');
const NOTHING = Buffer.alloc(0);
const DATA = Buffer.from('data:');
/** What stands before the data of a line, which does not count as data. */
const BEFORE_DATA = DATA.length + 1;
/** The name that every event has unless it says otherwise. */
const USUAL = Buffer.from('event: message');
/** No field that means anything has a longer name, and none is told apart by what follows. */
const LONGEST_NAME = 16;
/** What node lets into a header: bytes as Latin-1 characters, without controls (RFC 9110 section 5.5). */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Timers go no further, in milliseconds; beyond it node fires at once. */
const LONGEST_TIMER = 2_147_483_647;

/** One event of a server-sent event stream (WHATWG HTML, Server-sent events). */
export interface ServerEvent {
  /** The event's name; `message` when the server gave none. */
  readonly event: string;
  /** The event's data in one or more pieces. */
  readonly data: readonly Buffer[];
  /** False when the stream ended before the blank line that closes an event. */
  readonly complete: boolean;
}

/** Where a stream may be taken up again (2025-11-25 basic/transports, Resumability and Redelivery). */
export interface Bookmark {
  /** The id of the last whole event that had one, as the text of a header. */
  readonly lastEventId: string | undefined;
  /** Milliseconds that the server asks to wait before connecting again. */
  readonly retry: number | undefined;
  /** The events that the reader has noted, since servers may begin a resumption with some of them again. */
  readonly noted?: Set<string> | undefined;
}

/** What an {@link SseParser} is told at creation. */
export interface SseParserOptions {
  /** Where the stream is taken up again, when it is not new. */
  readonly from?: Bookmark | undefined;
  /** Most bytes that the data of one event may have. */
  readonly maxLength: number;
  /** Told for most events by the usual name, where their data is a message that could be read where it stands. */
  onmessage(envelope: Envelope): void;
  /** Told for every other event. */
  onevent(event: ServerEvent): void;
  /** Told for an event above the limit, with what its data's top level says; the data is gone. */
  onoversize(outline: Outline, length: number): void;
}

/**
 * Reads a server-sent event stream from chunks cut anywhere, linear in the bytes. Data stays bytes: a large message
 * is neither decoded nor copied more than once.
 */
export class SseParser implements Bookmark {
  lastEventId: string | undefined;
  retry: number | undefined;
  noted: Set<string> | undefined;
  /** Whether the event that is being read has an id of its own. */
  named = false;
  readonly #options: SseParserOptions;
  /** Most bytes of an event up to the end of the line that is being read. */
  readonly #most: number;
  readonly #bom = new BomFilter();
  #skipLineFeed = false;
  /** The beginning of a line whose end has not come yet. */
  #parts: Buffer[] = [];
  #lineLength = 0;
  #event = '';
  /** The id of the event that is being read; it counts once the event is whole. */
  #id: string | undefined;
  #data: Buffer[] = [];
  #dataLength = 0;
  /** Outlines the data of an event above the limit, up to the end of the line in which it went over. */
  #outliner: Outliner | undefined;
  #outlining = false;

  constructor(options: SseParserOptions) {
    this.#options = options;
    this.#most = options.maxLength + BEFORE_DATA;
    this.lastEventId = this.#id = options.from?.lastEventId;
    this.retry = options.from?.retry;
    this.noted = options.from?.noted;
  }

  /** How many bytes of an unfinished event are kept. */
  get held(): number {
    return this.#outliner === undefined ? this.#dataLength + this.#lineLength : 0;
  }

  /** Takes the next bytes. */
  push(bytes: Buffer): void {
    const chunk = this.#bom.push(bytes);
    if (chunk.length === 0) return;
    let start = this.#skipLineFeed && chunk[0] === LF ? 1 : 0;
    this.#skipLineFeed = false;
    start = this.#takeLines(chunk, start);
    this.#take(start === 0 ? chunk : chunk.subarray(start));
  }

  /** Takes all lines that end in this chunk. Returns where the next one begins. */
  #takeLines(chunk: Buffer, from: number): number {
    let start = this.#takeMessages(chunk, from);
    let lf = chunk.indexOf(LF, start);
    let cr = chunk.indexOf(CR, start);
    while (lf !== -1 || cr !== -1) {
      const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr;
      this.#takeLine(chunk, start, end);
      start = end + 1;
      if (end === cr) {
        if (start === chunk.length) this.#skipLineFeed = true;
        else if (chunk[start] === LF) start++;
      }
      start = this.#takeMessages(chunk, start);
      if (lf !== -1 && lf < start) lf = chunk.indexOf(LF, start);
      if (cr !== -1 && cr < start) cr = chunk.indexOf(CR, start);
    }
    return start;
  }

  /**
   * Takes events that bring a message in one line of data, one after another, as nearly all do: each is read in one go,
   * and nobody looks for its end. Returns where something else begins.
   */
  #takeMessages(chunk: Buffer, from: number): number {
    let start = from;
    for (;;) {
      const begun = this.#lineLength > 0 || this.#dataLength > 0 || this.#event !== '';
      if (begun || this.#outliner !== undefined) return start;
      const name = startsWith(chunk, start, USUAL) ? lineEnd(chunk, start + USUAL.length) : start;
      if (name === -1 || !startsWith(chunk, name, DATA)) return start;
      const value = valueIn(chunk, name);
      const envelope = Envelope.readAt(chunk, value);
      if (envelope === undefined || envelope.size > this.#options.maxLength) return start;
      const end = lineEnd(chunk, value + envelope.size);
      const next = end === -1 ? -1 : lineEnd(chunk, end);
      if (next === -1) return start;
      this.lastEventId = this.#id === '' ? undefined : this.#id;
      this.#options.onmessage(envelope);
      this.named = false;
      start = next;
    }
  }

  /** Takes one line up to its end. Nearly all are whole and of three kinds, which are read where they stand. */
  #takeLine(chunk: Buffer, start: number, end: number): void {
    const isWhole = this.#lineLength === 0 && this.#outliner === undefined;
    const length = this.#dataLength + end - start;
    if (!isWhole || length > this.#most) {
      this.#take(chunk.subarray(start, end));
      this.#endLine();
    } else if (start === end) this.#dispatch(true);
    else if (startsWith(chunk, start, DATA)) {
      this.#addData(chunk.subarray(valueIn(chunk, start), end));
    } else if (end - start === USUAL.length && startsWith(chunk, start, USUAL)) this.#event = '';
    else this.#field([chunk.subarray(start, end)]);
  }

  #addData(...pieces: Buffer[]): void {
    if (this.#data.length > 0) this.#data.push(NEWLINE);
    for (const piece of pieces) {
      this.#data.push(piece);
      this.#dataLength += piece.length;
    }
    this.#dataLength += 1;
  }

  /**
   * Ends the stream. An event that lacks only its closing blank line is handed over: its reader checks the data. Its id
   * does not count, so that a resumption brings the event again, whole.
   */
  end(): void {
    if (this.#lineLength > 0) this.#endLine();
    this.#id = this.lastEventId;
    this.#dispatch(false);
  }

  #take(part: Buffer): void {
    if (part.length === 0) return;
    this.#lineLength += part.length;
    if (this.#outliner !== undefined) {
      if (this.#outlining) this.#outliner.push(part);
      this.#dataLength += part.length;
      return;
    }
    this.#parts.push(part);
    if (this.#dataLength + this.#lineLength > this.#most) this.#overflow();
  }

  #overflow(): void {
    this.#outliner = new Outliner();
    this.#outlining = true;
    const line = Buffer.concat(this.#parts);
    for (const part of [...this.#data, line.subarray(valueStart(line))]) this.#outliner.push(part);
    this.#dataLength += this.#lineLength;
    this.#parts = [];
    this.#data = [];
  }

  #endLine(): void {
    const blank = this.#lineLength === 0;
    this.#lineLength = 0;
    if (blank) this.#dispatch(true);
    else if (this.#outliner !== undefined) this.#outlining = false;
    else {
      const parts = this.#parts;
      this.#parts = [];
      this.#field(parts[0]!.length < LONGEST_NAME ? [Buffer.concat(parts)] : parts);
    }
  }

  #field([first, ...rest]: readonly Buffer[]): void {
    const line = first!;
    const colon = line.indexOf(COLON);
    const name = line.toString('latin1', 0, colon === -1 ? line.length : Math.min(colon, LONGEST_NAME));
    const head = colon === -1 ? NOTHING : line.subarray(valueStart(line));
    if (name === 'data') return this.#addData(head, ...rest);
    const value = rest.length === 0 ? head : Buffer.concat([head, ...rest]);
    switch (name) {
      case 'event':
        this.#event = value.toString();
        return;
      case 'id':
        // The id goes back in a header, byte for byte: one that no header can hold is no use.
        if (HEADER_VALUE.test(value.toString('latin1'))) {
          this.#id = value.toString('latin1');
          this.named = this.#id !== '';
        }
        return;
      case 'retry':
        if (/^\d+$/.test(value.toString('latin1')))
          this.retry = Math.min(Number(value.toString('latin1')), LONGEST_TIMER);
    }
  }

  #dispatch(complete: boolean): void {
    const outliner = this.#outliner;
    const data = this.#data;
    const length = this.#dataLength;
    const event = this.#event === '' ? 'message' : this.#event;
    this.#outliner = undefined;
    this.#data = [];
    this.#dataLength = 0;
    this.#event = '';
    // An empty id takes back the one before it.
    this.lastEventId = this.#id === '' ? undefined : this.#id;
    if (outliner !== undefined) this.#options.onoversize(outliner.outline(), length);
    // An event without data carries no message: servers use it to hand out an id or to keep the stream alive.
    else if (length > 1) this.#options.onevent({ event, data, complete });
    this.named = false;
  }
}

function valueStart(line: Buffer): number {
  const colon = line.indexOf(COLON);
  return line[colon + 1] === SPACE ? colon + 2 : colon + 1;
}

function startsWith(chunk: Buffer, from: number, wanted: Buffer): boolean {
  if (from + wanted.length > chunk.length) return false;
  for (let at = 0; at < wanted.length; at++) if (chunk[from + at] !== wanted[at]) return false;
  return true;
}

/** Returns where the value of a line of data begins. */
function valueIn(chunk: Buffer, start: number): number {
  const value = start + DATA.length;
  return value < chunk.length && chunk[value] === SPACE ? value + 1 : value;
}

/** Returns where the next line begins if one ends here by all that is in the chunk, or -1. */
function lineEnd(chunk: Buffer, at: number): number {
  if (at >= chunk.length) return -1;
  if (chunk[at] === LF) return at + 1;
  return chunk[at] === CR && at + 1 < chunk.length && chunk[at + 1] === LF ? at + 2 : -1;
}
