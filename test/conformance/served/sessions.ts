import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Message } from '../../e2e/proxy-process.js';
import type { HttpRecord } from '../../e2e/servers.js';
import { Line } from './line.js';
import { Reply } from './reply.js';

/** The front of the revisions with sessions: each has a mcp-connect of its own. */
export class Sessions {
  readonly #args: readonly string[];
  readonly #sessions = new Map<string, Session>();

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  /** Answers one request over HTTP. */
  async handle({ verb, headers, body }: HttpRecord, response: ServerResponse): Promise<void> {
    const named = headers['mcp-session-id'];
    const known = this.#sessions.get(String(named));
    if (named !== undefined && known === undefined) return void response.writeHead(404).end();
    if (verb !== 'POST' && known === undefined) return void response.writeHead(400).end();
    if (verb === 'GET') return known?.listen(response);
    if (verb === 'DELETE') {
      this.#sessions.delete(String(named));
      response.writeHead(200).end();
      return known?.close();
    }
    const id = String(named ?? randomUUID());
    const session = known ?? new Session(this.#args);
    this.#sessions.set(id, session);
    response.setHeader('mcp-session-id', id);
    session.take(body, response);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#sessions.values(), (session) => session.close()));
  }
}

/** One mcp-connect, and the replies that it is to fill. */
class Session {
  readonly #line: Line;
  readonly #underWay = new Map<unknown, Reply>();
  /** What came while there was no stream for it. */
  readonly #held: string[] = [];
  #news: Reply | undefined;

  constructor(args: readonly string[]) {
    this.#line = new Line(args, (text, message) => this.#hand(text, message));
  }

  take(body: string, response: ServerResponse): void {
    const { id, method } = JSON.parse(body) as Message;
    if (method !== undefined && id !== undefined) this.#underWay.set(id, new Reply(response));
    else response.writeHead(202).end();
    this.#line.write(body);
  }

  listen(response: ServerResponse): void {
    this.#news = new Reply(response);
    this.#news.begin();
    for (const text of this.#held.splice(0)) this.#news.say(text);
  }

  close(): Promise<void> {
    this.#news?.end();
    return this.#line.close();
  }

  #hand(text: string, { id, method }: Message): void {
    if (method === undefined) {
      this.#underWay.get(id)?.answer(text);
      this.#underWay.delete(id);
      return;
    }
    const stream = Array.from(this.#underWay.values()).at(-1) ?? this.#news;
    if (stream === undefined) this.#held.push(text);
    else stream.say(text);
  }
}
