import type { Writable } from 'node:stream';
import type { Line } from './envelope.js';
import { Outliner, type Outline } from './scan.js';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BOM = Buffer.from('\ufeff');

const NOTHING = Buffer.alloc(0);

/** So many bytes leave at once, even if more come in the same turn, which may bring megabytes: or the reader would idle. */
const ENOUGH = 32_768;
/** Short pieces are copied together into blocks of this many bytes: cheaper than to hand the kernel a long list. */
const BLOCK = 65_536;
/** Longer pieces are not copied. */
const LONG = 16_384;

/** What a {@link LineSplitter} is told at creation. */
export interface LineSplitterOptions {
  /** Longest line in bytes that is kept. */
  readonly maxLength: number;
  /**
   * Takes one line without its line ending. A returned promise asks the source to pause until it settles.
   *
   * @param ended false for a last line that no newline ends, which may have been cut
   */
  online(line: Buffer, ended: boolean): void | Promise<void>;
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
    void this.#finish(NOTHING, false);
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

  #finish(last: Buffer, ended = true): Promise<void> | undefined {
    if (this.#parts.length > 0 || this.#oversize !== undefined || last.length > this.#options.maxLength) {
      this.#keep(last);
      if (this.#oversize !== undefined) return this.#dropOversize(this.#oversize);
      last = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#length);
      this.#parts = [];
    }
    this.#length = 0;
    const line = this.#trim(last);
    if (line.length === 0 || isBlank(line)) return undefined;
    return this.#options.online(line, ended) ?? undefined;
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
  readonly #window: number;
  /** What waits to be handed to the stream, but for the end of it, which lies in the block. */
  #waiting: Buffer[] = [];
  /** Where short pieces are copied together. What was handed over is never written to again. */
  #block = NOTHING;
  /** Bytes of the block that were handed over, or are about to be. */
  #closed = 0;
  #used = 0;
  /** Bytes that wait to be handed to the stream. */
  #queued = 0;
  #blocked: Promise<void> | undefined;
  #release: (() => void) | undefined;
  readonly #flush = (): void => this.flush();
  readonly #onwritten = (): void => {
    if (this.#stream.writableLength <= this.#window / 2) this.#release?.();
  };

  /** @param window how many bytes may wait for the reader before it counts as lagging behind */
  constructor(stream: Writable, window = 0) {
    this.#stream = stream;
    this.#window = window;
  }

  /** Writes one line, whole or in pieces. A returned promise settles when the reader has caught up. */
  write(line: Line): Promise<void> | undefined {
    if (this.#queued === 0) setImmediate(this.#flush);
    if (Buffer.isBuffer(line)) this.#add(line);
    else for (const piece of line) this.#add(piece);
    if (this.#used === this.#block.length) this.#makeRoom();
    this.#block[this.#used++] = NEWLINE;
    if (++this.#queued >= ENOUGH) this.flush();
    return this.#blocked;
  }

  /** The promise of the last unfinished wait, or undefined while the reader keeps up. */
  get blocked(): Promise<void> | undefined {
    return this.#blocked;
  }

  /** Hands all waiting lines to the stream now. */
  flush(): void {
    if (this.#queued === 0) return;
    this.#close();
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#queued = 0;
    const stream = this.#stream;
    if (stream.destroyed || stream.writableEnded) return;
    let room = true;
    if (waiting.length > 1) stream.cork();
    for (const block of waiting) room = stream.write(block, this.#onwritten);
    if (waiting.length > 1) stream.uncork();
    if (!room && stream.writableLength > this.#window) this.#blocked ??= this.#drained();
  }

  #add(piece: Buffer): void {
    const { length } = piece;
    this.#queued += length;
    if (length > LONG) {
      this.#close();
      this.#waiting.push(piece);
      return;
    }
    if (this.#used + length > this.#block.length) this.#makeRoom();
    this.#block.set(piece, this.#used);
    this.#used += length;
  }

  #makeRoom(): void {
    this.#close();
    this.#block = Buffer.allocUnsafeSlow(BLOCK);
    this.#closed = this.#used = 0;
  }

  /** Lets what is in the block wait as a piece of its own. */
  #close(): void {
    if (this.#used === this.#closed) return;
    this.#waiting.push(this.#block.subarray(this.#closed, this.#used));
    this.#closed = this.#used;
  }

  async #drained(): Promise<void> {
    const stream = this.#stream;
    await new Promise<void>((resolve) => {
      this.#release = resolve;
      stream.once('close', resolve);
    });
    stream.off('close', this.#release!);
    this.#release = this.#blocked = undefined;
  }
}
