import assert from 'node:assert/strict';
import {
  ConnectorError,
  createLog,
  DEFAULT_SETTINGS,
  Envelope,
  type Delivered,
  type Endpoint,
  type ErrorCode,
  type RequestId,
  type Transport,
  type TransportKind,
} from '@mcp-connect/core';
import { textOf, type PeerHandler, type PeerMessage, type Say, type Served } from './peer.js';

/** Registers one test: mocha's `it`, and `test` of node:test and vitest, all are of this shape. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown;

/** Parts of the contract that a wire may be unable to show. What is set to false is skipped, and named as skipped. */
export interface TransportSupport {
  /** Messages sent one after another reach the peer in that order. Over several connections they may not. */
  readonly order?: boolean;
  /** `open` connects. Where connecting is part of sending, it cannot be refused or aborted. */
  readonly connect?: boolean;
  /** An endpoint where nobody serves can be told from one where somebody does. */
  readonly refuse?: boolean;
  /** The peer can break the connection off. */
  readonly cut?: boolean;
  /** The wire holds back a peer whose messages nobody takes. */
  readonly backPressure?: boolean;
}

/** What a transport is tested with. */
export interface TransportSuiteOptions {
  readonly kind: TransportKind;
  /** Starts a peer of this wire that hands every message to the handler. */
  serve(handler: PeerHandler): Promise<Served>;
  readonly supports?: TransportSupport;
}

const MEGABYTE = 1_048_576;

/**
 * Registers the contract of `Transport` as tests. Nothing but a function that registers a test is needed of the
 * runner.
 *
 * @returns the names of the tests that `supports` leaves out
 */
export function testTransport(register: RegisterTest, options: TransportSuiteOptions): readonly string[] {
  const { supports = {} } = options;
  const skipped: string[] = [];
  const test = (name: string, run: (bench: Bench) => Promise<void>, needs?: keyof TransportSupport): void => {
    if (needs !== undefined && supports[needs] === false) skipped.push(name);
    else register(name, () => onBench(options, run));
  };

  test('carries a request and its answer byte for byte', async (bench) => {
    const seen: string[] = [];
    const answer = '{"result":{"n":1.0,"x":"é€😀"},"extra":null,"id":"a","jsonrpc":"2.0"}';
    await bench.serve((text, say) => {
      seen.push(text);
      void say(answer);
    });
    const channel = await bench.open();
    const request =
      '{"method":"tools/call","id":"a","params":{"n":2.50,"x":"é€😀"},"jsonrpc":"2.0","extra":[]}';
    await channel.send(request);
    await channel.until(() => channel.texts.length === 1);
    assert.deepEqual(seen, [request]);
    assert.deepEqual(channel.texts, [answer]);
  });

  for (const id of [0, '', '0', -1, 'é']) {
    test(`keeps the id ${JSON.stringify(id)}`, async (bench) => {
      await bench.serve(answering());
      const channel = await bench.open();
      await channel.send(textOf({ id, method: 'ping' }));
      await channel.until(() => channel.envelopes.length === 1);
      assert.deepEqual([channel.envelopes[0]!.kind, channel.envelopes[0]!.id], ['response', id]);
    });
  }

  test(
    'sends messages in their order',
    async (bench) => {
      const seen: unknown[] = [];
      await bench.serve((text, say) => {
        const { id, params } = JSON.parse(text) as PeerMessage;
        seen.push(params?.['n']);
        if (id !== undefined) void say(textOf({ id, result: {} }));
      });
      const channel = await bench.open();
      const numbers = Array.from({ length: 200 }, (_, n) => n);
      const sent = numbers.map((n) => channel.send(textOf({ method: 'notifications/n', params: { n } })));
      sent.push(channel.send(textOf({ id: 1, method: 'ping', params: { n: 'last' } })));
      await Promise.all(sent);
      await channel.until(() => channel.envelopes.length === 1);
      assert.deepEqual(seen, [...numbers, 'last']);
    },
    'order',
  );

  test('carries notifications both ways', async (bench) => {
    const notified = gate();
    await bench.serve((text, say) => {
      const { id, method } = JSON.parse(text) as PeerMessage;
      if (method === 'notifications/here') notified.open();
      if (id === undefined) return;
      void say(textOf({ method: 'notifications/there', params: { n: 1 } }));
      void say(textOf({ id, result: {} }));
    });
    const channel = await bench.open();
    await channel.send(textOf({ method: 'notifications/here' }));
    await notified.opened;
    await channel.send(textOf({ id: 1, method: 'ping' }));
    await channel.until(() => channel.envelopes.length === 2);
    assert.deepEqual(
      channel.envelopes.map(({ kind }) => kind),
      ['notification', 'response'],
    );
  });

  test('carries a request of the server and its answer', async (bench) => {
    const answers: PeerMessage[] = [];
    let sayFirst: Say | undefined;
    await bench.serve((text, say) => {
      const message = JSON.parse(text) as PeerMessage;
      if (message.method !== undefined) {
        sayFirst = say;
        void say(textOf({ id: 1, method: 'roots/list' }));
        return;
      }
      answers.push(message);
      void sayFirst!(textOf({ id: 1, result: { done: true } }));
    });
    const channel = await bench.open();
    await channel.send(textOf({ id: 1, method: 'tools/call' }));
    await channel.until(() => channel.envelopes.length === 1);
    assert.equal(channel.envelopes[0]!.method, 'roots/list');
    await channel.send(textOf({ id: 1, result: { roots: [] } }));
    await channel.until(() => channel.envelopes.length === 2);
    assert.deepEqual(answers[0]!.result, { roots: [] });
    assert.equal(channel.envelopes[1]!.kind, 'response');
  });

  test('delivers 1000 messages in their order, the answer last', async (bench) => {
    await bench.serve((text, say) => {
      const { id } = JSON.parse(text) as PeerMessage;
      for (let n = 0; n < 1_000; n++) void say(textOf({ method: 'notifications/n', params: { n } }));
      void say(textOf({ id, result: { n: 1_000 } }));
    });
    const channel = await bench.open();
    await channel.send(textOf({ id: 1, method: 'tools/call' }));
    await channel.until(() => channel.envelopes.length === 1_001);
    const numbers = channel.messages().map(({ params, result }) => (params ?? result)?.['n']);
    assert.deepEqual(
      numbers,
      Array.from({ length: 1_001 }, (_, n) => n),
    );
  });

  test('carries 5 MB both ways, multi-byte characters and all', async (bench) => {
    await bench.serve((text, say) => {
      const { id, params } = JSON.parse(text) as PeerMessage;
      void say(textOf({ id, result: { back: params!['filler'] } }));
    });
    const channel = await bench.open();
    const filler = 'aé€😀'.repeat((5 * MEGABYTE) / 10);
    await channel.send(textOf({ id: 1, method: 'tools/call', params: { filler } }));
    await channel.until(() => channel.envelopes.length === 1);
    assert.equal(channel.messages()[0]!.result!['back'] === filler, true);
  });

  test('brings answers home that come in another order', async (bench) => {
    const asked: { id: unknown; say: Say }[] = [];
    await bench.serve((text, say) => {
      asked.push({ id: (JSON.parse(text) as PeerMessage).id, say });
      if (asked.length < 20) return;
      for (const one of asked.reverse()) void one.say(textOf({ id: one.id, result: { id: one.id } }));
    });
    const channel = await bench.open();
    const ids = Array.from({ length: 20 }, (_, id) => id);
    await Promise.all(ids.map((id) => channel.send(textOf({ id, method: 'tools/call' }))));
    await channel.until(() => channel.envelopes.length === 20);
    for (const { id, result } of channel.messages()) assert.equal(result!['id'], id);
    assert.deepEqual(new Set(channel.envelopes.map(({ id }) => id)), new Set(ids));
  });

  test(
    'pauses the peer while onmessage is busy',
    async (bench) => {
      const total = 400;
      const filler = 'x'.repeat(100_000);
      await bench.serve((text, say) => {
        const { id } = JSON.parse(text) as PeerMessage;
        void (async () => {
          for (let n = 1; n < total; n++)
            await say(textOf({ method: 'notifications/n', params: { n, filler } }));
          await say(textOf({ id, result: {} }));
        })();
      });
      const channel = await bench.open();
      const taking = gate();
      channel.busy = taking.opened;
      await channel.send(textOf({ id: 1, method: 'tools/call' }));
      await channel.until(() => channel.envelopes.length > 0);
      await quiet(() => channel.envelopes.length);
      assert.ok(channel.envelopes.length < total, 'everything was delivered although nobody took it');
      channel.busy = undefined;
      taking.open();
      await channel.until(() => channel.envelopes.length === total);
      assert.equal(channel.envelopes.at(-1)!.kind, 'response');
    },
    'backPressure',
  );

  test(
    'tells of a request whose peer is gone that its outcome is unknown',
    async (bench) => {
      const read = gate();
      const peer = await bench.serve(() => read.open());
      const channel = await bench.open();
      const sent = channel.send(textOf({ id: 'x', method: 'tools/call' })).catch((error: unknown) => error);
      await read.opened;
      peer.cut!();
      const error = await Promise.race([
        channel.ended('x'),
        sent.then((failed) => failed ?? new Promise<never>(() => undefined)),
      ]);
      assertError(error, undefined, 'unknown');
      assert.deepEqual(channel.texts, []);
    },
    'cut',
  );

  test(
    'fails with MCPC_CONNECT and nothing delivered where nobody serves',
    async (bench) => {
      const peer = await bench.serve(answering());
      await peer.close();
      const failed = await bench
        .open()
        .then(
          (channel) => channel.send(textOf({ id: 1, method: 'ping' })).then(() => channel.ended(1), identity),
          identity,
        );
      assertError(failed, 'MCPC_CONNECT', 'no');
    },
    'refuse',
  );

  test(
    'opens nothing once its signal is aborted',
    async (bench) => {
      await bench.serve(answering());
      await assert.rejects(bench.open(AbortSignal.abort()));
    },
    'connect',
  );

  test('closes more than once with the same end, and frees everything', async (bench) => {
    // What earlier tests left to close comes to its end, and the runner's own timer starts.
    await quiet(() => process.getActiveResourcesInfo().length);
    const before = process.getActiveResourcesInfo();
    const peer = await bench.serve(answering());
    const channel = await bench.open();
    await channel.send(textOf({ id: 1, method: 'ping' }));
    await channel.until(() => channel.envelopes.length === 1);
    await Promise.all([channel.transport.close(), channel.transport.close()]);
    await channel.transport.close();
    await peer.close();
    await quiet(() => process.getActiveResourcesInfo().length);
    assert.deepEqual(held(before, process.getActiveResourcesInfo()), []);
  });

  test('delivers nothing once it is closed', async (bench) => {
    const read = gate();
    let answer: (() => void) | undefined;
    const peer = await bench.serve((text, say) => {
      const { id } = JSON.parse(text) as PeerMessage;
      answer = () => void say(textOf({ id, result: {} }));
      read.open();
    });
    const channel = await bench.open();
    channel.send(textOf({ id: 1, method: 'tools/call' })).catch(() => undefined);
    await read.opened;
    await channel.transport.close();
    answer!();
    await peer.close();
    await quiet(() => channel.envelopes.length);
    assert.deepEqual(channel.texts, []);
  });

  test('refuses to send once it is closed, with nothing delivered', async (bench) => {
    let reached = 0;
    await bench.serve(() => reached++);
    const channel = await bench.open();
    await channel.transport.close();
    const failed = await channel.send(textOf({ id: 1, method: 'ping' })).catch(identity);
    assertError(failed, undefined, 'no');
    assert.equal(reached, 0);
  });

  return skipped;
}

/** One channel of the transport under test, with all that it told. */
class OpenChannel {
  transport!: Transport;
  readonly envelopes: Envelope[] = [];
  /** What `onmessage` returns. */
  busy: Promise<void> | undefined;
  readonly #lost = new Map<RequestId, ConnectorError>();
  #closed: { error: ConnectorError | undefined } | undefined;
  readonly #waiting = new Set<() => void>();

  /** Opens a channel. */
  async open(kind: TransportKind, endpoint: Endpoint, signal: AbortSignal): Promise<this> {
    this.transport = await kind.open({
      endpoint,
      settings: DEFAULT_SETTINGS,
      log: createLog({ level: 'error', write: () => undefined }),
      signal,
      credentials: async () => ({ headers: {} }),
      onmessage: (envelope) => {
        this.envelopes.push(envelope);
        this.#look();
        return this.busy;
      },
      onforgotten: () => undefined,
      onmissed: () => undefined,
      onlost: (id, error) => {
        this.#lost.set(id, error);
        this.#look();
      },
      onclose: (error) => {
        this.#closed = { error };
        this.#look();
      },
    });
    return this;
  }

  get texts(): string[] {
    return this.envelopes.map(({ bytes }) => bytes.toString());
  }

  messages(): PeerMessage[] {
    return this.envelopes.map(({ message }) => message as PeerMessage);
  }

  /** Sends a message, and makes a promise of whatever comes of it. */
  async send(text: string): Promise<void> {
    await this.transport.send(Envelope.read(Buffer.from(text)), { headers: {} });
    await this.transport.drain?.();
  }

  /** Settles once the condition holds; it is looked at after all that the transport tells. */
  until(ready: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!ready()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Settles with the error that ended this request: its own, or that of the whole channel. */
  async ended(id: RequestId): Promise<ConnectorError | undefined> {
    await this.until(() => this.#lost.has(id) || this.#closed !== undefined);
    return this.#lost.get(id) ?? this.#closed?.error;
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

/** What one test works with; all that it started ends with it. */
interface Bench {
  serve(handler: PeerHandler): Promise<Served>;
  open(signal?: AbortSignal): Promise<OpenChannel>;
}

async function onBench(options: TransportSuiteOptions, run: (bench: Bench) => Promise<void>): Promise<void> {
  const ends: (() => Promise<void>)[] = [];
  let endpoint: Endpoint | undefined;
  try {
    await run({
      async serve(handler) {
        const served = await options.serve(handler);
        ({ endpoint } = served);
        ends.push(() => served.close());
        return served;
      },
      async open(signal = new AbortController().signal) {
        options.kind.validate?.(endpoint!);
        const channel = await new OpenChannel().open(options.kind, endpoint!, signal);
        ends.push(() => channel.transport.close());
        return channel;
      },
    });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

function answering(): PeerHandler {
  return (text, say) => void say(textOf({ id: (JSON.parse(text) as PeerMessage).id, result: {} }));
}

function assertError(error: unknown, code: ErrorCode | undefined, delivered: Delivered): void {
  assert.ok(error instanceof ConnectorError, 'the failure is no ConnectorError');
  if (code !== undefined) assert.equal(error.code, code);
  assert.equal(error.delivered, delivered);
}

function identity<T>(value: T): T {
  return value;
}

/** Resources that are held now and were not before. */
function held(before: readonly string[], now: readonly string[]): string[] {
  const left = [...before];
  return now.filter((name) => {
    const at = left.indexOf(name);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

/** Waits until a figure has stayed the same for a while of turns of the event loop. */
async function quiet(figure: () => number): Promise<void> {
  for (let turns = 0, last = figure(); turns < 200; turns++) {
    await new Promise(setImmediate);
    if (figure() === last) continue;
    last = figure();
    turns = 0;
  }
}

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
