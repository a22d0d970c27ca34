const BOM = Buffer.from('\ufeff');
const NOTHING = Buffer.alloc(0);

/** Takes the byte order mark off a stream that begins with one, as every fetch does, wherever its bytes are cut. */
export class BomFilter {
  /** The first bytes, for as long as they may be the beginning of the mark. */
  #head: Buffer | undefined = NOTHING;

  /** Takes the next bytes. Returns those that are content for sure. */
  push(chunk: Buffer): Buffer {
    if (this.#head === undefined) return chunk;
    const head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    if (head.length < BOM.length && BOM.subarray(0, head.length).equals(head)) {
      this.#head = head;
      return NOTHING;
    }
    this.#head = undefined;
    return head.subarray(0, BOM.length).equals(BOM) ? head.subarray(BOM.length) : head;
  }
}
