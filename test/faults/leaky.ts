import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PeerMessage } from '@mcp-connect/testing';

/** Larger than the messages that the subject takes, in bytes. */
const TOO_LARGE = 60_000;

const JSON_TYPE = { 'content-type': 'application/json' };
const SSE_TYPE = { 'content-type': 'text/event-stream' };

/** Answers one call in which everything goes wrong that the name says. */
type Fault = (response: ServerResponse, leaky: LeakyServer, id: PeerMessage['id']) => void;

/** What can be called: replies that are broken, and statuses. Each says aloud all that must never be shown. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  json: (response, _, id) => response.writeHead(200, JSON_TYPE).end(answerTo(id)),
  sse: (response, _, id) => response.writeHead(200, SSE_TYPE).end(`data: ${answerTo(id)}\n\n`),
  'web page': (response, { words }) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<title>${words}</title>`),
  'strange type': (response, { words, headers }) => response.writeHead(200, headers).end(words),
  'broken JSON': (response, { words }, id) =>
    response.writeHead(200, JSON_TYPE).end(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":"${words}`),
  'broken event': (response, { words }) =>
    response
      .writeHead(200, SSE_TYPE)
      .end(`event: ${words}\ndata: x\n\ndata: ${words}\n\ndata: {"${words}\n\n`),
  'another id': (response, { words }) =>
    response.writeHead(200, JSON_TYPE).end(JSON.stringify({ jsonrpc: '2.0', id: 'else', result: { words } })),
  'no message': (response, { words }) => response.writeHead(200, JSON_TYPE).end(JSON.stringify([{ words }])),
  'too large': (response, { words }, id) =>
    response
      .writeHead(200, SSE_TYPE)
      .end(
        `data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { words, pad: 'x'.repeat(TOO_LARGE) } })}\n\n`,
      ),
  'cut JSON': (response, { words }) =>
    response.writeHead(200, JSON_TYPE).write(`{"words":"${words}`, () => response.socket?.destroy()),
  'cut events': (response, { words }) =>
    response.writeHead(200, SSE_TYPE).write(`data: ${words}`, () => response.socket?.destroy()),
  cut: (response) => void response.socket?.resetAndDestroy(),
  ...Object.fromEntries(
    [400, 401, 403, 404, 405, 418, 429, 500, 502, 503, 504].map((status) => [`${status}`, refuse(status)]),
  ),
  ...Object.fromEntries([301, 302, 303, 307, 308].map((status) => [`${status}`, redirect(status)])),
};

/** A server that says aloud what it was told in confidence, in every place where it goes wrong. */
export class LeakyServer {
  /** What it says aloud. */
  words = '';
  readonly #session: string;
  readonly #cookie: string;
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  /** Another origin, with all that reached it. */
  readonly #other = createServer((request, response) => {
    this.strayed.push(request.headers);
    response.writeHead(500).end();
  });
  readonly strayed: IncomingMessage['headers'][] = [];

  constructor({ session, cookie }: { readonly session: string; readonly cookie: string }) {
    this.#session = session;
    this.#cookie = cookie;
  }

  async listen(): Promise<this> {
    for (const server of [this.#server, this.#other]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return this;
  }

  /** Its host and port. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** An address of the other origin, which says aloud what this one does. */
  get elsewhere(): string {
    const { port } = this.#other.address() as AddressInfo;
    return `http://us:${encodeURIComponent(this.words)}@127.0.0.1:${port}/mcp?code=${encodeURIComponent(this.words)}`;
  }

  async close(): Promise<void> {
    for (const server of [this.#server, this.#other]) {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Headers that say it aloud. */
  get headers(): Record<string, string> {
    const quoted = encodeURIComponent(this.words);
    return {
      'set-cookie': this.#cookie,
      'www-authenticate': `Bearer realm="${quoted}", error_description="${this.words.replaceAll('"', '')}"`,
      'retry-after': '0',
      'content-type': `text/plain; words=${quoted}`,
    };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method === 'GET') return refuse(500)(response, this, null);
    if (request.method !== 'POST') return redirect(307)(response, this, null);
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as PeerMessage;
    if (method === 'initialize') {
      response.writeHead(200, { ...JSON_TYPE, 'mcp-session-id': this.#session }).end(
        answerTo(id, {
          protocolVersion: '2025-11-25',
          capabilities: {},
          serverInfo: { name: 'leaky', version: '0' },
        }),
      );
      return;
    }
    const fault = FAULTS[String(params?.['name'] ?? params?.['uri'])];
    if (fault === undefined) response.writeHead(202).end();
    else fault(response, this, id);
  }
}

function refuse(status: number): Fault {
  return (response, { words, headers }) =>
    response.writeHead(status, words.replaceAll(/[^\x20-\x7e]/g, ''), headers).end(`<p>${words}</p>`);
}

function redirect(status: number): Fault {
  return (response, { elsewhere }) => response.writeHead(status, { location: elsewhere }).end();
}

function answerTo(id: PeerMessage['id'], result: object = {}): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}
