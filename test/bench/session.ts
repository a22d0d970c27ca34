import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LineCounter, type OnLine } from './lines.js';

/** Milliseconds that a bridge gets to end by itself before it is killed. */
const PATIENCE = 2_000;

/** What a session tells its user; set anew by everyone who uses it. */
export interface Listener {
  online: OnLine;
  /** The session ended by itself. */
  onend(reason: string): void;
}

/** A connection to the server of the bench, through a bridge or without one. */
export interface Session {
  readonly listener: Listener;
  /** The process of the bridge; undefined without one. */
  readonly pid: number | undefined;
  /** Why the session ended by itself, once it did. */
  readonly ended: string | undefined;
  /** Sends one message. */
  send(message: string): void;
  /** Ends the session and its process. */
  stop(): Promise<void>;
}

/**
 * The environment of bridges: Node 20 reads an extra CA bundle at each start, which hides all other times. Plugins that
 * the user has linked would be measured too, so theirs is not the folder in which plugins are looked up; code that is
 * compiled already stays where it is.
 */
export function bridgeEnvironment(folder: string): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _bundle, NODE_OPTIONS: _options, ...env } = process.env;
  return {
    ...env,
    MCP_REMOTE_CONFIG_DIR: folder,
    MCP_CONNECT_STATE_DIR: folder,
    MCP_CONNECT_DATA_DIR: join(folder, 'data'),
  };
}

/** Starts a bridge, a Node.js program that speaks MCP over stdio. */
export function openBridge(args: readonly string[], env: NodeJS.ProcessEnv): Session {
  const listener = silent();
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const closed = once(child, 'close');
  const lines = new LineCounter((head, length) => listener.online(head, length));
  child.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
  // A bridge that ends breaks its pipe; `close` tells of it.
  child.stdin.on('error', () => undefined);
  let ended: string | undefined;
  child.on('close', (code, signal) => {
    ended = `it ended with ${signal ?? `exit code ${code}`}`;
    listener.onend(ended);
  });
  return {
    listener,
    pid: child.pid,
    get ended() {
      return ended;
    },
    send: (message) => void child.stdin.write(`${message}\n`),
    async stop() {
      listener.onend = () => undefined;
      child.stdin.end();
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Talks HTTP without a bridge. */
export function openDirect(url: string): Session {
  const listener = silent();
  const agent = new Agent({ keepAlive: true });
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  return {
    listener,
    pid: undefined,
    ended: undefined,
    send(message) {
      const length = Buffer.byteLength(message);
      const post = request(url, { agent, method: 'POST', headers: { ...headers, 'content-length': length } });
      post.on('error', (error) => listener.onend(error.message));
      post.on('response', (response) => {
        const session = response.headers['mcp-session-id'];
        if (typeof session === 'string') headers['mcp-session-id'] = session;
        const isStream = response.headers['content-type'] === 'text/event-stream';
        const lines = new LineCounter((head, size) => {
          if (!isStream) listener.online(head, size);
          else if (head.toString('latin1', 0, 6) === 'data: ') listener.online(head.subarray(6), size - 6);
        });
        response.on('data', (chunk: Buffer) => lines.push(chunk));
        response.on('end', () => lines.end());
      });
      post.end(message);
    },
    async stop() {
      agent.destroy();
      await pause(0);
    },
  };
}

/** Has a session speak 2026-07-28 where the load speaks an older revision, for servers that do not. */
export function inModernWords(session: Session): Session {
  return {
    ...session,
    get ended() {
      return session.ended;
    },
    send(message) {
      const { method, params, ...rest } = JSON.parse(message) as { method: string; params?: object };
      if (method === 'notifications/initialized') return;
      const begins = method === 'initialize';
      const _meta = /"notifications":[1-9]/.test(message) ? { ...DESCRIPTION, ...LOGGED } : DESCRIPTION;
      const modern = {
        method: begins ? 'server/discover' : method,
        params: { ...(begins ? {} : params), _meta },
      };
      session.send(JSON.stringify({ ...rest, ...modern }));
    },
  };
}

const PREFIX = 'io.modelcontextprotocol/';
const DESCRIPTION = {
  [`${PREFIX}protocolVersion`]: '2026-07-28',
  [`${PREFIX}clientInfo`]: { name: 'bench', version: '1.0.0' },
  [`${PREFIX}clientCapabilities`]: {},
};
/** Without it no log message comes through. */
const LOGGED = { [`${PREFIX}logLevel`]: 'debug' };

function silent(): Listener {
  return { online: () => undefined, onend: () => undefined };
}
