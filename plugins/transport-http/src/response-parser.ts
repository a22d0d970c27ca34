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

/** Most bytes that the head of a response, a line of chunked coding or its trailers may have. */
const MOST_HEAD = 65_536;
const CR = 0x0d;
const NOTHING = Buffer.alloc(0);
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: |$)/;
/** Names of fields are tokens (RFC 9110 section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LENGTH = /^\d{1,15}$/;
const CHUNK_SIZE = /^([0-9a-fA-F]{1,12})[ \t]*(?:;|$)/;
/** Fields that hold one value, of which the first counts, as in `node:http`. */
const SINGLE = new Set(['content-type', 'location', 'retry-after', 'last-modified', 'server', 'etag', 'age']);
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
  /** The beginning of a head or line whose end has not come yet. */
  #held: Buffer = NOTHING;
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
    return !this.#begun && this.#held.length === 0;
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
    else if (this.#begun || this.#held.length > 0) throw new HttpSyntaxError('the response was cut');
  }

  #head(chunk: Buffer, from: number): number {
    const end = this.#take(chunk, from, endOfHead);
    if (end === undefined) return chunk.length;
    const { text, at } = end;
    // Servers may end a line too many behind the response before (RFC 9112 section 2.2 tells the same of requests).
    if (text === '') return at;
    this.#begin(text);
    return at;
  }

  #begin(text: string): void {
    const lines = text.split('\n');
    const [, minor, digits] = STATUS_LINE.exec(withoutCr(lines[0]!)) ?? [];
    if (digits === undefined) throw new HttpSyntaxError('it answered something that is no HTTP/1.1');
    const status = Number(digits);
    const headers = fieldsIn(lines);
    // What comes before the response itself; nothing here asks for another protocol.
    if (status === 101) throw new HttpSyntaxError('it switched to another protocol');
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
      this.#chunked = /(?:^|,)[ \t]*chunked[ \t]*$/i.test(coding);
      if (this.#chunked) this.#step = this.#chunkSize;
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

  #chunkSize(chunk: Buffer, from: number): number {
    const end = this.#take(chunk, from, endOfLine);
    if (end === undefined) return chunk.length;
    const [, size] = CHUNK_SIZE.exec(end.text) ?? [];
    if (size === undefined) throw new HttpSyntaxError('it broke the coding of its answer');
    this.#left = Number.parseInt(size, 16);
    this.#step = this.#left === 0 ? this.#trailer : this.#body;
    return end.at;
  }

  #chunkEnd(chunk: Buffer, from: number): number {
    const end = this.#take(chunk, from, endOfLine);
    if (end === undefined) return chunk.length;
    if (end.text !== '') throw new HttpSyntaxError('it broke the coding of its answer');
    this.#step = this.#chunkSize;
    return end.at;
  }

  /** Fields behind a chunked body say nothing that matters here. */
  #trailer(chunk: Buffer, from: number): number {
    const end = this.#take(chunk, from, endOfLine);
    if (end === undefined) return chunk.length;
    if (end.text === '') this.#end();
    return end.at;
  }

  #end(): void {
    this.#step = this.#head;
    this.#chunked = false;
    this.#open = false;
    this.#begun = false;
    this.#events.onend(this.#reusable);
  }

  /** Takes text up to its end, across chunks. Returns it without its end, and where what follows begins. */
  #take(
    chunk: Buffer,
    from: number,
    find: (text: string, from: number) => readonly [end: number, next: number] | undefined,
  ): { readonly text: string; readonly at: number } | undefined {
    const held = this.#held.length;
    const bytes = held === 0 ? chunk : Buffer.concat([this.#held, chunk.subarray(from)]);
    const start = held === 0 ? from : 0;
    // latin1 keeps every byte at its offset, and a search in a string costs a fraction of one in a buffer.
    const text = bytes.toString('latin1', start, Math.min(bytes.length, start + MOST_HEAD));
    // What was searched before holds no end, but may hold the beginning of one.
    const found = find(text, Math.max(0, held - 3));
    if (found === undefined) {
      if (text.length >= MOST_HEAD) throw new HttpSyntaxError('the head of its answer is too large');
      // A copy: the chunk may be as large as the pool that it comes from.
      this.#held = held === 0 ? Buffer.from(bytes.subarray(start)) : bytes;
      return undefined;
    }
    this.#held = NOTHING;
    const [end, next] = found;
    return { text: text.slice(0, end), at: held === 0 ? from + next : from + next - held };
  }
}

/** A head ends at its first empty line; an empty line alone is an empty head. */
function endOfHead(text: string, from: number): readonly [number, number] | undefined {
  if (text.startsWith('\r\n')) return [0, 2];
  if (text.startsWith('\n')) return [0, 1];
  const usual = text.indexOf('\r\n\r\n', from);
  if (usual !== -1) return [usual, usual + 4];
  // A bare line feed ends lines too (RFC 9112 section 2.2).
  const match = /\n\r?\n/.exec(from === 0 ? text : text.slice(from));
  return match === null ? undefined : [from + match.index, from + match.index + match[0].length];
}

function endOfLine(text: string, from: number): readonly [number, number] | undefined {
  const end = text.indexOf('\n', from);
  if (end === -1) return undefined;
  return [end > 0 && text.charCodeAt(end - 1) === CR ? end - 1 : end, end + 1];
}

function fieldsIn(lines: readonly string[]): IncomingHttpHeaders {
  // Without a prototype, so that no name means anything but a field.
  const fields: Record<string, string> = Object.create(null) as {};
  let last = '';
  for (let index = 1; index < lines.length; index++) {
    const line = withoutCr(lines[index]!);
    const first = line.charCodeAt(0);
    if (first === 0x20 || first === 0x09) {
      // A value that goes on in the next line (RFC 9112 section 5.2).
      if (last === '') throw new HttpSyntaxError('a field of its answer has no name');
      fields[last] += ` ${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon === -1 || !TOKEN.test(name)) throw new HttpSyntaxError('a field of its answer has no name');
    last = name;
    add(fields, name, line.slice(colon + 1).trim());
  }
  return fields;
}

function add(fields: Record<string, string>, name: string, value: string): void {
  const before = fields[name];
  if (before === undefined) fields[name] = value;
  else if (name === 'content-length') {
    if (before !== value) throw new HttpSyntaxError('it gave its answer two lengths');
  } else if (!SINGLE.has(name)) fields[name] = `${before}, ${value}`;
}

function withoutCr(line: string): string {
  return line.charCodeAt(line.length - 1) === CR ? line.slice(0, -1) : line;
}

function hasOption(connection: string, option: string): boolean {
  return connection === option || connection.split(',').some((word) => word.trim() === option);
}
