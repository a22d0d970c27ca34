import type { IncomingHttpHeaders } from 'node:http';

/** The head of a response (RFC 9112 sections 4 and 5). */
export interface ResponseHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** What a {@link ResponseParser} is told at creation. */
export interface ResponseEvents {
  onhead(head: ResponseHead): void;
  onbody(bytes: Buffer): void;
  /**
   * The response is whole.
   *
   * @param reusable whether the connection may carry another one
   */
  onend(reusable: boolean): void;
}

/** Most bytes that the head of a response, a line of chunked coding or all trailers may have. */
const MOST_HEAD = 65_536;
const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const TAB = 0x09;
/** So many bytes of an end may have come before the rest of it. */
const LONGEST_PART = 2;
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: |$)/;
/** Names of fields are tokens (RFC 9110 section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What no head may hold: controls, and carriage returns that end no line (RFC 9110 section 5.5). */
const UNFIT = /[^\t\n\r\x20-\x7e\x80-\xff]|\r(?!\n)/;
const LENGTH = /^\d{1,15}$/;
const CHUNK_SIZE = /^([0-9a-fA-F]{1,12})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;
/** Fields that hold one value, of which the first counts, as in `node:http`. */
const SINGLE = new Set(
  'age content-type etag expires last-modified location retry-after server user-agent'.split(' '),
);
/** Statuses without a body (RFC 9112 section 6.3). */
const BODILESS = new Set([204, 304]);

/** A server broke the rules of HTTP/1.1. */
export class HttpSyntaxError extends Error {}

type Step = (chunk: Buffer, at: number) => number;

/**
 * Reads the responses of one connection, HTTP/1.1 and HTTP/1.0, from bytes that are cut anywhere. Bodies pass as they
 * come, without a copy.
 */
export class ResponseParser {
  readonly #events: ResponseEvents;
  #step: Step = this.#head;
  /** The beginning of a head or line whose end has not come yet, as Latin-1, which keeps every byte. */
  #held = '';
  /** The last of it, which may be the beginning of its end: so nothing is searched twice. */
  #tail = '';
  /** Where what follows the last head or line begins. */
  #next = 0;
  /** Bytes of lines since the last data of a chunk. */
  #spent = 0;
  /** Bytes that are yet to come of a body or chunk. */
  #left = 0;
  #chunked = false;
  /** Of the response under way. */
  #headers: IncomingHttpHeaders | undefined;
  /** True for a body that only the end of the connection ends. */
  #open = false;
  #reusable = true;
  #begun = false;

  constructor(events: ResponseEvents) {
    this.#events = events;
  }

  /** True while nothing of a response is under way. */
  get idle(): boolean {
    return !this.#begun && this.#held === '';
  }

  /**
   * Takes the next bytes.
   *
   * @throws HttpSyntaxError where they are no HTTP/1.1
   */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) at = this.#step(chunk, at);
  }

  /**
   * Learns that the connection has ended.
   *
   * @throws HttpSyntaxError where a response is not whole
   */
  finish(): void {
    if (this.#open) this.#end();
    else if (this.#begun || this.#held !== '') throw new HttpSyntaxError('the response was cut');
  }

  #head(chunk: Buffer, from: number): number {
    const head = this.#takeHead(chunk, from);
    if (head === undefined) return chunk.length;
    // Servers may end a line too many behind the response before (RFC 9112 section 2.2 tells the same of requests).
    if (head.length > LONGEST_PART) this.#begin(head);
    return this.#next;
  }

  #begin(text: string): void {
    if (UNFIT.test(text)) throw new HttpSyntaxError('the head of its answer holds control characters');
    const lines = text.split('\n');
    const [, minor, digits] = STATUS_LINE.exec(withoutCr(lines[0]!)) ?? [];
    const status = Number(digits);
    // Undefined is no number and no less than any.
    if (!(status >= 100)) throw new HttpSyntaxError('it answered something that is no HTTP/1.1');
    const headers = fieldsIn(lines);
    // Nothing here asks for another protocol.
    if (status === 101) throw new HttpSyntaxError('it switched to another protocol');
    // What comes before the response itself.
    if (status < 200) return;
    this.#begun = true;
    this.#headers = headers;
    this.#frame(status, headers, minor === '1');
    this.#events.onhead({ status, headers });
    if (this.#step === this.#head) this.#end();
  }

  /** Settles where the body ends (RFC 9112 section 6.3). */
  #frame(status: number, headers: IncomingHttpHeaders, persistent: boolean): void {
    const connection = headers.connection?.toLowerCase() ?? '';
    this.#reusable = persistent ? !hasOption(connection, 'close') : hasOption(connection, 'keep-alive');
    this.#open = false;
    if (BODILESS.has(status)) return;
    const coding = headers['transfer-encoding'];
    const length = headers['content-length'];
    if (coding !== undefined) {
      // Both together are how responses are smuggled.
      if (length !== undefined) throw new HttpSyntaxError('it gave its answer two lengths');
      // HTTP/1.0 knows no coding: who sends one may not mean it (RFC 9112 section 6.1).
      this.#reusable &&= persistent;
      this.#chunked = /(?:^|,)[ \t]*chunked[ \t]*$/i.test(coding);
      if (this.#chunked) this.#awaitChunk();
      else this.#untilClosed();
    } else if (length === undefined) this.#untilClosed();
    else if (!LENGTH.test(length)) throw new HttpSyntaxError('it gave its answer no valid length');
    else {
      this.#left = Number(length);
      if (this.#left > 0) this.#step = this.#body;
    }
  }

  #untilClosed(): void {
    this.#open = true;
    this.#reusable = false;
    this.#left = Infinity;
    this.#step = this.#body;
  }

  #body(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + this.#left);
    this.#left -= to - from;
    this.#events.onbody(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
    if (this.#left > 0) return to;
    // More came than was announced, as from servers that count characters for bytes: the length tells nothing then.
    if (!this.#chunked && to < chunk.length && chunk[to]! > 0x20) delete this.#headers?.['content-length'];
    if (this.#chunked) this.#step = this.#chunkEnd;
    else this.#end();
    return to;
  }

  #awaitChunk(): void {
    this.#spent = 0;
    this.#step = this.#chunkSize;
  }

  #chunkSize(chunk: Buffer, from: number): number {
    const line = this.#takeLine(chunk, from);
    if (line === undefined) return chunk.length;
    const [, size] = CHUNK_SIZE.exec(line) ?? [];
    if (size === undefined) throw brokenCoding();
    this.#left = Number.parseInt(size, 16);
    this.#step = this.#left === 0 ? this.#trailer : this.#body;
    return this.#next;
  }

  #chunkEnd(chunk: Buffer, from: number): number {
    if (chunk[from] === CR) this.#step = this.#chunkFeed;
    else this.#chunkFeed(chunk, from);
    return from + 1;
  }

  #chunkFeed(chunk: Buffer, from: number): number {
    if (chunk[from] !== LF) throw brokenCoding();
    this.#awaitChunk();
    return from + 1;
  }

  /** Fields behind a chunked body say nothing that matters here. */
  #trailer(chunk: Buffer, from: number): number {
    const line = this.#takeLine(chunk, from);
    if (line === undefined) return chunk.length;
    if (line === '') this.#end();
    return this.#next;
  }

  #end(): void {
    this.#step = this.#head;
    this.#chunked = false;
    this.#open = false;
    this.#begun = false;
    this.#events.onend(this.#reusable);
  }

  /** Takes a head with its empty line, or an empty line alone, across chunks. */
  #takeHead(chunk: Buffer, from: number): string | undefined {
    const held = this.#held.length;
    // A search in a string costs a fraction of one in a buffer.
    const piece = chunk.toString('latin1', from, Math.min(chunk.length, from + MOST_HEAD - held));
    const tail = this.#tail;
    const text = held === 0 ? piece : tail + piece;
    const end = endOfHead(text, held === tail.length);
    if (end === -1) {
      if (held + piece.length >= MOST_HEAD) throw new HttpSyntaxError('the head of its answer is too large');
      this.#held += piece;
      this.#tail = text.slice(-LONGEST_PART);
      return undefined;
    }
    const own = end - tail.length;
    const head = this.#held + piece.slice(0, own);
    this.#held = this.#tail = '';
    this.#next = from + own;
    return head;
  }

  /** Takes a line, across chunks. Returns it without its end. */
  #takeLine(chunk: Buffer, from: number): string | undefined {
    let end = from;
    while (end < chunk.length && chunk[end] !== LF) end++;
    this.#next = end + 1;
    this.#spent += Math.min(this.#next, chunk.length) - from;
    if (this.#spent > MOST_HEAD) throw new HttpSyntaxError('the coding of its answer is too large');
    this.#held += chunk.toString('latin1', from, end);
    if (end === chunk.length) return undefined;
    const line = withoutCr(this.#held);
    this.#held = '';
    return line;
  }
}

/**
 * Finds the end of a head behind its first empty line. A bare line feed ends lines too (RFC 9112 section 2.2).
 *
 * @param fresh whether the head begins here, so that the first line may be the empty one
 * @returns where what follows begins, or -1
 */
function endOfHead(text: string, fresh: boolean): number {
  if (fresh) {
    if (text.startsWith('\n')) return 1;
    if (text.startsWith('\r\n')) return 2;
  }
  const usual = text.indexOf('\n\r\n');
  // Looks no further than that: behind it may be a large body.
  const bare = usual === -1 || text.lastIndexOf('\n\n', usual) !== -1 ? text.indexOf('\n\n') : -1;
  if (bare !== -1) return bare + 2;
  return usual === -1 ? -1 : usual + 3;
}

/** Reads the fields of a head that is split into lines, the first and the two last of which are none. */
function fieldsIn(lines: readonly string[]): IncomingHttpHeaders {
  // Without a prototype, so that no name means anything but a field.
  const fields: Fields = Object.create(null) as {};
  let name = '';
  let value = '';
  for (let index = 1; index < lines.length - 2; index++) {
    const line = lines[index]!;
    if (isBlank(line.charCodeAt(0))) {
      // A value that goes on in the next line (RFC 9112 section 5.2).
      if (name === '') throw nameless();
      value = `${value} ${valueIn(line, 0)}`;
      continue;
    }
    if (name !== '') add(fields, name, value);
    const colon = line.indexOf(':');
    if (colon === -1) throw nameless();
    name = line.slice(0, colon).toLowerCase();
    if (!TOKEN.test(name)) throw nameless();
    value = valueIn(line, colon + 1);
  }
  if (name !== '') add(fields, name, value);
  return fields as IncomingHttpHeaders;
}

type Fields = Record<string, string | string[]>;

function add(fields: Fields, name: string, value: string): void {
  const before = fields[name];
  // What is set may hold commas of its own.
  if (name === 'set-cookie') fields[name] = before === undefined ? [value] : [...(before as string[]), value];
  else if (before === undefined) fields[name] = value;
  else if (name === 'content-length') {
    if (before !== value) throw new HttpSyntaxError('it gave its answer two lengths');
  } else if (!SINGLE.has(name)) fields[name] = `${before as string}, ${value}`;
}

/** The rest of a line without the blanks around it; bytes beyond ASCII are never blanks. */
function valueIn(line: string, start: number): string {
  let from = start;
  let to = line.length;
  if (line.charCodeAt(to - 1) === CR) to--;
  while (from < to && isBlank(line.charCodeAt(from))) from++;
  while (to > from && isBlank(line.charCodeAt(to - 1))) to--;
  return line.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB;
}

function withoutCr(line: string): string {
  return line.charCodeAt(line.length - 1) === CR ? line.slice(0, -1) : line;
}

function hasOption(connection: string, option: string): boolean {
  return connection.includes(option) && connection.split(',').some((word) => word.trim() === option);
}

function nameless(): HttpSyntaxError {
  return new HttpSyntaxError('a field of its answer has no name');
}

function brokenCoding(): HttpSyntaxError {
  return new HttpSyntaxError('it broke the coding of its answer');
}
