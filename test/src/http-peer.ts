import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseEndpoint } from '@mcp-connect/core';
import { PacedWriter } from './paced.js';
import type { PeerHandler, PeerMessage, Served } from './peer.js';
import { play, textsOf } from './replay.js';
import {
  defaultOutcome,
  Journal,
  status,
  type Outcome,
  type Reply,
  type Script,
  type ScriptedServer,
} from './script.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const SSE_TYPE = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };

/** Handles one HTTP request: its body has been read. */
type HttpHandler = (text: string, request: IncomingMessage, response: ServerResponse) => void;

/** A bare HTTP server that is being served. */
interface ServedHttp extends Required<Served>, Pick<ScriptedServer, 'turnAway' | 'stop' | 'start'> {}

/**
 * Serves a handler over Streamable HTTP with SSE replies (2025-11-25 basic/transports): an answer ends the stream of
 * its request, all else that is said goes out on the youngest stream that is open.
 */
export async function serveHttp(handler: PeerHandler): Promise<Required<Served>> {
  const streams = new Map<PeerMessage['id'], { response: ServerResponse; writer: PacedWriter }>();
  const say = (text: string): Promise<void> | undefined => {
    const { id, method } = JSON.parse(text) as PeerMessage;
    const stream = method === undefined ? streams.get(id) : [...streams.values()].at(-1);
    const wait = stream?.writer.write(sseEvent(text));
    if (method === undefined && streams.delete(id)) stream?.response.end();
    return wait;
  };
  return servePosts((text, _request, response) => {
    const { id, method } = JSON.parse(text) as PeerMessage;
    if (id === undefined || method === undefined) response.writeHead(202).end();
    else {
      response.writeHead(200, SSE_TYPE).flushHeaders();
      streams.set(id, { response, writer: new PacedWriter(response) });
    }
    handler(text, say);
  });
}

/** What sets a scripted server over HTTP apart. */
export interface ScriptedHttpOptions {
  /** True to name a session at `initialize`, and to answer 404 to a session that it does not know. */
  readonly sessions?: boolean;
}

/** Starts a scripted server over HTTP. Its answers are JSON replies, unless an outcome says `replySse`. */
export async function scriptedHttp(
  script: Script,
  options: ScriptedHttpOptions = {},
): Promise<ScriptedServer> {
  const server = new HttpScript(script, options);
  const served = await servePosts(
    (text, request, response) => server.onpost(JSON.parse(text) as PeerMessage, request, response),
    (request, response) => server.onget(request, response),
  );
  return {
    ...served,
    ...server.journal.books,
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

/** What a scripted server over HTTP knows and does. */
class HttpScript {
  readonly journal = new Journal();
  readonly sessions = new Set<string>();
  /** Responses that end when we say so; any other end is the client's doing. */
  readonly open = new Set<ServerResponse>();
  readonly #script: Script;
  readonly #options: ScriptedHttpOptions;
  /** What is left of streams that were cut, by the id of their last event. */
  readonly #unread = new Map<string, readonly string[]>();

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

  /** Resumes a stream that was cut (2025-11-25 basic/transports); there is no other stream, and no session to end. */
  onget(request: IncomingMessage, response: ServerResponse): void {
    const last = String(request.headers['last-event-id']);
    const texts = request.method === 'GET' ? this.#unread.get(last) : undefined;
    if (texts === undefined) {
      response.writeHead(405).end();
      return;
    }
    response.writeHead(200, SSE_TYPE);
    for (const [n, text] of texts.entries()) response.write(sseEvent(text, `${last}-${n}`));
    response.end();
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

  #act(outcome: Outcome, { id }: PeerMessage, response: ServerResponse): void {
    switch (outcome.kind) {
      case 'reply':
        if (outcome.sse) this.#playEvents(outcome, id, response);
        else this.#playJson(outcome, id, response);
        return;
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

async function servePosts(
  onpost: HttpHandler,
  // No stream of its own, no session to end (2025-11-25 basic/transports).
  onother = (_request: IncomingMessage, response: ServerResponse): void => void response.writeHead(405).end(),
): Promise<ServedHttp> {
  let away = false;
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    if (request.method !== 'POST') {
      onother(request, response);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => onpost(Buffer.concat(chunks).toString(), request, response));
  });
  server.on('connection', (socket) => {
    if (away) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = (): void => server.closeAllConnections();
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    endpoint: parseEndpoint(`http://127.0.0.1:${port}/mcp`),
    cut,
    turnAway() {
      away = true;
      cut();
    },
    stop,
    async start() {
      away = false;
      if (server.listening) return;
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    close: stop,
  };
}

/** Writes a message as one event; text of several lines is spread over as many fields. */
function sseEvent(text: string, id?: string): string {
  const data = text.replaceAll('\n', '\ndata: ');
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`;
}
