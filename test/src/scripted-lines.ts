import { textOf, type PeerMessage } from './peer.js';
import { defaultOutcome, Journal, type Outcome, type Script, type ScriptedServer } from './script.js';
import { servePrograms } from './stdio-peer.js';
import { serveLines, type LineConnection, type LineHandler, type ServedLines } from './tcp-peer.js';

/** Starts a scripted server over TCP. */
export function scriptedTcp(script: Script): Promise<ScriptedServer> {
  return scripted(script, serveLines);
}

/** Starts a scripted server behind a local program; a connection that ends, ends the program. */
export function scriptedStdio(script: Script): Promise<ScriptedServer> {
  return scripted(script, servePrograms);
}

async function scripted(
  script: Script,
  serve: (handler: LineHandler) => Promise<ServedLines>,
): Promise<ScriptedServer> {
  const journal = new Journal();
  const { endpoint, cut, close } = await serve((text, connection) => {
    const message = JSON.parse(text) as PeerMessage;
    const isRequest = message.id !== undefined && message.method !== undefined;
    const outcome = isRequest ? (script(message) ?? defaultOutcome(message)) : undefined;
    journal.note(message, outcome);
    if (outcome !== undefined) act(outcome, message, connection);
  });
  return {
    endpoint,
    cut,
    close,
    messages: journal.messages,
    executions: (method) => journal.executions(method),
    received: (count, method) => journal.received(count, method),
  };
}

function act(outcome: Outcome, { id }: PeerMessage, connection: LineConnection): void {
  switch (outcome.kind) {
    case 'reply': {
      for (const message of outcome.before) void connection.say(textOf(message));
      const answer = textOf({ id, ...outcome.body });
      for (let n = 0; n < outcome.times; n++) void connection.say(answer);
      return;
    }
    case 'raw':
      connection.write(outcome.bytes);
      return;
    case 'end':
      connection.end();
      return;
    case 'hang':
      return;
    case 'cut':
      if (outcome.after === undefined) connection.cut();
      else {
        connection.write(outcome.after);
        connection.end();
      }
      return;
    case 'status':
      throw new TypeError('A line wire has no status: script it for HTTP only.');
  }
}
