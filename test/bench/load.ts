import type { Session } from './session.js';

/** What a load asks the server for; see `server.mjs`. */
export interface Asked {
  readonly size?: number;
  readonly reply?: 'json' | 'sse';
  readonly notifications?: number;
}

/** A stream of calls. */
export interface Load {
  readonly asked: Asked;
  /** Calls that are under way at any time. */
  readonly inFlight: number;
  /** New calls are made for this long, in milliseconds; at least one is. */
  readonly ms: number;
}

/** What came of a load. */
export interface Outcome {
  /** From the first call to the last answer, in milliseconds. */
  readonly ms: number;
  readonly answers: number;
  readonly notifications: number;
  /** How long each call took, in milliseconds, when there was one at a time. */
  readonly latencies: readonly number[];
}

/** Milliseconds after which a load counts as stalled. */
const STALLED = 20_000;

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1.0.0' },
  },
};

/**
 * Sends `initialize`, waits for its answer and confirms it.
 *
 * @throws Error saying why there was no answer
 */
export async function initialize(session: Session): Promise<void> {
  const answered = untilDone(session, (done, fail) => (head) => {
    if (!isAnswer(head)) return;
    if (isError(head) || !head.includes('"id":0')) fail(new Error(`it answered ${head.toString()}`));
    else done();
  });
  session.send(JSON.stringify(INITIALIZE));
  await answered;
  session.send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
}

/**
 * Puts a load on a session and waits for its end.
 *
 * @throws Error saying what went wrong, when an answer is missing, short or an error
 */
export async function drive(session: Session, load: Load): Promise<Outcome> {
  const { asked, inFlight, ms } = load;
  const size = asked.size ?? 0;
  const before = `,"method":"tools/call","params":{"name":"bench","arguments":${JSON.stringify(asked)}}}`;
  const latencies: number[] = [];
  const startedAt = performance.now();
  let sent = 0;
  let answers = 0;
  let notifications = 0;
  let sentAt = startedAt;
  const call = (): void => {
    sentAt = performance.now();
    session.send(`{"jsonrpc":"2.0","id":${++sent}${before}`);
  };
  const ended = untilDone(session, (done, fail) => (head, length) => {
    if (!isAnswer(head)) return void notifications++;
    const now = performance.now();
    if (inFlight === 1) latencies.push(now - sentAt);
    answers++;
    if (isError(head) || length < size)
      return fail(new Error(`it answered ${head.toString().slice(0, 120)}`));
    if (now - startedAt < ms) return call();
    return answers === sent ? done() : undefined;
  });
  for (let index = 0; index < inFlight; index++) call();
  await ended;
  const missing = (asked.notifications ?? 0) * answers - notifications;
  if (missing > 0) throw new Error(`it lost ${missing} of ${missing + notifications} notifications`);
  return { ms: performance.now() - startedAt, answers, notifications, latencies };
}

type OnLine = Session['listener']['online'];

/** Listens to a session until `done` or `fail` is called, the session ends, or nothing has come of it for too long. */
async function untilDone(
  session: Session,
  listen: (done: () => void, fail: (error: Error) => void) => OnLine,
): Promise<void> {
  const { listener } = session;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${STALLED / 1000} s`)), STALLED);
      listener.onend = (reason) => reject(new Error(reason));
      listener.online = listen(resolve, reject);
      if (session.ended !== undefined) reject(new Error(session.ended));
    });
  } finally {
    clearTimeout(timer);
    listener.online = () => undefined;
    listener.onend = () => undefined;
  }
}

/** An answer has no method; the text of the server holds neither word. */
function isAnswer(head: Buffer): boolean {
  return !head.includes('"method":');
}

function isError(head: Buffer): boolean {
  return head.includes('"error":');
}
