import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { LineSplitter } from '@mcp-connect/core';
import type { PeerMessage } from '@mcp-connect/testing';
import type { Command } from './subjects.js';

/** Longest line that is taken, in bytes. */
const LONGEST_LINE = 256 * 1024 * 1024;

/** How much of a line that is no message is shown. */
const SHOWN = 80;

/** An id as raw messages have it: `null` is that of an unreadable one. */
export type Id = string | number | null;

/** An id of JSON-RPC as it stands on the wire: `1` and `"1"` are two. */
type Key = string;

/** What is kept of a message that answers nothing. */
export interface Heard {
  readonly method: string;
  readonly id: Id | undefined;
  /** `params.n`, by which rows number their messages. */
  readonly n: unknown;
}

/** How a subject ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A client without any MCP library, whose server is a subject in a process of its own. */
export class RawClient {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers = new Map<Key, PeerMessage[]>();
  readonly #waiting = new Set<() => void>();
  readonly #excused = new Set<Key>();
  readonly #asked: Key[] = [];
  /** Notifications and requests of the server, in order. */
  readonly heard: Heard[] = [];
  /** Lines of its stdout that are no messages. */
  readonly strays: string[] = [];
  /** Settles when the subject has ended and its output is read. */
  readonly exit: Promise<Exit>;
  #exited: Exit | undefined;
  #stderr = '';

  constructor({ program, args, env }: Command) {
    this.#child = spawn(program, args, { env, stdio: 'pipe' });
    const splitter = new LineSplitter({
      maxLength: LONGEST_LINE,
      online: (line) => this.#read(line.toString()),
      onoversize: (_, length) => void this.strays.push(`a line of ${length} bytes`),
    });
    this.#child.stdout.on('data', (chunk: Buffer) => void splitter.push(chunk));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4096);
    });
    // A subject that ends breaks its pipe; its exit tells of it.
    this.#child.stdin.on('error', () => undefined);
    this.exit = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#exited = { code, signal };
        this.#look();
        resolve(this.#exited);
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** How it ended; undefined while it runs. */
  get exited(): Exit | undefined {
    return this.#exited;
  }

  /** The end of its stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Writes bytes as they are. */
  write(bytes: string | Buffer): void {
    this.#child.stdin.write(bytes);
  }

  /** Writes a message, and expects one answer if it is a request. */
  send(message: PeerMessage): void {
    if (message.method !== undefined && message.id !== undefined) this.expect(message.id);
    this.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  /** From now on this id must be answered exactly once. */
  expect(id: Id): void {
    this.#asked.push(JSON.stringify(id));
  }

  /** This id may be answered, though it stands under no request. */
  allow(id: Id): void {
    this.#asked.push(JSON.stringify(id));
    this.excuse(id);
  }

  /** An id that need not be answered any more, since its request was cancelled. */
  excuse(id: Id): void {
    this.#excused.add(JSON.stringify(id));
  }

  /** The answers under an id so far. */
  answersTo(id: Id): readonly PeerMessage[] {
    return this.#answers.get(JSON.stringify(id)) ?? [];
  }

  /** Returns the first answer to a request. Rejects when it does not come in time. */
  async answer(id: Id, within: number): Promise<PeerMessage> {
    const key = JSON.stringify(id);
    await this.until(() => this.#answers.has(key), within, `no answer to ${key}`);
    return this.#answers.get(key)![0]!;
  }

  /** Settles once a condition holds; rejects with `fault` when it does not in time, or the subject has ended. */
  until(holds: () => boolean, within: number, fault: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (): void => {
        if (holds()) done();
        else if (this.#exited !== undefined)
          done(new Error(`${fault}: it ended with ${exitText(this.#exited)}`));
      };
      const timer = setTimeout(() => done(new Error(`${fault} in ${within / 1000} s`)), within);
      this.#waiting.add(look);
      look();
    });
  }

  /** Stops reading until `resume`. */
  pause(): void {
    this.#child.stdout.pause();
  }

  resume(): void {
    this.#child.stdout.resume();
  }

  /** Closes its stdin, as a client does that leaves. */
  end(): void {
    this.#child.stdin.end();
  }

  /** Closes its stdout, as a client does that dies. */
  hangUp(): void {
    this.#child.stdout.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** What was wrong with the answers so far: one that is missing, or given twice. */
  get fault(): string | undefined {
    if (this.strays.length > 0) return `stdout carried ${this.strays[0]}`;
    for (const key of this.#asked) {
      const count = this.#answers.get(key)?.length ?? 0;
      if (count > 1) return `${count} answers to ${key}`;
      if (count === 0 && !this.#excused.has(key)) return `no answer to ${key}`;
    }
    const asked = new Set(this.#asked);
    const unasked = [...this.#answers.keys()].find((key) => !asked.has(key) && key !== 'null');
    return unasked === undefined ? undefined : `an answer to ${unasked}, which was not asked`;
  }

  #read(line: string): void {
    const message = readMessage(line);
    if (message === undefined) this.strays.push(line.slice(0, SHOWN));
    else if (message.method === undefined) {
      const key = JSON.stringify(message.id ?? null);
      this.#answers.set(key, [...(this.#answers.get(key) ?? []), message]);
    } else this.heard.push({ method: message.method, id: message.id, n: message.params?.['n'] });
    this.#look();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

/** How a process ended, in words. */
export function exitText({ code, signal }: Exit): string {
  return signal ?? `exit code ${code}`;
}

function readMessage(line: string): PeerMessage | undefined {
  try {
    const message = JSON.parse(line) as PeerMessage & { jsonrpc?: unknown };
    return message.jsonrpc === '2.0' ? message : undefined;
  } catch {
    return undefined;
  }
}
