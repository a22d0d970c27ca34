import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';

/** How long the screen may take to show what is expected, in milliseconds. */
const PATIENCE = 5_000;

/** How many characters fit on a screen. */
export interface TerminalSize {
  readonly columns?: number;
  readonly rows?: number;
}

/** A shell in a terminal of its own, kept by tmux. */
export class Terminal {
  readonly #socket = `mcp-connect-${randomUUID()}`;

  constructor(
    command: string,
    env: Readonly<Record<string, string>>,
    { columns = 220, rows = 60 }: TerminalSize = {},
  ) {
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    this.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      `${columns}`,
      '-y',
      `${rows}`,
      ...variables,
      command,
    );
  }

  /** Types text as it is. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  /** Presses keys by their names, such as `Tab`. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Waits until the screen shows this, and returns it. Nothing tells when a terminal has been written to. */
  async shows(expected: RegExp): Promise<string> {
    for (const end = Date.now() + PATIENCE; ; await pause(30)) {
      const screen = this.#tmux('capture-pane', '-p', '-J');
      if (expected.test(screen)) return screen;
      if (Date.now() > end) throw new Error(`${expected} is not on the screen:\n${screen.trimEnd()}`);
    }
  }

  close(): void {
    this.#tmux('kill-server');
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
  }
}
