/** What one linear pass over a JSON text tells without building its values. */
export interface Outline {
  /** True when the text is one whole object or array with nothing but blanks around it. */
  readonly complete: boolean;
  /** The first character: `{`, `[`, another one, or an empty string. */
  readonly opening: string;
  /** Raw JSON texts of the top-level members that routing needs; absent members are undefined. */
  readonly id: string | undefined;
  readonly method: string | undefined;
  readonly jsonrpc: string | undefined;
  readonly hasResult: boolean;
  readonly hasError: boolean;
  /** Offsets of the id's JSON text, from the first byte to behind the last one; -1 without an id. */
  readonly idStart: number;
  readonly idEnd: number;
  /** Offset behind the colon of the member `result`; -1 without one. */
  readonly resultStart: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** Short strings end within a few bytes; only behind them the native search is the faster way. */
const NATIVE_SEARCH_AFTER = 24;
/** So many bytes are read at a time, that the copy stays in the processor's cache. */
const WINDOW = 65_536;
/** A member text longer than this is not kept: no id or method needs it, and an attacker could fill memory with it. */
const MAX_CAPTURE = 65_536;

/**
 * Reads the top-level members of a JSON object from chunks cut anywhere. Linear in the bytes, and strings are crossed
 * at the speed of the native search, so a message of many megabytes is routed without being parsed.
 */
export class Outliner {
  #depth = 0;
  #inString = false;
  #oddBackslashes = false;
  #opening = 0;
  #broken = false;
  #finished = false;
  /** Offset in the whole text of the current chunk's first byte. */
  #offset = 0;
  /** True where the next top-level string is a member's name. */
  #expectName = false;
  /** What is being captured: a name, a value, or nothing. */
  #capturing: 'name' | 'value' | undefined;
  #captureStart = 0;
  #captured = '';
  #name = '';
  #id: string | undefined;
  #idStart = -1;
  #idEnd = -1;
  #valueStart = -1;
  #method: string | undefined;
  #jsonrpc: string | undefined;
  #resultStart = -1;
  #hasError = false;

  /** Takes the next bytes of the text. */
  push(bytes: Buffer): void {
    // A search in a string costs less than half of one in a buffer, and latin1 keeps every byte at its offset.
    for (let at = 0; at < bytes.length; at += WINDOW) this.#read(bytes.toString('latin1', at, at + WINDOW));
  }

  #read(chunk: string): void {
    const length = chunk.length;
    let i = 0;
    this.#captureStart = 0;
    while (i < length) {
      if (this.#inString) {
        i = this.#crossString(chunk, i);
        continue;
      }
      const byte = chunk.charCodeAt(i);
      if (byte === QUOTE) this.#openString(i);
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#open(byte);
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#close(chunk, i);
      else if (this.#depth <= 1 && byte > 0x20) this.#plain(chunk, byte, i);
      i++;
    }
    if (this.#capturing !== undefined) this.#keep(chunk, length);
    this.#offset += length;
  }

  /** Tells what was seen so far. */
  outline(): Outline {
    return {
      complete: this.#finished && !this.#broken,
      opening: this.#opening === 0 ? '' : String.fromCharCode(this.#opening),
      id: this.#id,
      method: this.#method,
      jsonrpc: this.#jsonrpc,
      hasResult: this.#resultStart !== -1,
      hasError: this.#hasError,
      idStart: this.#idStart,
      idEnd: this.#idEnd,
      resultStart: this.#resultStart,
    };
  }

  #openString(i: number): void {
    this.#inString = true;
    this.#oddBackslashes = false;
    if (this.#depth === 0) this.#begin(QUOTE);
    if (this.#depth === 1 && this.#expectName) {
      this.#expectName = false;
      this.#name = '';
      this.#capturing = 'name';
      this.#captured = '';
      this.#captureStart = i;
    }
  }

  /** Returns the offset behind the closing quote, or the chunk's length when the string goes on in the next chunk. */
  #crossString(chunk: string, from: number): number {
    const near = Math.min(from + NATIVE_SEARCH_AFTER, chunk.length);
    let i = from;
    let odd = this.#oddBackslashes;
    for (; i < near; i++) {
      const byte = chunk.charCodeAt(i);
      if (odd) odd = false;
      else if (byte === BACKSLASH) odd = true;
      else if (byte === QUOTE) return this.#closeString(chunk, i);
    }
    while (i < chunk.length) {
      const quote = chunk.indexOf('"', i);
      const end = quote === -1 ? chunk.length : quote;
      let run = end;
      while (run > i && chunk.charCodeAt(run - 1) === BACKSLASH) run--;
      odd = ((end - run) & 1) === 1 ? !(odd && run === i) : odd && run === i;
      if (quote === -1) break;
      if (!odd) return this.#closeString(chunk, quote);
      odd = false;
      i = quote + 1;
    }
    this.#oddBackslashes = odd;
    return chunk.length;
  }

  #closeString(chunk: string, quote: number): number {
    this.#inString = false;
    if (this.#capturing === 'name') {
      this.#keep(chunk, quote + 1);
      this.#name = nameOf(this.#captured);
      this.#capturing = undefined;
    }
    return quote + 1;
  }

  #open(byte: number): void {
    if (this.#depth === 0) this.#begin(byte);
    this.#depth++;
    if (this.#depth === 1) this.#expectName = byte === OPEN_BRACE;
  }

  #close(chunk: string, i: number): void {
    if (this.#depth === 1) {
      this.#endValue(chunk, i);
      this.#expectName = false;
      this.#finished = true;
    }
    if (this.#depth === 0) this.#broken = true;
    else this.#depth--;
  }

  #plain(chunk: string, byte: number, i: number): void {
    if (this.#depth === 0) {
      this.#begin(byte);
      this.#broken = true;
    } else if (byte === COLON) this.#beginValue(i + 1);
    else if (byte === COMMA) {
      this.#endValue(chunk, i);
      this.#expectName = this.#opening === OPEN_BRACE;
    }
  }

  #begin(byte: number): void {
    if (this.#opening === 0) this.#opening = byte;
    if (this.#finished) this.#broken = true;
  }

  #beginValue(i: number): void {
    switch (this.#name) {
      case 'result':
        this.#resultStart = this.#offset + i;
        break;
      case 'error':
        this.#hasError = true;
        break;
      case 'id':
      case 'method':
      case 'jsonrpc':
        this.#capturing = 'value';
        this.#captured = '';
        this.#captureStart = i;
        this.#valueStart = this.#offset + i;
    }
  }

  #endValue(chunk: string, i: number): void {
    if (this.#capturing !== 'value') return;
    this.#keep(chunk, i);
    this.#capturing = undefined;
    const text = Buffer.from(this.#captured.trim(), 'latin1').toString('utf8');
    if (this.#name === 'method') this.#method = text;
    else if (this.#name === 'jsonrpc') this.#jsonrpc = text;
    else {
      this.#id = text;
      this.#idStart = this.#valueStart + (this.#captured.length - this.#captured.trimStart().length);
      this.#idEnd = this.#idStart + this.#captured.trim().length;
    }
  }

  #keep(chunk: string, end: number): void {
    this.#captured += chunk.slice(this.#captureStart, end);
    if (this.#captured.length > MAX_CAPTURE) this.#capturing = undefined;
  }
}

/** Reads the outline of one whole JSON text, in one or more pieces. */
export function outlineOf(text: Buffer | readonly Buffer[]): Outline {
  const outliner = new Outliner();
  for (const piece of Buffer.isBuffer(text) ? [text] : text) outliner.push(piece);
  return outliner.outline();
}

function nameOf(text: string): string {
  if (!text.includes('\\')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    return '';
  }
}
