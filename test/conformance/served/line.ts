import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { mcpConnect, type Message } from '../../e2e/proxy-process.js';

/** A mcp-connect whose lines are handed over as they come. */
export class Line {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(args: readonly string[], onmessage: (text: string, message: Message) => void) {
    const { command, args: words, env } = mcpConnect(['proxy', ...args]);
    this.#child = spawn(command, words, { env, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#closed = once(this.#child, 'close');
    // Told by the end of its output, where it has ended too soon.
    this.#child.stdin!.on('error', () => undefined);
    createInterface({ input: this.#child.stdout!, crlfDelay: Infinity }).on('line', (text) =>
      onmessage(text, JSON.parse(text) as Message),
    );
  }

  /** Hands over a message, in one line. */
  write(text: string): void {
    this.#child.stdin!.write(`${text.replaceAll(/[\r\n]/g, ' ')}\n`);
  }

  /** Hangs up and waits for the end. */
  async close(): Promise<void> {
    this.#child.stdin!.end();
    await this.#closed;
  }
}
