const NEWLINE = 0x0a;

/** Bytes of a line that are kept. */
const HEAD = 512;

/** Takes a line: its first bytes and its whole length. */
export type OnLine = (head: Buffer, length: number) => void;

/** Splits a stream into lines and keeps no more of them than the bench needs, so that the client is never the slowest part. */
export class LineCounter {
  readonly #online: OnLine;
  #head: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(online: OnLine) {
    this.#online = online;
  }

  /** Takes the next bytes. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#take(chunk.subarray(start, end));
      this.end();
      start = end + 1;
    }
    if (start < chunk.length) this.#take(chunk.subarray(start));
  }

  /** Ends the line that is under way. */
  end(): void {
    const head = this.#head;
    const length = this.#length;
    this.#head = Buffer.alloc(0);
    this.#length = 0;
    if (length > 0) this.#online(head, length);
  }

  #take(part: Buffer): void {
    if (this.#length === 0) this.#head = part.subarray(0, HEAD);
    else if (this.#length < HEAD)
      this.#head = Buffer.concat([this.#head, part.subarray(0, HEAD - this.#length)]);
    this.#length += part.length;
  }
}
