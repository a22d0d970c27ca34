import { createServer, type Socket } from 'node:net';
import { parseEndpoint, LineSplitter } from '@mcp-connect/core';
import { PacedWriter } from './paced.js';
import type { PeerHandler, Say, Served } from './peer.js';
import { Place } from './place.js';

/** Longest line that a peer takes, in bytes. */
const LONGEST_LINE = 256 * 1024 * 1024;

/** What one line may make of its connection, beside an answer. */
export interface LineConnection {
  readonly say: Say;
  /** Writes bytes as they are, without a newline behind them. A returned promise asks for a pause until it settles. */
  write(bytes: string | Buffer): Promise<void> | undefined;
  /** True once it is over. */
  readonly gone: boolean;
  /** Ends the connection properly once all is written. */
  end(): void;
  /** Breaks the connection off. */
  cut(): void;
}

/** Handles one line of a connection. */
export type LineHandler = (text: string, connection: LineConnection) => void;

/** A line peer that is being served. */
export interface ServedLines extends Required<Served> {
  readonly port: number;
  /** The connections that are open now. */
  readonly connections: ReadonlySet<LineConnection>;
  /** Breaks every connection off, and every new one as soon as it is made, until it starts again. */
  turnAway(): void;
  /** Breaks every connection off and stops listening. */
  stop(): Promise<void>;
  /** Listens again where it did. */
  start(): Promise<void>;
}

/**
 * Serves newline-delimited JSON over TCP on a free port of this machine, without any MCP library.
 *
 * @param greeting what is written on every new connection before anything else, as it is
 */
export async function serveLines(handler: LineHandler, greeting = ''): Promise<ServedLines> {
  const sockets = new Map<LineConnection, Socket>();
  let away = false;
  const server = createServer({ noDelay: true }, (socket) => {
    if (away) {
      socket.destroy();
      return;
    }
    const connection = connectionOf(socket);
    if (greeting !== '') socket.write(greeting);
    sockets.set(connection, socket);
    const splitter = new LineSplitter({
      maxLength: LONGEST_LINE,
      online: (line) => handler(line.toString(), connection),
      onoversize: () => socket.destroy(),
    });
    socket.on('data', (chunk: Buffer) => void splitter.push(chunk));
    // A client that breaks off is part of what is tested.
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(connection));
  });
  const place = await Place.take(server);
  const { port } = place;
  const cut = (): void => {
    for (const connection of sockets.keys()) connection.cut();
  };
  const drop = (): void => {
    for (const socket of sockets.values()) socket.destroy();
  };
  return {
    port,
    endpoint: parseEndpoint(`tcp://127.0.0.1:${port}`),
    get connections() {
      return new Set(sockets.keys());
    },
    cut,
    turnAway() {
      away = true;
      cut();
    },
    async stop() {
      drop();
      await place.leave();
    },
    async start() {
      away = false;
      await place.comeBack();
    },
    async close() {
      drop();
      await place.free();
    },
  };
}

/** Serves a handler over TCP. */
export function serveTcp(handler: PeerHandler): Promise<Required<Served>> {
  return serveLines((text, { say }) => handler(text, say));
}

function connectionOf(socket: Socket): LineConnection {
  const writer = new PacedWriter(socket);
  return {
    say: (text) => writer.write(`${text}\n`),
    write: (bytes) => writer.write(bytes),
    get gone() {
      return socket.destroyed;
    },
    end: () => void socket.end(),
    cut: () => void socket.resetAndDestroy(),
  };
}
