import {
  Connector,
  ConnectorError,
  createLog,
  definePlugin,
  Envelope,
  type Pipeline,
} from '@mcp-connect/core';
import type { JSONRPCMessage } from '@mcp-connect/core';
import { expect } from 'chai';
import roundRobin from './index.js';

/** A connector to `a`, `b` and `c`, whose servers answer with their own name. */
class Bench {
  /** How often a server cannot be reached before it can. */
  readonly failures = new Map<string, number>();
  /** Every attempt to send, in order. */
  readonly tried: string[] = [];
  readonly #pipeline: Pipeline;
  #deliver: (message: JSONRPCMessage) => void = () => undefined;
  #id = 0;

  /** Servers that keep their answers to themselves. */
  readonly mute = new Set<string>();

  constructor(strategy: 'round-robin' | 'least-pending' = 'round-robin') {
    const log = createLog({ level: 'error', write: () => undefined });
    const connector = new Connector({ log, settings: { retryDelay: 1, timeout: 5_000 } });
    for (const name of ['a', 'b', 'c']) connector.endpoint(`memory://${name}`);
    connector.use(this.#memory(), {}).use(roundRobin, { strategy });
    this.#pipeline = connector.connect({ deliver: ({ message }) => this.#deliver(message) });
  }

  /** Sends a request and returns the name of the server that answered. */
  async ask(method: string): Promise<string> {
    const answer = new Promise<JSONRPCMessage>((resolve) => (this.#deliver = resolve));
    void this.#pipeline.accept(Envelope.of({ jsonrpc: '2.0', id: this.#id++, method }));
    return ((await answer) as unknown as { result: { by: string } }).result.by;
  }

  /** Sends a request whose answer does not come. Returns the way to take it back. */
  wait(server: string): () => void {
    const id = this.#id++;
    this.mute.add(server);
    void this.#pipeline.accept(Envelope.of({ jsonrpc: '2.0', id, method: 'ping' }));
    this.mute.delete(server);
    const params = { requestId: id };
    const cancel = Envelope.of({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
    return () => void this.#pipeline.accept(cancel);
  }

  close(): Promise<void> {
    return this.#pipeline.close();
  }

  #memory() {
    const { failures, tried, mute } = this;
    return definePlugin({
      name: 'memory',
      apply(connector) {
        connector.transport('memory', {
          open: ({ endpoint, onmessage }) => ({
            send({ id }) {
              const by = endpoint.address;
              tried.push(by);
              const left = failures.get(by) ?? 0;
              failures.set(by, left - 1);
              if (left > 0) throw new ConnectorError('MCPC_CONNECT', `${by} is down`);
              if (id !== undefined && !mute.has(by))
                void onmessage(Envelope.of({ jsonrpc: '2.0', id, result: { by } }));
            },
            close: async () => undefined,
          }),
        });
      },
    });
  }
}

describe('strategy-round-robin with --strategy least-pending', () => {
  it('takes the endpoint with the fewest waiting requests, and equals in turn', async () => {
    const bench = new Bench('least-pending');
    for (const server of ['a', 'b', 'c']) expect(await bench.ask('ping')).to.equal(server);
    const takeBack = bench.wait('a');
    expect([await bench.ask('ping'), await bench.ask('ping')]).to.deep.equal(['b', 'c']);
    expect(await bench.ask('ping')).not.to.equal('a');
    takeBack();
    await bench.close();
  });
});

describe('strategy-round-robin', () => {
  let bench: Bench;

  beforeEach(() => (bench = new Bench()));
  afterEach(() => bench.close());

  const asked = async (count: number): Promise<string[]> => {
    const answers: string[] = [];
    while (answers.length < count) answers.push(await bench.ask('ping'));
    return answers;
  };

  it('takes the endpoints in turn', async () => {
    expect(await asked(7)).to.deep.equal(['a', 'b', 'c', 'a', 'b', 'c', 'a']);
  });

  it('goes on to the next one when one fails, and keeps to the turn', async () => {
    bench.failures.set('b', Infinity);
    expect(await asked(6)).to.deep.equal(['a', 'c', 'c', 'a', 'c', 'c']);
    expect(bench.tried).to.deep.equal(['a', 'b', 'c', 'c', 'a', 'b', 'c', 'c']);
  });

  it('tries each once before any twice', async () => {
    bench.failures.set('a', 2).set('b', 2).set('c', 1);
    expect(await bench.ask('ping')).to.equal('c');
    expect(bench.tried).to.deep.equal(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('stays with the server that holds the session', async () => {
    expect(await bench.ask('ping')).to.equal('a');
    expect(await bench.ask('initialize')).to.equal('b');
    expect(await asked(3)).to.deep.equal(['b', 'b', 'b']);
  });

  it('leaves that server when it cannot be reached', async () => {
    expect(await bench.ask('initialize')).to.equal('a');
    bench.failures.set('a', Infinity);
    expect(await bench.ask('ping')).to.equal('b');
  });
});
