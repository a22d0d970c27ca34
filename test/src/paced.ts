import type { Writable } from 'node:stream';

/** Writes to a stream and says when it has room again, with one pair of listeners however many wait. */
export class PacedWriter {
  readonly #stream: Writable;
  #full: Promise<void> | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Writes bytes. A returned promise settles when the stream has room, or is gone. */
  write(bytes: string | Buffer): Promise<void> | undefined {
    if (this.#stream.destroyed) return undefined;
    if (!this.#stream.write(bytes)) this.#full ??= this.#drained();
    return this.#full;
  }

  async #drained(): Promise<void> {
    const stream = this.#stream;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off('drain', done).off('close', done);
        resolve();
      };
      stream.on('drain', done).on('close', done);
    });
    this.#full = undefined;
  }
}
