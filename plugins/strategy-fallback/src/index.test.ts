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
import fallback from './index.js';

/** A connector to `a` and its fallbacks `b` and `c`, whose servers answer with their own name. */
class Bench {
  /** How often a server cannot be reached before it can. */
  readonly failures = new Map<string, number>();
  /** Every attempt to open a channel, in order. */
  readonly opened: string[] = [];
  /** Servers that keep their answers to themselves. */
  readonly mute = new Set<string>();
  #onsent: (by: string) => void = () => undefined;
  readonly #pipeline: Pipeline;
  #deliver: (message: JSONRPCMessage) => void = () => undefined;
  #id = 0;

  constructor(fallbacks?: string, failback: 'never' | 'idle' | 'now' = 'idle') {
    const log = createLog({ level: 'error', write: () => undefined });
    const settings = { retryDelay: 1, timeout: 5_000, ejectionTime: 10 };
    const connector = new Connector({ log, settings });
    connector.endpoint('memory://a');
    connector.use(this.#memory(), {});
    connector.use(fallback, { fallbacks, 'fallback-command': undefined, failback });
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

  /** Settles when this server gets its next message. */
  reached(server: string): Promise<void> {
    return new Promise((resolve) => (this.#onsent = (by) => by === server && resolve()));
  }

  /** Settles when this server has given a sign of life. */
  async revived(server: string): Promise<void> {
    this.failures.delete(server);
    await this.reached(server);
    await new Promise(setImmediate);
  }

  close(): Promise<void> {
    return this.#pipeline.close();
  }

  #memory() {
    const { failures, opened, mute } = this;
    const onsent = (by: string): void => this.#onsent(by);
    return definePlugin({
      name: 'memory',
      apply(connector) {
        connector.transport('memory', {
          open({ endpoint, onmessage }) {
            const by = endpoint.address;
            opened.push(by);
            const check = (): void => {
              const left = failures.get(by) ?? 0;
              failures.set(by, left - 1);
              if (left > 0) throw new ConnectorError('MCPC_CONNECT', `${by} is down`);
            };
            check();
            return {
              send({ id }) {
                check();
                if (id !== undefined && !mute.has(by))
                  void onmessage(Envelope.of({ jsonrpc: '2.0', id, result: { by } }));
                onsent(by);
              },
              close: async () => undefined,
            };
          },
        });
      },
    });
  }
}

describe('strategy-fallback', () => {
  let bench: Bench;

  afterEach(() => bench.close());

  it('goes to the endpoint while that works', async () => {
    bench = new Bench('memory://b,memory://c');
    expect(await bench.ask('ping')).to.equal('a');
    expect(await bench.ask('ping')).to.equal('a');
    expect(bench.opened).to.deep.equal(['a']);
  });

  it('tries the fallbacks in order when it does not', async () => {
    bench = new Bench('memory://b,memory://c');
    bench.failures.set('a', Infinity).set('b', Infinity);
    expect(await bench.ask('ping')).to.equal('c');
    expect(bench.opened).to.deep.equal(['a', 'b', 'c']);
  });

  it('tries them in turn for as long as none works, the one that failed longest ago first', async () => {
    bench = new Bench('memory://b');
    bench.failures.set('a', 2).set('b', 1);
    expect(await bench.ask('ping')).to.equal('b');
    expect(bench.opened).to.deep.equal(['a', 'b', 'a', 'b']);
  });

  it('stays with the server that holds the session', async () => {
    bench = new Bench('memory://b');
    bench.failures.set('a', 1);
    expect(await bench.ask('initialize')).to.equal('b');
    expect(await bench.ask('tools/list')).to.equal('b');
  });

  it('leaves that server when it cannot be reached', async () => {
    bench = new Bench('memory://b');
    expect(await bench.ask('initialize')).to.equal('a');
    bench.failures.set('a', Infinity);
    expect(await bench.ask('tools/list')).to.equal('b');
  });

  it('keeps a fallback that works until the endpoint has given a sign of life, then returns', async () => {
    bench = new Bench('memory://b');
    bench.failures.set('a', Infinity);
    expect(await bench.ask('tools/call')).to.equal('b');
    expect(await bench.ask('tools/call')).to.equal('b');
    await bench.revived('a');
    expect(await bench.ask('tools/call')).to.equal('a');
  });

  it('returns when nothing is under way, or at once with --failback now', async () => {
    for (const [failback, next] of [
      ['idle', 'b'],
      ['now', 'a'],
    ] as const) {
      bench = new Bench('memory://b', failback);
      bench.failures.set('a', Infinity);
      expect(await bench.ask('ping')).to.equal('b');
      const takeBack = bench.wait('b');
      await bench.revived('a');
      expect(await bench.ask('ping'), failback).to.equal(next);
      takeBack();
      await bench.close();
    }
  });

  it('never returns with --failback never', async () => {
    bench = new Bench('memory://b', 'never');
    bench.failures.set('a', Infinity);
    // So often that nothing but the fallback is left to choose.
    for (let n = 0; n < 4; n++) expect(await bench.ask('ping')).to.equal('b');
    await bench.revived('a');
    expect(await bench.ask('ping')).to.equal('b');
    bench.failures.set('b', Infinity);
    expect(await bench.ask('ping')).to.equal('a');
  });

  it('brings the session along when it returns', async () => {
    bench = new Bench('memory://b');
    expect(await bench.ask('initialize')).to.equal('a');
    bench.failures.set('a', Infinity);
    expect(await bench.ask('tools/list')).to.equal('b');
    await bench.revived('a');
    expect(await bench.ask('tools/list')).to.equal('a');
  });

  it('does nothing without --fallbacks', async () => {
    bench = new Bench();
    expect(await bench.ask('ping')).to.equal('a');
  });
});
