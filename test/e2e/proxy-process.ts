import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../cli/bin/run.js', import.meta.url));

/** What one mcp-connect keeps must not reach the next one, nor the user of this machine. */
const STATE = mkdtempSync(join(tmpdir(), 'mcp-connect-state-'));
process.once('exit', () => rmSync(STATE, { recursive: true, force: true }));

/** How mcp-connect ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A message as it is read from the wire. */
export interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: Record<string, unknown>;
  };
}

/** Returns how a client's settings start mcp-connect; `args` begin with the command, such as `proxy`. */
export function mcpConnect(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { command: string; args: string[]; env: Record<string, string> } {
  return { command: process.execPath, args: [PROGRAM, ...args], env: environment(env) };
}

/** The surroundings of this process without what would change how mcp-connect starts. */
function environment(more: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && entry[0] !== 'NODE_EXTRA_CA_CERTS' && !entry[0].startsWith('MCP_CONNECT_'),
  );
  return { ...Object.fromEntries(kept), MCP_CONNECT_STATE_DIR: join(STATE, randomUUID()), ...more };
}

/** Runs a command that serves nobody, to its end. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const start = mcpConnect(args, env);
  const child = spawn(start.command, start.args, { env: start.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { code, stdout, stderr };
}

/** A running mcp-connect whose client is the test itself, line by line. */
export class ProxyProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Set<() => void>();
  #ended = false;
  /** Every line of its stdout so far. */
  readonly lines: string[] = [];
  /** All of its stderr so far. */
  stderr = '';
  /** Settles when it has ended and both its outputs are read. */
  readonly exit: Promise<Exit>;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const start = mcpConnect(args, env);
    this.#child = spawn(start.command, start.args, { env: start.env });
    // Writing to a program that has ended is what some tests are about.
    this.#child.stdin.on('error', () => undefined);
    createInterface({ input: this.#child.stdout, crlfDelay: Infinity }).on('line', (line) => {
      this.lines.push(line);
      this.#look();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#look();
    });
    this.exit = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#ended = true;
        this.#look();
        resolve({ code, signal });
      });
    });
  }

  /** Writes one line, exactly as given. */
  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Returns the first line of stdout that fits, as soon as there is one. */
  line(fits: (line: string) => boolean): Promise<string> {
    return this.#until(() => this.lines.find(fits), 'the line');
  }

  /** Returns the first message on stdout that fits, as soon as there is one. */
  async message(fits: (message: Message) => boolean): Promise<Message> {
    return JSON.parse(await this.line((line) => fits(JSON.parse(line) as Message))) as Message;
  }

  /** Settles as soon as stderr fits. */
  async log(pattern: RegExp): Promise<void> {
    await this.#until(
      () => (pattern.test(this.stderr) ? true : undefined),
      `stderr to match ${pattern.source}`,
    );
  }

  /** Sends a request and returns its answer. */
  request(id: number | string, method: string, params: object = {}): Promise<Message> {
    this.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return this.message((message) => message.id === id && message.method === undefined);
  }

  /** Goes through the handshake of 2025-11-25 and returns the answer to `initialize`. */
  async initialize(): Promise<Message> {
    const clientInfo = { name: 'raw-client', version: '1.0.0' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    const answer = await this.request('init', 'initialize', params);
    this.write('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    return answer;
  }

  /** Closes its stdin, as a client does that leaves. */
  end(): Promise<Exit> {
    this.#child.stdin.end();
    return this.exit;
  }

  signal(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal);
    return this.exit;
  }

  /** Ends it whatever its state; for cleaning up behind a test. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exit;
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  #until<T>(find: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined && !this.#ended) return;
        this.#waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`mcp-connect ended (${this.#child.exitCode}) before ${what}:\n${this.stderr}`));
      };
      this.#waiting.add(look);
      look();
    });
  }
}
