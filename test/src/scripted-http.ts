import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PATH, servePosts, SSE_TYPE, sseEvent } from './http-peer.js';
import { PacedWriter } from './paced.js';
import { textOf, type PeerMessage } from './peer.js';
import { play, textsOf } from './replay.js';
import {
  acknowledgement,
  defaultOutcome,
  Journal,
  status,
  type Outcome,
  type Poll,
  type Reply,
  type Script,
  type ScriptedServer,
} from './script.js';

const JSON_TYPE = { 'content-type': 'application/json' };

/** What sets a scripted server over HTTP apart. */
export interface ScriptedHttpOptions {
  /** True to name a session at `initialize`, and to answer 404 to a session that it does not know. */
  readonly sessions?: boolean;
  /** True to offer a stream of news to a GET. */
  readonly news?: boolean;
}

/** Starts a scripted server over HTTP. Its answers are JSON replies, unless an outcome says `replySse`. */
export async function scriptedHttp(
  script: Script,
  options: ScriptedHttpOptions = {},
): Promise<ScriptedServer> {
  const server = new HttpScript(script, options);
  const served = await servePosts(
    (text, request, response) => server.onpost(JSON.parse(text) as PeerMessage, request, response),
    (request, response) => server.onother(request, response),
  );
  return {
    ...served,
    ...server.journal.books,
    get listeners() {
      return server.news.size;
    },
    announce(message) {
      for (const response of server.news) response.write(sseEvent(textOf(message)));
    },
    cut() {
      server.open.clear();
      served.cut();
    },
    turnAway() {
      server.open.clear();
      served.turnAway();
    },
    async stop() {
      server.open.clear();
      server.sessions.clear();
      await served.stop();
    },
  };
}

/** An answer that the client has to ask for again. */
interface Polled extends Omit<Poll, 'kind'> {
  readonly id: PeerMessage['id'];
  /** How long the client waited each time so far, in milliseconds. */
  readonly waits: readonly number[];
  readonly endedAt: number;
}

/** What a scripted server over HTTP knows and does. */
class HttpScript {
  readonly journal = new Journal();
  readonly sessions = new Set<string>();
  /** Responses that end when we say so; any other end is the client's doing. */
  readonly open = new Set<ServerResponse>();
  /** Streams that stay open for what the server has to say by itself. */
  readonly news = new Set<ServerResponse>();
  readonly #script: Script;
  readonly #options: ScriptedHttpOptions;
  /** What is left of streams that were cut, by the id of their last event. */
  readonly #unread = new Map<string, readonly string[]>();
  /** Answers that have to be asked for again, by the id of the last event. */
  readonly #polled = new Map<string, Polled>();

  constructor(script: Script, options: ScriptedHttpOptions) {
    this.#script = script;
    this.#options = options;
  }

  onpost(message: PeerMessage, request: IncomingMessage, response: ServerResponse): void {
    const isRequest = message.id !== undefined && message.method !== undefined;
    if (message.method === 'initialize') this.#beginSession(response);
    const outcome = this.#knows(request) ? this.#outcomeOf(message) : status(404);
    this.journal.note(message, isRequest ? outcome : undefined);
    if (!isRequest && outcome.kind !== 'status') {
      response.writeHead(202).end();
      return;
    }
    this.open.add(response);
    response.on('close', () => {
      if (this.open.delete(response) && !response.writableFinished) this.journal.abandon(message);
    });
    this.#act(outcome, message, response);
  }

  /** Resumes a stream that has ended, opens one of news, or ends a session (2025-11-25 basic/transports). */
  onother(request: IncomingMessage, response: ServerResponse): void {
    const { news, sessions } = this.#options;
    const named = request.headers['mcp-session-id'] !== undefined;
    // Clients look for the sign-in of a server at addresses of its origin.
    if (request.url !== PATH) return void response.writeHead(404).end();
    if (request.method === 'DELETE' && sessions === true) return this.#endSession(request, response);
    if (request.method === 'GET' && this.#resume(String(request.headers['last-event-id']), response)) return;
    if (request.method !== 'GET' || news !== true) response.writeHead(405).end();
    else if (sessions === true && !named) response.writeHead(400).end();
    else if (!this.#knows(request)) response.writeHead(404).end();
    else this.#tellNews(response);
  }

  #resume(last: string, response: ServerResponse): boolean {
    const polled = this.#polled.get(last);
    if (polled !== undefined) {
      const waits = [...polled.waits, performance.now() - polled.endedAt];
      this.#poll({ ...polled, rounds: polled.rounds - 1, waits }, last, response);
      return true;
    }
    const texts = this.#unread.get(last);
    if (texts === undefined) return false;
    response.writeHead(200, SSE_TYPE);
    for (const [n, text] of texts.entries()) response.write(sseEvent(text, `${last}-${n}`));
    response.end();
    return true;
  }

  #endSession({ headers }: IncomingMessage, response: ServerResponse): void {
    const known = this.sessions.delete(String(headers['mcp-session-id']));
    response.writeHead(known ? 200 : 404).end();
    if (known) this.journal.count('DELETE');
  }

  #tellNews(response: ServerResponse): void {
    response.writeHead(200, SSE_TYPE).flushHeaders();
    this.news.add(response);
    response.on('close', () => this.news.delete(response));
    this.journal.count('GET');
  }

  /** Ends a stream with its answer, or behind the id with which the client has to ask for it. */
  #poll(polled: Omit<Polled, 'endedAt'>, last: string, response: ServerResponse): void {
    const { id, rounds, retry, waits } = polled;
    response.writeHead(200, SSE_TYPE);
    if (rounds === 0) {
      response.end(sseEvent(textOf({ id, result: { waits } })));
      return;
    }
    const next = `${last}+`;
    response.end(`id: ${next}\nretry: ${retry}\ndata: \n\n`);
    this.#polled.set(next, { ...polled, endedAt: performance.now() });
  }

  #beginSession(response: ServerResponse): void {
    if (this.#options.sessions !== true) return;
    const id = randomUUID();
    this.sessions.add(id);
    response.setHeader('mcp-session-id', id);
  }

  #knows({ headers }: IncomingMessage): boolean {
    const id = headers['mcp-session-id'];
    return this.#options.sessions !== true || typeof id !== 'string' || this.sessions.has(id);
  }

  #outcomeOf(message: PeerMessage): Outcome {
    const scripted = message.id === undefined ? undefined : this.#script(message);
    return scripted ?? defaultOutcome(message);
  }

  #act(outcome: Outcome, message: PeerMessage, response: ServerResponse): void {
    const { id } = message;
    switch (outcome.kind) {
      case 'reply':
        if (outcome.sse) this.#playEvents(outcome, id, response);
        else this.#playJson(outcome, id, response);
        return;
      case 'listen':
        response.writeHead(200, SSE_TYPE).write(sseEvent(textOf(acknowledgement(message))));
        this.news.add(response);
        response.on('close', () => this.news.delete(response));
        return;
      case 'poll':
        return this.#poll({ ...outcome, id, waits: [] }, `poll-${id}`, response);
      case 'raw':
        response.writeHead(200, { 'content-type': outcome.type }).end(outcome.bytes);
        return;
      case 'status':
        response.writeHead(outcome.status, outcome.headers).end(outcome.body);
        return;
      case 'end':
        response.writeHead(200, SSE_TYPE).end();
        return;
      case 'hang':
        return;
      case 'cut':
        if (outcome.after === undefined) {
          this.open.delete(response);
          response.socket?.resetAndDestroy();
          return;
        }
        response.writeHead(200, SSE_TYPE);
        response.write(outcome.after);
        this.#cut(response);
    }
  }

  #playJson(reply: Reply, id: PeerMessage['id'], response: ServerResponse): void {
    const alone = { ...reply, before: [], after: [], times: 1 };
    const [text = ''] = textsOf(alone, id);
    response.writeHead(200, { ...JSON_TYPE, 'content-length': Buffer.byteLength(text) });
    const writer = new PacedWriter(response);
    play(alone, id, {
      frame: () => text,
      write: (bytes) => writer.write(bytes),
      gone: () => response.destroyed,
      onend: (whole) => (whole ? response.end() : this.#cut(response)),
    });
  }

  #playEvents(reply: Reply, id: PeerMessage['id'], response: ServerResponse): void {
    response.writeHead(200, SSE_TYPE);
    const writer = new PacedWriter(response);
    let last: string | undefined;
    play(reply, id, {
      frame: (text, number) => {
        const eventId = reply.ids ? `${id}-${number}` : undefined;
        if (reply.broken && last !== undefined) this.#unread.set(last, [text]);
        last = eventId;
        return sseEvent(text, eventId);
      },
      write: (bytes) => writer.write(bytes),
      gone: () => response.destroyed,
      onend: (whole) => (whole ? response.end() : this.#cut(response)),
    });
  }

  /** Breaks the connection off behind what has been written. */
  #cut(response: ServerResponse): void {
    this.open.delete(response);
    response.socket?.destroySoon();
  }
}
