import { Outliner, type Outline } from '@mcp-connect/core';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const BOM = Buffer.from('\ufeff');
const NEWLINE = Buffer.from('\n');
const NOTHING = Buffer.alloc(0);

/** One event of a server-sent event stream (WHATWG HTML, Server-sent events). */
export interface ServerEvent {
  /** The event's name; `message` when the server gave none. */
  readonly event: string;
  readonly data: Buffer;
}

/** What an {@link SseParser} is told at creation. */
export interface SseParserOptions {
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
export class SseParser {
  /** The id of the last event that had one; resumption starts behind it. */
  lastEventId: string | undefined;
  /** Milliseconds to wait before connecting again, as the server asked. */
  retry: number | undefined;
  readonly #options: SseParserOptions;
  #started = false;
  #skipLineFeed = false;
  /** The beginning of a line whose end has not come yet. */
  #parts: Buffer[] = [];
  #lineLength = 0;
  #event = '';
  #data: Buffer[] = [];
  #dataLength = 0;
  /** Outlines the data of an event above the limit, up to the end of the line in which it went over. */
  #outliner: Outliner | undefined;
  #outlining = false;

  constructor(options: SseParserOptions) {
    this.#options = options;
  }

  /** Takes the next bytes. */
  push(bytes: Buffer): void {
    const chunk = this.#withoutBom(bytes);
    if (chunk.length === 0) return;
    let start = this.#skipLineFeed && chunk[0] === LF ? 1 : 0;
    this.#skipLineFeed = false;
    let lf = chunk.indexOf(LF, start);
    let cr = chunk.indexOf(CR, start);
    while (lf !== -1 || cr !== -1) {
      const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr;
      this.#take(chunk.subarray(start, end));
      this.#endLine();
      start = end + 1;
      if (end === cr) {
        if (start === chunk.length) this.#skipLineFeed = true;
        else if (chunk[start] === LF) start++;
        cr = chunk.indexOf(CR, start);
      }
      if (lf !== -1 && lf < start) lf = chunk.indexOf(LF, start);
    }
    this.#take(chunk.subarray(start));
  }

  /** Ends the stream. An event that lacks only its closing blank line is handed over: its reader checks the data. */
  end(): void {
    if (this.#lineLength > 0) this.#endLine();
    this.#dispatch();
  }

  #withoutBom(chunk: Buffer): Buffer {
    if (this.#started || chunk.length === 0) return chunk;
    this.#started = true;
    return chunk.subarray(0, BOM.length).equals(BOM) ? chunk.subarray(BOM.length) : chunk;
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
    if (blank) this.#dispatch();
    else if (this.#outliner !== undefined) this.#outlining = false;
    else {
      const line = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
      this.#parts = [];
      this.#field(line);
    }
  }

  #field(line: Buffer): void {
    const colon = line.indexOf(COLON);
    const name = line.toString('latin1', 0, colon === -1 ? line.length : colon);
    const value = colon === -1 ? NOTHING : line.subarray(valueStart(line));
    switch (name) {
      case 'data':
        if (this.#data.length > 0) this.#data.push(NEWLINE);
        this.#data.push(value);
        this.#dataLength += value.length + 1;
        return;
      case 'event':
        this.#event = value.toString();
        return;
      case 'id':
        if (!value.includes(0)) this.lastEventId = value.toString();
        return;
      case 'retry':
        if (/^\d+$/.test(value.toString('latin1'))) this.retry = Number(value.toString('latin1'));
    }
  }

  #dispatch(): void {
    const { onevent, onoversize } = this.#options;
    const outliner = this.#outliner;
    const data = this.#data;
    const length = this.#dataLength;
    const event = this.#event === '' ? 'message' : this.#event;
    this.#outliner = undefined;
    this.#data = [];
    this.#dataLength = 0;
    this.#event = '';
    if (outliner !== undefined) onoversize(outliner.outline(), length);
    // An event without data carries no message: servers use it to hand out an id or to keep the stream alive.
    else if (length > 1) onevent({ event, data: data.length === 1 ? data[0]! : Buffer.concat(data) });
  }
}

function valueStart(line: Buffer): number {
  const colon = line.indexOf(COLON);
  return line[colon + 1] === SPACE ? colon + 2 : colon + 1;
}
