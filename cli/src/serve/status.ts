import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeFolder, reasonOf, type LegStatus, type Log } from '@mcp-connect/core';

/** What one running mcp-connect tells of itself. */
export interface ProcessStatus {
  readonly pid: number;
  /** The command, such as `proxy`. */
  readonly command: string;
  readonly endpoints: readonly LegStatus[];
}

/** What a running mcp-connect is asked through. */
export interface StatusServer {
  close(): void;
}

const PIPES = '\\\\.\\pipe\\';
const PIPE_NAME = /^mcp-connect-\d+$/;
const SOCKET_NAME = /^\d+\.sock$/;
/** The path of a socket may be no longer than this on any system (sun_path of macOS). */
const LONGEST_PATH = 103;
/** How long a process may take to tell its status, in milliseconds. */
const PATIENCE = 2_000;

/**
 * Lets this user ask the process for its status, by a socket in a folder that nobody else can enter. Where that cannot
 * be, it says so in the log and does without.
 *
 * @param dir the folder of the sockets; on Windows they are named pipes
 */
export function serveStatus(dir: string, log: Log, status: () => ProcessStatus): StatusServer {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(`${JSON.stringify(status())}\n`);
  });
  const fail = (error: unknown): void => log.debug?.('nobody can ask for the status: %s', reasonOf(error));
  server.on('error', fail);
  server.unref();
  try {
    const path = pathOf(dir, process.pid);
    if (process.platform !== 'win32') {
      makePrivate(dir);
      rmSync(path, { force: true });
    }
    server.listen(path);
  } catch (error) {
    fail(error);
  }
  return { close: () => void server.close() };
}

/** Asks every running mcp-connect of this user for its status, and clears away what dead ones have left. */
export async function readStatuses(dir: string): Promise<ProcessStatus[]> {
  const statuses = await Promise.all(pathsIn(dir).map((path) => readStatus(path)));
  return statuses.filter((status) => status !== undefined).sort((a, b) => a.pid - b.pid);
}

/** Words a status as a table, one line an endpoint. */
export function statusTable({ pid, command, endpoints }: ProcessStatus): string {
  const head = ['endpoint', 'state', 'era', 'in flight', 'answered', 'failed', 'ejected', 'last error'];
  const rows = endpoints.map((leg) => [
    leg.endpoint,
    stateOf(leg),
    leg.era ?? '-',
    String(leg.pending),
    String(leg.answered),
    String(leg.failed),
    String(leg.ejections),
    leg.lastError ?? '-',
  ]);
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]!.length)));
  const lines = [head, ...rows].map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd(),
  );
  return [`mcp-connect ${command}, process ${pid}`, ...lines, ''].join('\n');
}

function stateOf({ state, open, home, quarantined }: LegStatus): string {
  const words = [state === 'up' && !open ? 'not opened' : state];
  if (home) words.push('home');
  if (quarantined !== undefined) words.push(`differs: ${quarantined}`);
  return words.join(', ');
}

function pathOf(dir: string, pid: number): string {
  if (process.platform === 'win32') return `${PIPES}mcp-connect-${pid}`;
  const path = join(dir, `${pid}.sock`);
  if (Buffer.byteLength(path) > LONGEST_PATH) throw new Error(`the path ${path} is too long for a socket`);
  return path;
}

/** A folder of another user, or one that others can enter, is no place for a socket. */
function makePrivate(dir: string): void {
  makeFolder(dir, 0o700);
  const { uid, mode } = lstatSync(dir);
  const isOurs = uid === process.getuid?.() && (mode & 0o077) === 0;
  if (!isOurs) throw new Error(`others can enter ${dir}`);
}

function pathsIn(dir: string): string[] {
  const windows = process.platform === 'win32';
  const folder = windows ? PIPES : dir;
  try {
    const names = readdirSync(folder).filter((name) => (windows ? PIPE_NAME : SOCKET_NAME).test(name));
    return names.map((name) => (windows ? `${folder}${name}` : join(folder, name)));
  } catch {
    // Without the folder there has never been one.
    return [];
  }
}

async function readStatus(path: string): Promise<ProcessStatus | undefined> {
  const socket = connect(path);
  const timer = setTimeout(() => socket.destroy(), PATIENCE);
  try {
    return JSON.parse(await text(socket)) as ProcessStatus;
  } catch (error) {
    const left = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' && process.platform !== 'win32';
    if (left) rmSync(path, { force: true });
    return undefined;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
