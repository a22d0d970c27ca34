import { Outliner, type Outline } from '@mcp-connect/core';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const BOM = Buffer.from('\ufeff');
const NEWLINE = Buffer.from('\n');
const NOTHING = Buffer.alloc(0);
const DATA = 'data:';
/** How most events begin; one line of data and an empty one follow. */
const BEGINNING = 'event: message\ndata: ';
/** The name that every event has unless it says otherwise. */
const USUAL = 'event: message';
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
}

/** What an {@link SseParser} is told at creation. */
export interface SseParserOptions {
  /** Where the stream is taken up again, when it is not new. */
  readonly from?: Bookmark | undefined;
  /** Most bytes that one event may have. */
  readonly maxLength: number;
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
  readonly #options: SseParserOptions;
  /** The first bytes, for as long as they may be the beginning of a byte order mark. */
  #head: Buffer | undefined = NOTHING;
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
    this.lastEventId = this.#id = options.from?.lastEventId;
    this.retry = options.from?.retry;
  }

  /** How many bytes of an unfinished event are kept. */
  get held(): number {
    return this.#outliner === undefined ? this.#dataLength + this.#lineLength : 0;
  }

  /** Takes the next bytes. */
  push(bytes: Buffer): void {
    const chunk = this.#withoutBom(bytes);
    if (chunk.length === 0) return;
    let start = this.#skipLineFeed && chunk[0] === LF ? 1 : 0;
    this.#skipLineFeed = false;
    if (chunk.includes(LF, start) || chunk.includes(CR, start)) start = this.#takeLines(chunk, start);
    this.#take(start === 0 ? chunk : chunk.subarray(start));
  }

  /** Takes all lines that end in this chunk. Returns where the next one begins. */
  #takeLines(chunk: Buffer, from: number): number {
    // A search in a string costs a fraction of one in a buffer, and latin1 keeps every byte at its offset.
    const text = chunk.toString('latin1');
    let start = from;
    let lf = text.indexOf('\n', start);
    let cr = text.indexOf('\r', start);
    while (lf !== -1 || cr !== -1) {
      if (cr === -1 && text.startsWith(BEGINNING, start)) {
        const value = start + BEGINNING.length;
        const end = text.indexOf('\n', value);
        if (end !== -1 && text.charCodeAt(end + 1) === LF && this.#takeWhole(chunk.subarray(value, end))) {
          start = end + 2;
          lf = text.indexOf('\n', start);
          continue;
        }
      }
      const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr;
      this.#takeLine(chunk, text, { start, end });
      start = end + 1;
      if (end === cr) {
        if (start === chunk.length) this.#skipLineFeed = true;
        else if (chunk[start] === LF) start++;
        cr = text.indexOf('\r', start);
      }
      if (lf !== -1 && lf < start) lf = text.indexOf('\n', start);
    }
    return start;
  }

  /** Takes an event that has one line of data, where nothing else is under way and it is not too large. */
  #takeWhole(data: Buffer): boolean {
    const isFirst = this.#lineLength === 0 && this.#dataLength === 0 && this.#outliner === undefined;
    if (!isFirst || data.length === 0 || data.length > this.#options.maxLength) return false;
    this.#event = '';
    this.lastEventId = this.#id === '' ? undefined : this.#id;
    this.#options.onevent({ event: 'message', data: [data], complete: true });
    return true;
  }

  /** Takes one line up to its end. Nearly all are whole and of three kinds, which are read where they stand. */
  #takeLine(chunk: Buffer, text: string, { start, end }: { start: number; end: number }): void {
    const isWhole = this.#lineLength === 0 && this.#outliner === undefined;
    const length = this.#dataLength + end - start;
    if (!isWhole || length > this.#options.maxLength) {
      this.#take(chunk.subarray(start, end));
      this.#endLine();
    } else if (start === end) this.#dispatch(true);
    else if (text.startsWith(DATA, start)) {
      const value = start + DATA.length;
      this.#addData(chunk.subarray(text.charCodeAt(value) === SPACE ? value + 1 : value, end));
    } else if (end - start === USUAL.length && text.startsWith(USUAL, start)) this.#event = '';
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

  #withoutBom(chunk: Buffer): Buffer {
    if (this.#head === undefined) return chunk;
    const head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    if (head.length < BOM.length && BOM.subarray(0, head.length).equals(head)) {
      this.#head = head;
      return NOTHING;
    }
    this.#head = undefined;
    return head.subarray(0, BOM.length).equals(BOM) ? head.subarray(BOM.length) : head;
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
    if (this.#dataLength + this.#lineLength > this.#options.maxLength) this.#overflow();
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
        if (HEADER_VALUE.test(value.toString('latin1'))) this.#id = value.toString('latin1');
        return;
      case 'retry':
        if (/^\d+$/.test(value.toString('latin1')))
          this.retry = Math.min(Number(value.toString('latin1')), LONGEST_TIMER);
    }
  }

  #dispatch(complete: boolean): void {
    const { onevent, onoversize } = this.#options;
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
    if (outliner !== undefined) onoversize(outliner.outline(), length);
    // An event without data carries no message: servers use it to hand out an id or to keep the stream alive.
    else if (length > 1) onevent({ event, data, complete });
  }
}

function valueStart(line: Buffer): number {
  const colon = line.indexOf(COLON);
  return line[colon + 1] === SPACE ? colon + 2 : colon + 1;
}
