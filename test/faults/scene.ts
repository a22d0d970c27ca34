import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { commandEndpoint } from '@mcp-connect/core';
import {
  defaultOutcome,
  scriptedHttp,
  scriptedStdio,
  scriptedTcp,
  type Outcome,
  type PeerMessage,
  type Script,
  type ScriptedServer,
} from '@mcp-connect/testing';
import { exitText, RawClient, type Exit, type Id } from './client.js';
import { isHttp, type Column } from './column.js';
import { check, see, type Expected } from './expected.js';
import type { Row, Setup } from './row.js';
import type { Subject } from './subjects.js';

/** How long an answer may take, in milliseconds: far more than any subject needs that gives one. */
const PATIENCE = 10_000;

/** How long a subject may take to end, in milliseconds: the grace of requests, and three steps for a stubborn child. */
const FAREWELL = 10_000;

/** How long news may take that a subject does not confirm, as of a lost connection, in milliseconds. */
const NOTICE = 250;

/** The name of the tool that rows call. */
const TOOL = 'act';

/** A server, a subject in front of it and a client: all that a row plays with. */
export class Scene {
  readonly column: Column;
  readonly subject: Subject;
  readonly server: ScriptedServer;
  readonly #spare: ScriptedServer | undefined;
  readonly client: RawClient;
  /** How much the row's heavy parts weigh: 1 in the CLI, less in the test run. */
  readonly scale: number;
  #ids = 0;

  constructor(
    parts: Pick<Scene, 'column' | 'subject' | 'server' | 'client' | 'scale'> & {
      readonly spare?: ScriptedServer | undefined;
    },
  ) {
    this.column = parts.column;
    this.subject = parts.subject;
    this.server = parts.server;
    this.#spare = parts.spare;
    this.client = parts.client;
    this.scale = parts.scale;
  }

  /** The second server of a row that has two. */
  get spare(): ScriptedServer {
    check(this.#spare !== undefined, 'the row has no second server');
    return this.#spare;
  }

  get isModern(): boolean {
    return this.column.era === 'modern';
  }

  /** Begins a session where the era has any. */
  async open(): Promise<void> {
    if (this.isModern) return;
    see(await this.answer(this.initialize()), { kind: 'result' }, this.subject);
    this.client.send({ method: 'notifications/initialized' });
  }

  /** Sends `initialize` and returns its id. */
  initialize(): Id {
    const clientInfo = { name: 'raw', version: '0' };
    return this.request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  }

  /** Sends a request and returns its id. */
  request(method: string, params: object = {}, id: Id = ++this.#ids): Id {
    this.client.send(this.compose(method, params, id));
    return id;
  }

  /** A request of this column's era. */
  compose(method: string, params: object, id: Id): PeerMessage {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    return { id, method, params: this.isModern ? { ...params, _meta: meta } : { ...params } };
  }

  /** Calls the tool and returns the id of the request. */
  call(args: object = {}, id?: Id): Id {
    return this.request('tools/call', { name: TOOL, arguments: args }, id);
  }

  /** Sends a request byte by byte, and returns its id. */
  async dribble(method: string, params: object): Promise<Id> {
    const id = ++this.#ids;
    this.client.expect(id);
    const text = JSON.stringify({ jsonrpc: '2.0', ...this.compose(method, params, id) });
    for (const byte of Buffer.from(`${text}\n`)) {
      this.client.write(Buffer.of(byte));
      await nextTurn();
    }
    return id;
  }

  /** Takes a request back. */
  cancel(requestId: Id): void {
    this.client.excuse(requestId);
    this.client.send({ method: 'notifications/cancelled', params: { requestId } });
  }

  /**
   * Waits until the subject has read all that was sent: a line that is no JSON is refused in its turn. Other people's
   * bridges refuse nothing, and are given time.
   */
  async taken(): Promise<void> {
    if (this.subject.foreign) return pause(NOTICE);
    const before = this.client.answersTo(null).length;
    this.client.write('?\n');
    await this.until(() => this.client.answersTo(null).length > before, 'it does not read');
  }

  /** Checks that the server learns of so many cancelled calls, in the way of its wire and era. */
  async toldOfCancel(count: number): Promise<void> {
    const told = (): number =>
      this.isModern && isHttp(this.column.wire)
        ? this.server.abandoned('tools/call')
        : this.server.messages.filter(({ method }) => method === 'notifications/cancelled').length;
    await this.served(() => told() >= count, 'the server was not told of the cancellation');
  }

  /** Settles once the client has seen something; rejects with `fault` when it does not. */
  until(holds: () => boolean, fault: string): Promise<void> {
    return this.client.until(holds, PATIENCE, fault);
  }

  answer(id: Id, within = PATIENCE): Promise<PeerMessage> {
    return this.client.answer(id, within);
  }

  /** Waits for an answer and checks what it is. */
  async see(id: Id, expected: Expected, within?: number): Promise<PeerMessage> {
    const answer = await this.answer(id, within);
    see(answer, expected, this.subject);
    return answer;
  }

  /** The server goes away, and the subject has time to notice: a call that crosses the news may have been read. */
  async goDown(): Promise<void> {
    await this.server.stop();
    await pause(NOTICE);
  }

  /** The server loses its connections, and the subject has time to notice. */
  async lose(): Promise<void> {
    this.server.cut();
    await pause(NOTICE);
  }

  /** Checks how often a request was carried out at the server. */
  executed(count: number, method = 'tools/call'): void {
    const seen = this.server.executions(method);
    check(seen === count, `${method} was carried out ${seen} times, not ${count}`);
  }

  /** Settles once the server has seen something; rejects with `fault` when it does not. */
  async served(holds: () => boolean, fault: string, within = PATIENCE): Promise<void> {
    await atMost(within, this.server.until(holds), fault);
  }

  /** Checks that requests go on being answered. */
  async goOn(): Promise<void> {
    await this.see(this.request('prompts/list'), { kind: 'result' });
  }

  /** Waits for the end of the subject. */
  async exit(): Promise<Exit> {
    await atMost(FAREWELL, this.client.exit, 'it did not end');
    return this.client.exited!;
  }

  /** Waits for an end in good order. */
  async leave(): Promise<void> {
    const exit = await this.exit();
    check(exit.code === 0, `it ended with ${exitText(exit)}`);
  }
}

/** Plays one row in one column. Returns what was wrong, or undefined. */
export async function playRow(
  row: Row,
  { column, subject, scale }: Pick<Scene, 'column' | 'subject' | 'scale'>,
): Promise<string | undefined> {
  const setup = row.server(column);
  const server = await serve(setup, column);
  const spare = setup.spare === undefined ? undefined : await serve(setup.spare, column);
  const folder = await mkdtemp(join(tmpdir(), 'mcp-connect-faults-'));
  const endpoint = setup.program === undefined ? server.endpoint : commandEndpoint(setup.program);
  const { flags = [], credentials = false, strategy } = row;
  const second = spare && strategy && { endpoint: spare.endpoint, strategy };
  const client = new RawClient(
    subject.command({ endpoint, folder, flags, credentials, ...(second && { spare: second }) }),
  );
  const scene = new Scene({ column, subject, server, spare, client, scale });
  try {
    if (row.unopened !== true) await scene.open();
    const arrives = row.unopened !== true && column.era === 'legacy' && setup.program === undefined;
    if (arrives) await scene.served(isInitialized(server), 'initialized did not arrive');
    await row.play(scene);
    if (row.stops !== true) {
      check(client.exited === undefined, 'it ended by itself');
      client.end();
      await scene.exit();
    }
    return client.fault;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    client.signal('SIGKILL');
    await client.exit;
    await server.close();
    await spare?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function isInitialized({ messages }: ScriptedServer): () => boolean {
  return () => messages.some(({ method }) => method === 'notifications/initialized');
}

function serve(setup: Omit<Setup, 'program' | 'spare'>, { wire }: Column): Promise<ScriptedServer> {
  const script = setup.script ?? (() => undefined);
  if (isHttp(wire)) return scriptedHttp(wire === 'sse' ? inEvents(script) : script, setup);
  return wire === 'tcp' ? scriptedTcp(script, setup) : scriptedStdio(script, setup);
}

/** Gives every answer as a stream of events. */
function inEvents(script: Script): Script {
  return (request) => {
    const outcome: Outcome = script(request) ?? defaultOutcome(request);
    return outcome.kind === 'reply' ? { ...outcome, sse: true } : outcome;
  };
}

async function atMost(patience: number, event: Promise<unknown>, fault: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${fault} in ${patience / 1000} s`)), patience);
  });
  try {
    await Promise.race([event, late]);
  } finally {
    clearTimeout(timer);
  }
}
