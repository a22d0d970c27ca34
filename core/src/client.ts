import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { LineSplitter, LineWriter } from './lines.js';
import type { LogMessages } from './log-messages.js';
import type { Client, Pipeline } from './pipeline.js';
import { atMost } from './waiting.js';

/** The two ends of a client that speaks over stdio. */
export interface ClientStreams {
  readonly input: Readable;
  readonly output: Writable;
  /** Shows our log lines to the client. */
  readonly messages?: LogMessages;
  /** How long a client that reads nothing may hold up the end, in milliseconds; two seconds where not given. */
  readonly patience?: number;
}

/** How often one more chunk is read while nothing is welcome, in milliseconds: or nobody noticed that the client is gone. */
const LOOK = 2_000;

/** Most chunks that are read so; a pipe gives up to 64 KiB at once. */
const MOST_AHEAD = 1_000;

/** How long a client that has stopped reading may hold up the end, in milliseconds. */
const PATIENCE = 2_000;

/** How long one that goes on reading, but slowly, may do so, in milliseconds. */
const LONGEST_READING = 30_000;

/** How long any client may do so once there is no time left, in milliseconds. */
const HURRIED_READING = 500;

/** So many bytes may wait for a client before the servers' reading is held up, which costs more than memory. */
const WINDOW = 262_144;

/** A client that is being served. */
export interface Serving {
  /** Settles when the client is gone: its input ended, or its output is closed. */
  readonly ended: Promise<void>;
  /** Settles when the client has been sent its first message. */
  readonly greeted: Promise<void>;
  /** The line to the servers. */
  readonly pipeline: Pipeline;
  /** Cuts the end short: whoever started us is about to end us by force. */
  hurry(): void;
  /** Stops reading, ends the line in good order and writes out what is left, as far as the client still reads it. */
  close(): Promise<void>;
}

/**
 * Serves a client over stdio: one message a line, and nothing else on its output (MCP basic/transports, stdio). A
 * client that stops reading stops the servers' reading too.
 */
export function serveClient(
  connector: { connect(client: Client): Pipeline; readonly settings: { readonly maxMessageSize: number } },
  { input, output, messages, patience = PATIENCE }: ClientStreams,
): Serving {
  const writer = new LineWriter(output, WINDOW);
  let hurry!: () => void;
  const hurried = new Promise<void>((resolve) => (hurry = resolve));
  let greet: (() => void) | undefined;
  const greeted = new Promise<void>((resolve) => (greet = resolve));
  const deliver: Client['deliver'] = (envelope) => {
    greet?.();
    greet = undefined;
    return writer.write(envelope.line);
  };
  const pipeline = connector.connect({ deliver, oninitialized: () => messages?.flush() });
  messages?.attach({ deliver, audience: () => pipeline.audience });
  const splitter = new LineSplitter({
    maxLength: connector.settings.maxMessageSize,
    online: (line, ended) => pipeline.receive(line, ended),
    onoversize: (outline, length) => pipeline.refuse(outline, length),
  });
  // What was read while nothing was welcome.
  let ahead: Buffer[] | undefined;
  let look: NodeJS.Timeout | undefined;
  const ondata = (chunk: Buffer): void => {
    if (ahead !== undefined) {
      input.pause();
      ahead.push(chunk);
      if (ahead.length >= MOST_AHEAD) clearInterval(look);
      return;
    }
    const pause = splitter.push(chunk);
    if (pause === undefined) return;
    input.pause();
    ahead = [];
    // The end of the input shows only behind all that was written before it.
    look = setInterval(() => input.resume(), LOOK);
    void pause.then(goOn);
  };
  const goOn = (): void => {
    clearInterval(look);
    const chunks = ahead ?? [];
    ahead = undefined;
    // Each of them may ask for the next pause.
    for (const chunk of chunks) ondata(chunk);
    if (ahead === undefined) input.resume();
  };
  const ended = new Promise<void>((resolve) => {
    input.on('data', ondata);
    input.once('end', () => {
      const chunks = ahead ?? [];
      // Whoever is waited for may yet go on.
      ahead = undefined;
      for (const chunk of chunks) void splitter.push(chunk);
      splitter.end();
      resolve();
    });
    input.once('error', () => resolve());
    // EPIPE and the like: whoever reads our answers is gone.
    output.on('error', () => resolve());
    output.once('close', () => resolve());
  });
  return {
    ended,
    greeted,
    pipeline,
    hurry() {
      hurry();
      pipeline.hurry();
    },
    async close() {
      input.off('data', ondata);
      input.pause();
      clearInterval(look);
      await pipeline.close();
      writer.flush();
      if (output.destroyed || output.writableLength === 0) return;
      const done = written(output, patience);
      await Promise.race([atMost(LONGEST_READING, done), hurried.then(() => atMost(HURRIED_READING, done))]);
    },
  };
}

/** Settles when the stream has passed everything on, or when its reader has taken nothing for too long. */
function written(output: Writable, patience: number): Promise<void> {
  return new Promise((resolve) => {
    // A socket, as pipes are too, also notices what its reader takes of one large message.
    if (output instanceof Socket) output.setTimeout(patience, resolve);
    const limit = output instanceof Socket ? undefined : setTimeout(resolve, patience);
    output.write('', () => {
      clearTimeout(limit);
      resolve();
    });
  });
}
