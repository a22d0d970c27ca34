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
  const [program = '', ...args] = words;
  const { default: spawn } = await import('cross-spawn');
  const detached = process.platform !== 'win32';
  const child = spawn(program, args, { detached, windowsHide: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let stderr = '';
  let end = (): void => undefined;
  const kill = (): void => void endGroup(child, 0);
  process.once('exit', kill);
  const timer = setTimeout(() => end(), timeout);
  try {
    const late = await new Promise<boolean>((resolve, reject) => {
      end = () => resolve(true);
      child.once('error', reject).once('close', () => resolve(false));
      child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.length > LONGEST_OUTPUT) reject(new Error('it printed more than 64 KiB'));
      });
      child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-TAIL)));
    });
    // What it left running in the background may keep its stdout open; then its exit is its end.
    if (child.exitCode === 0) return output;
    throw new Error(
      late && child.exitCode === null ? `it took longer than ${timeout / 1000} s` : exitOf(child),
    );
  } catch (cause) {
    const said = log.redact(stderr.trim());
    const shown = said === '' ? '' : `. The end of its stderr: ${said}`;
    throw new ConnectorError(code, `The command of ${source} failed: ${reasonOf(cause)}${shown}`, {
      cause,
      hint: 'Run the command by itself to see what is wrong with it',
    });
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
    if (child.exitCode === null && child.signalCode === null) kill();
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

function exitOf({ exitCode, signalCode }: { exitCode: number | null; signalCode: string | null }): string {
  return signalCode === null ? `it exited with code ${exitCode}` : `it was ended by ${signalCode}`;
}
