import type { WriteStream } from 'node:tty';

/** Prints a conversation, a line for each request: what was asked, what came back, how long it took. */
export class Conversation {
  readonly #stream: WriteStream;
  readonly #colour: boolean;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    this.#colour = stream.isTTY && process.env['NO_COLOR'] === undefined;
  }

  /** Prints a heading. */
  title(text: string): void {
    this.#stream.write(`\n  ${this.#paint(1, text)}\n`);
  }

  /** Prints a remark, and an empty line below it. */
  note(text: string): void {
    this.#stream.write(`  ${this.#paint(2, `$ ${text}`)}\n\n`);
  }

  /** Runs one request and prints it with its answer and its time. */
  async line(request: string, run: () => Promise<string>): Promise<void> {
    const startedAt = performance.now();
    const answer = await run();
    const ms = (performance.now() - startedAt).toFixed(1);
    this.#stream.write(
      `  ${this.#paint(36, request.padEnd(24))} ${this.#paint(2, `${ms.padStart(7)} ms`)}  ${answer}\n`,
    );
  }

  /** Prints what came in while a request was on its way. */
  aside(what: string, text: string): void {
    this.#stream.write(
      `  ${this.#paint(33, `  · ${what}`.padEnd(24))} ${''.padStart(10)}  ${this.#paint(2, text)}\n`,
    );
  }

  #paint(code: number, text: string): string {
    return this.#colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}
