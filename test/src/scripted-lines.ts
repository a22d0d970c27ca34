import { textOf, type PeerMessage } from './peer.js';
import { play } from './replay.js';
import {
  acknowledgement,
  defaultOutcome,
  Journal,
  type Outcome,
  type Script,
  type ScriptedServer,
} from './script.js';
import { servePrograms } from './stdio-peer.js';
import { serveLines, type LineConnection, type LineHandler, type ServedLines } from './tcp-peer.js';

/** What sets a scripted server of a line wire apart. */
export interface ScriptedLinesOptions {
  /** What it writes on every new connection before anything else, as it is. */
  readonly greeting?: string;
}

/** Starts a scripted server over TCP. */
export function scriptedTcp(script: Script, options: ScriptedLinesOptions = {}): Promise<ScriptedServer> {
  return scripted(script, (handler) => serveLines(handler, options.greeting));
}

/** Starts a scripted server behind a local program; a connection that ends, ends the program. */
export function scriptedStdio(script: Script, options: ScriptedLinesOptions = {}): Promise<ScriptedServer> {
  return scripted(script, (handler) => servePrograms(handler, options.greeting));
}

async function scripted(
  script: Script,
  serve: (handler: LineHandler) => Promise<ServedLines>,
): Promise<ScriptedServer> {
  const journal = new Journal();
  const served = await serve((text, connection) => {
    const message = readMessage(text);
    // Whoever speaks something else looks for a server that had this port before.
    if (message === undefined) return connection.cut();
    const isRequest = message.id !== undefined && message.method !== undefined;
    const outcome = isRequest ? (script(message) ?? defaultOutcome(message)) : undefined;
    journal.note(message, outcome);
    if (outcome !== undefined) act(outcome, message, connection);
  });
  const { endpoint, cut, turnAway, stop, start, close } = served;
  return {
    ...journal.books,
    endpoint,
    cut,
    turnAway,
    stop,
    start,
    close,
    get listeners() {
      return served.connections.size;
    },
    announce(message) {
      for (const { say } of served.connections) void say(textOf(message));
    },
  };
}

function act(outcome: Outcome, message: PeerMessage, connection: LineConnection): void {
  const { id } = message;
  switch (outcome.kind) {
    case 'reply':
      play({ ...outcome, pretty: false }, id, {
        frame: (text) => `${text}\n`,
        write: (bytes) => connection.write(bytes),
        gone: () => connection.gone,
        onend: (whole) => {
          if (!whole) connection.end();
        },
      });
      return;
    case 'raw':
      void connection.write(outcome.bytes);
      return;
    case 'end':
      connection.end();
      return;
    case 'hang':
      return;
    case 'cut':
      if (outcome.after === undefined) connection.cut();
      else {
        void connection.write(outcome.after);
        connection.end();
      }
      return;
    case 'listen':
      void connection.say(textOf(acknowledgement(message)));
      return;
    case 'status':
    case 'poll':
      throw new TypeError(`A line wire has no ${outcome.kind}: script it for HTTP only.`);
  }
}

function readMessage(text: string): PeerMessage | undefined {
  try {
    return JSON.parse(text) as PeerMessage;
  } catch {
    return undefined;
  }
}
