import type { ChildProcess } from 'node:child_process';
import { ConnectorError, reasonOf, type ErrorCode } from './errors.js';
import { endGroup } from './group.js';
import type { Log } from './log.js';

/** More on its stdout is nothing that a program would be asked for, in characters. */
const LONGEST_OUTPUT = 65_536;

/** How much of its stderr an error about a program shows, in characters. */
const TAIL = 500;

/** How a program is run for what it prints. */
export interface RunOptions {
  /** Where the program was named, for messages: a flag's name with its dashes. */
  readonly source: string;
  /** The code of the error when it fails. */
  readonly code: ErrorCode;
  /** Milliseconds until it is ended by force. */
  readonly timeout: number;
  readonly log: Log;
}

/**
 * Runs a program to its end and returns what it printed on stdout. It gets our environment and an empty stdin, and
 * ends with us at the latest.
 *
 * @param words program and arguments; no shell takes part
 * @throws ConnectorError with the code of the options when the program cannot be started, fails or takes too long; it
 *   shows the end of the program's stderr, but nothing of its stdout
 */
export async function outputOf(words: readonly string[], options: RunOptions): Promise<string> {
  const { source, code, timeout, log } = options;
  const said: Said = { stdout: '', stderr: '' };
  try {
    const child = await started(words);
    await ended(child, { said, timeout });
    return said.stdout;
  } catch (cause) {
    const stderr = log.redact(said.stderr.trim());
    const shown = stderr === '' ? '' : `. The end of its stderr: ${stderr}`;
    throw new ConnectorError(code, `The command of ${source} failed: ${reasonOf(cause)}${shown}`, {
      cause,
      hint: 'Run the command by itself to see what is wrong with it',
    });
  }
}

/** What a program has printed so far. */
interface Said {
  stdout: string;
  stderr: string;
}

async function started([program = '', ...args]: readonly string[]): Promise<ChildProcess> {
  const { default: spawn } = await import('cross-spawn');
  // A group of its own lets us end all that the program starts.
  const detached = process.platform !== 'win32';
  return spawn(program, args, { detached, windowsHide: true, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(
  child: ChildProcess,
  { said, timeout }: { readonly said: Said; readonly timeout: number },
): Promise<void> {
  const kill = (): void => void endGroup(child, 0);
  process.once('exit', kill);
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(resolve, timeout);
      child.once('error', reject).once('close', () => resolve());
      child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        said.stdout += text;
        if (said.stdout.length > LONGEST_OUTPUT) reject(new Error('it printed more than 64 KiB'));
      });
      child
        .stderr!.setEncoding('utf8')
        .on('data', (text: string) => (said.stderr = (said.stderr + text).slice(-TAIL)));
    });
    const { exitCode, signalCode } = child;
    // What it left running in the background may keep its stdout open; then its exit is its end.
    if (exitCode === 0) return;
    if (signalCode !== null) throw new Error(`it was ended by ${signalCode}`);
    throw new Error(
      exitCode === null ? `it took longer than ${timeout / 1000} s` : `it exited with code ${exitCode}`,
    );
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
    if (child.exitCode === null && child.signalCode === null) kill();
    child.stdout!.destroy();
    child.stderr!.destroy();
  }
}
