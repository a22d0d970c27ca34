import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import {
  classifyInboundRequest,
  CLIENT_CAPABILITIES_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
} from '@modelcontextprotocol/server';
import type { Message } from '../../e2e/proxy-process.js';
import type { HttpRecord } from '../../e2e/servers.js';
import { Line } from './line.js';
import { Reply } from './reply.js';

/** The statuses that 2026-07-28 has for errors. */
const STATUS: Readonly<Record<number, number>> = {
  [-32_601]: 404,
  [-32_602]: 400,
  [-32_020]: 400,
  [-32_021]: 400,
  [-32_022]: 400,
};

/** How a front of 2026-07-28 shares out requests. */
export interface RequestsOptions {
  /** True to give clients that can do different things different copies of mcp-connect. */
  readonly apart: boolean;
}

/** The front of 2026-07-28: each request is for itself, and whichever mcp-connect has nothing to do gets it. */
export class Requests {
  readonly #args: readonly string[];
  readonly #apart: boolean;
  readonly #workers: Worker[];

  constructor(args: readonly string[], { apart }: RequestsOptions) {
    this.#args = args;
    this.#apart = apart;
    this.#workers = [new Worker(args)];
  }

  /** Answers one request over HTTP. */
  handle({ verb, headers, body }: HttpRecord, response: ServerResponse): void {
    if (verb !== 'POST') return void response.writeHead(405).end();
    const message = JSON.parse(body) as Message;
    const { id, method } = message;
    // To mcp-connect that is a client of the other era.
    if (method === 'initialize') return refuse(response, id, { code: -32_601, message: 'Method not found' });
    const verdict = classifyInboundRequest({
      httpMethod: verb,
      ...header('protocolVersionHeader', headers['mcp-protocol-version']),
      ...header('mcpMethodHeader', headers['mcp-method']),
      ...header('mcpNameHeader', headers['mcp-name']),
      body: message,
    });
    if (verdict.kind === 'reject') {
      const { code, message: text, data } = verdict;
      return refuse(response, id, { code, message: text, data });
    }
    if (!saysWhatItIs(message, headers))
      return refuse(response, id, { code: -32_020, message: 'Header mismatch' });
    this.#workerFor(message).take(body, message, response);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  #workerFor(message: Message): Worker {
    const client = this.#apart ? abilitiesOf(message) : 'any';
    let worker = this.#workers.find((each) => each.isFreeFor(message, client));
    if (worker === undefined) this.#workers.push((worker = new Worker(this.#args)));
    worker.client = client;
    // The harness does not wait long for the first answer to the next client.
    if (this.#apart && this.#workers.every((each) => each.client !== undefined))
      this.#workers.push(new Worker(this.#args));
    return worker;
  }
}

/** One mcp-connect with at most one request under way, and any number of subscriptions. */
class Worker {
  readonly #line: Line;
  readonly #listening = new Map<unknown, Reply>();
  #underWay: Reply | undefined;
  /** Whom it is there for; undefined as long as it was not needed. */
  client: string | undefined;

  constructor(args: readonly string[]) {
    this.#line = new Line(args, (text, message) => this.#hand(text, message));
  }

  isFreeFor({ id, method }: Message, client: string): boolean {
    if ((this.client ?? client) !== client || this.#listening.has(id)) return false;
    return this.#underWay === undefined || method === LISTEN;
  }

  take(body: string, { id, method }: Message, response: ServerResponse): void {
    this.#line.write(body);
    if (id === undefined) return void response.writeHead(202).end();
    const reply = new Reply(response);
    if (method === LISTEN) this.#listening.set(id, reply);
    else this.#underWay = reply;
    response.once('close', () => this.#forget(id, reply));
  }

  close(): Promise<void> {
    return this.#line.close();
  }

  #hand(text: string, { id, method, params, error }: Message): void {
    const { [SUBSCRIPTION_ID_META_KEY]: subscription } = metaOf(params);
    const reply = this.#listening.get(subscription ?? id) ?? this.#underWay;
    if (method === undefined) reply?.answer(text, STATUS[error?.code ?? 0]);
    else reply?.say(text);
  }

  /** Whoever hangs up before the answer has cancelled the request. */
  #forget(id: unknown, reply: Reply): void {
    this.#listening.delete(id);
    if (this.#underWay === reply) this.#underWay = undefined;
    if (reply.isAnswered) return;
    const params = { requestId: id };
    this.#line.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }));
  }
}

/** What a request is about, by its method (2026-07-28 streamable-http, Mcp-Name; SEP-2663). */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

const LISTEN = 'subscriptions/listen';

/** What the client of a request can do. */
function abilitiesOf({ params }: Message): string {
  return JSON.stringify(metaOf(params)[CLIENT_CAPABILITIES_META_KEY] ?? {});
}

function metaOf(params: Message['params']): Readonly<Record<string, unknown>> {
  return (params?.['_meta'] ?? {}) as Readonly<Record<string, unknown>>;
}

/** Tells whether the headers repeat the method, and the name of what is asked for. */
function saysWhatItIs({ method, params }: Message, headers: IncomingHttpHeaders): boolean {
  const name = params?.[NAMED_BY[method ?? ''] ?? ''];
  return headers['mcp-method'] === method && (typeof name !== 'string' || headers['mcp-name'] === name);
}

function refuse(
  response: ServerResponse,
  id: unknown,
  error: { code: number; message: string; data?: unknown },
): void {
  new Reply(response).answer(JSON.stringify({ jsonrpc: '2.0', id, error }), STATUS[error.code] ?? 400);
}

function header(
  name: string,
  value: string | readonly string[] | undefined,
): Readonly<Record<string, string>> {
  return typeof value === 'string' ? { [name]: value } : {};
}
