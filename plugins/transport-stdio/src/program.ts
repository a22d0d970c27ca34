import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import {
  ConnectorError,
  endGroup,
  LineChannel,
  LineSplitter,
  reasonOf,
  writeLossy,
  type Envelope,
  type Log,
  type Transport,
  type TransportContext,
} from '@mcp-connect/core';
import spawn from 'cross-spawn';
import { wordsOf, type Surroundings } from './command.js';

/** How long a program may take for each step of its end, in milliseconds (MCP basic/lifecycle, Shutdown). */
const PATIENCE = 2_000;

/** A longer line of a program's stderr is left out, in bytes. */
const LONGEST_STDERR_LINE = 1_048_576;

/** How much of its stderr an error about a program's end shows, in characters. */
const TAIL = 4_096;

/** How a program is run. */
export interface ProgramOptions extends Surroundings {
  /** Gets the program's stderr, line by line and redacted. */
  readonly stderr: Writable;
  /** Milliseconds for each step of its end; two seconds where not given. */
  readonly patience?: number;
  /** Holds, for as long as the program may run, what ends it at once and by force. */
  readonly running?: Set<() => void>;
}

/**
 * Starts the program of an endpoint and speaks to it over its stdin and stdout (MCP basic/transports, stdio).
 *
 * @throws ConnectorError `MCPC_CONNECT` when the system cannot start it
 */
export async function startProgram(context: TransportContext, options: ProgramOptions): Promise<Transport> {
  const [command, ...args] = wordsOf(context.endpoint);
  return new Program(await spawned(command, args, options), context, options);
}

/** A running program as a transport. However it comes to its end, nothing that it started outlives it. */
class Program implements Transport {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #context: TransportContext;
  readonly #patience: number;
  readonly #channel: LineChannel;
  /** Settles when the program has exited. */
  readonly #exit: Promise<void>;
  /** Settles when the program has exited, its group is gone and all that it wrote is handed over. */
  readonly #finished: Promise<void>;
  readonly #tail: () => string;
  readonly #running: Set<() => void> | undefined;
  /** Sends its signals within this very turn, which may be the last one. */
  readonly #kill = (): void => void endGroup(this.#child, 0);
  /** True when the program exited before we signalled anyone. */
  #byItself = false;
  #asked = false;
  #ending: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(child: ChildProcessWithoutNullStreams, context: TransportContext, options: ProgramOptions) {
    this.#child = child;
    this.#context = context;
    this.#patience = options.patience ?? PATIENCE;
    this.#running = options.running;
    this.#running?.add(this.#kill);
    this.#channel = new LineChannel({ input: child.stdout, output: child.stdin, context });
    this.#tail = passOn(child.stderr, options.stderr, context.log);
    this.#exit = new Promise((resolve) => child.once('exit', () => resolve()));
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    this.#finished = this.#follow(closed);
    // When either pipe has gone, no request can be answered any more.
    child.stdin.on('error', () => void this.#stop());
    void this.#channel.ended.then(() => this.#stop());
  }

  send(envelope: Envelope): void {
    this.#channel.send(envelope);
  }

  drain(): Promise<void> | undefined {
    return this.#channel.drain();
  }

  close(): Promise<void> {
    this.#asked = true;
    return this.#stop();
  }

  async #follow(closed: Promise<void>): Promise<void> {
    await this.#exit;
    this.#byItself = this.#ending === undefined;
    // What the program leaves behind goes with it; only then do the pipes end for sure.
    await this.#endGroup();
    await within(closed, this.#patience);
    this.#release();
  }

  #stop(): Promise<void> {
    return (this.#stopping ??= this.#descend());
  }

  /** Takes the ladder: end of input, SIGTERM, SIGKILL (MCP basic/lifecycle, Shutdown). */
  async #descend(): Promise<void> {
    this.#channel.flush();
    this.#child.stdin.end();
    await within(Promise.race([this.#exit, aborted(this.#context.hurry)]), this.#patience);
    await this.#endGroup();
    // A program that runs as another user may not be signalled; it must not hold us up.
    await within(this.#finished, this.#patience);
    this.#release();
  }

  #endGroup(): Promise<void> {
    return (this.#ending ??= endGroup(this.#child, this.#patience, this.#context.hurry));
  }

  #release(): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const pipe of [stdin, stdout, stderr]) pipe.destroy();
    this.#child.unref();
    this.#running?.delete(this.#kill);
    this.#channel.close(this.#asked ? undefined : this.#lost());
  }

  #lost(): ConnectorError {
    const { exitCode, signalCode } = this.#child;
    const how = signalCode === null ? `exited with code ${exitCode}` : `was ended by ${signalCode}`;
    const what = this.#byItself ? how : 'closed its stdin or stdout and was ended for it';
    const tail = this.#tail();
    const words = tail === '' ? '' : `. The end of its stderr:\n${tail}`;
    return new ConnectorError('MCPC_CONNECTION_LOST', `${this.#context.endpoint.label} ${what}${words}`, {
      hint: 'Run the command by itself to see why it stops',
      delivered: 'unknown',
    });
  }
}

async function spawned(
  command: string,
  args: string[],
  { cwd, env }: Surroundings,
): Promise<ChildProcessWithoutNullStreams> {
  try {
    // A group of its own lets us signal all that the program starts, and keeps a terminal's Ctrl-C from it.
    const detached = process.platform !== 'win32';
    const child = spawn(command, args, { cwd, env, detached, windowsHide: true, stdio: 'pipe' });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    return child as ChildProcessWithoutNullStreams;
  } catch (cause) {
    throw new ConnectorError('MCPC_CONNECT', `The program ${command} cannot be started: ${reasonOf(cause)}`, {
      cause,
      hint: 'Check that the program exists, that it may be run, and its --stdio-cwd',
    });
  }
}

/** Passes a program's stderr on; what it writes there is no sign of failure. Returns how to read the end of it. */
function passOn(source: Readable, target: Writable, log: Log): () => string {
  let tail = '';
  const splitter = new LineSplitter({
    maxLength: LONGEST_STDERR_LINE,
    online(line) {
      const text = `${log.redact(line.toString())}\n`;
      tail = (tail + text).slice(-TAIL);
      writeLossy(target, text);
    },
    onoversize: (_, length) => log.warn?.('left out a line of %d bytes on stderr', length),
  });
  source.on('data', (chunk: Buffer) => void splitter.push(chunk));
  source.on('end', () => splitter.end());
  return () => tail.trimEnd();
}

/** Settles when a signal aborts; never without one. */
function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Waits for `event`, but no longer than `patience` milliseconds. */
async function within(event: Promise<void>, patience: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([event, new Promise((resolve) => (timer = setTimeout(resolve, patience)))]);
  clearTimeout(timer);
}
