import type { Writable } from 'node:stream';
import { Outliner, type Outline } from './scan.js';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NEWLINE_BYTES = Buffer.from('\n');
const BOM = Buffer.from('\ufeff');

/** Up to this many bytes one copy is cheaper than handing the kernel a list. */
const COPY_LIMIT = 65_536;

/** What a {@link LineSplitter} is told at creation. */
export interface LineSplitterOptions {
  /** Longest line in bytes that is kept. */
  readonly maxLength: number;
  /** Takes one line without its line ending. A returned promise asks the source to pause until it settles. */
  online(line: Buffer): void | Promise<void>;
  /** Told once a line above the limit has passed, with what its top level says; its bytes are gone. */
  onoversize(outline: Outline, length: number): void;
}

/**
 * Splits a byte stream into lines, linear in the bytes however they are cut. A byte order mark, CRLF and blank
 * lines are tolerated. A line above the limit is outlined and dropped, never kept in memory
 * (MCP basic/transports, stdio: one message per line).
 */
export class LineSplitter {
  readonly #options: LineSplitterOptions;
  #parts: Buffer[] = [];
  #length = 0;
  #oversize: Outliner | undefined;
  #started = false;

  constructor(options: LineSplitterOptions) {
    this.#options = options;
  }

  /** Takes the next bytes. The promise, where there is one, settles when more are welcome. */
  push(chunk: Buffer): Promise<void> | undefined {
    let wait: Promise<void> | undefined;
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      wait = this.#finish(chunk.subarray(start, end)) ?? wait;
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(start === 0 ? chunk : chunk.subarray(start));
    return wait;
  }

  /** Ends the stream: a last line without a newline is a line too. */
  end(): void {
    void this.#finish(Buffer.alloc(0));
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#oversize !== undefined) this.#oversize.push(part);
    else {
      this.#parts.push(part);
      if (this.#length > this.#options.maxLength) this.#overflow();
    }
  }

  #overflow(): void {
    this.#oversize = new Outliner();
    for (const part of this.#parts) this.#oversize.push(part);
    this.#parts = [];
  }

  #finish(last: Buffer): Promise<void> | undefined {
    if (this.#parts.length > 0 || this.#oversize !== undefined || last.length > this.#options.maxLength) {
      this.#keep(last);
      if (this.#oversize !== undefined) return this.#dropOversize(this.#oversize);
      last = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#length);
      this.#parts = [];
    }
    this.#length = 0;
    const line = this.#trim(last);
    if (line.length === 0 || isBlank(line)) return undefined;
    return this.#options.online(line) ?? undefined;
  }

  #dropOversize(outliner: Outliner): undefined {
    const length = this.#length;
    this.#oversize = undefined;
    this.#length = 0;
    this.#options.onoversize(outliner.outline(), length);
  }

  #trim(line: Buffer): Buffer {
    if (line[line.length - 1] === CARRIAGE_RETURN) line = line.subarray(0, -1);
    if (this.#started) return line;
    this.#started = true;
    return line.subarray(0, BOM.length).equals(BOM) ? line.subarray(BOM.length) : line;
  }
}

function isBlank(line: Buffer): boolean {
  return line[0]! <= 0x20 && line.every((byte) => byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN);
}

/**
 * Writes lines to a stream, all that came in one turn of the event loop with one call of the system: under load that
 * is what a bridge spends most of its time on. Whoever writes is told when the reader lags behind.
 */
export class LineWriter {
  readonly #stream: Writable;
  #queue: Buffer[] = [];
  #length = 0;
  #blocked: Promise<void> | undefined;
  readonly #flush = (): void => this.flush();

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Writes one line, whole or in pieces. A returned promise settles when the reader has caught up. */
  write(line: Buffer | readonly Buffer[]): Promise<void> | undefined {
    if (this.#queue.length === 0) setImmediate(this.#flush);
    for (const piece of Buffer.isBuffer(line) ? [line] : line) this.#add(piece);
    this.#add(NEWLINE_BYTES);
    return this.#blocked;
  }

  /** The promise of the last unfinished wait, or undefined while the reader keeps up. */
  get blocked(): Promise<void> | undefined {
    return this.#blocked;
  }

  /** Hands all waiting lines to the stream now. */
  flush(): void {
    const queue = this.#queue;
    if (queue.length === 0) return;
    const length = this.#length;
    this.#queue = [];
    this.#length = 0;
    const stream = this.#stream;
    if (stream.destroyed || stream.writableEnded) return;
    let room = true;
    if (length <= COPY_LIMIT) room = stream.write(Buffer.concat(queue, length));
    else {
      stream.cork();
      for (const part of queue) room = stream.write(part);
      stream.uncork();
    }
    if (!room) this.#blocked ??= this.#drained();
  }

  #add(piece: Buffer): void {
    this.#queue.push(piece);
    this.#length += piece.length;
  }

  async #drained(): Promise<void> {
    const stream = this.#stream;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        stream.off('close', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
    });
    this.#blocked = undefined;
  }
}
