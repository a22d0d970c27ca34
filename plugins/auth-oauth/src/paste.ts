import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ReadStream, WriteStream } from 'node:tty';
import type { Readable, Writable } from 'node:stream';

/** What the user types on and reads. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
  close(): void;
}

const PROMPT = 'Or paste the address that the browser ends up at here: ';

/**
 * Opens the terminal of this process, or returns undefined where there is none. stdin and stdout are the protocol's.
 * Only a user who sees stderr sees the question, too: a client that took stderr over has the terminal for itself.
 */
export function openTerminal(): Terminal | undefined {
  if (!process.stderr.isTTY || process.platform === 'win32') return undefined;
  // Somebody types the protocol by hand: two readers would each get a part.
  if (process.stdin.isTTY && process.stdin.readableFlowing !== null) return undefined;
  try {
    const input = new ReadStream(openSync('/dev/tty', 'r'));
    const output = new WriteStream(openSync('/dev/tty', 'w'));
    return {
      input,
      output,
      close() {
        input.destroy();
        output.destroy();
      },
    };
  } catch {
    return undefined;
  }
}

/** What a pasted address is asked for with. */
export interface PasteOptions {
  readonly terminal: Terminal;
  readonly redirectUri: string;
  isOurs(query: URLSearchParams): boolean;
  /** Takes the query of the address. */
  take(query: URLSearchParams): void;
}

/**
 * Asks on the terminal for the address of the redirect, for browsers that cannot reach this machine. Returns how to
 * stop asking.
 */
export function askForAddress({ terminal, redirectUri, isOurs, take }: PasteOptions): () => void {
  // In its own line discipline a terminal cuts long lines off.
  const lines = createInterface({
    input: terminal.input,
    output: terminal.output,
    terminal: true,
    historySize: 0,
  });
  lines.setPrompt(PROMPT);
  lines.on('line', (line) => {
    const query = queryOf(line.trim(), redirectUri);
    if (query !== undefined && isOurs(query)) return take(query);
    if (line.trim() !== '')
      terminal.output.write(`That is not the address of this sign-in; it begins with ${redirectUri}\n`);
    lines.prompt();
  });
  // The terminal no longer turns the key into the signal by itself.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  lines.prompt();
  return () => {
    lines.close();
    terminal.close();
  };
}

function queryOf(text: string, redirectUri: string): URLSearchParams | undefined {
  if (!URL.canParse(text)) return undefined;
  const { origin, pathname, searchParams } = new URL(text);
  const wanted = new URL(redirectUri);
  return origin === wanted.origin && pathname === wanted.pathname ? searchParams : undefined;
}
