import assert from 'node:assert/strict';
import {
  Connector,
  ConnectorError,
  createLog,
  parseEndpoint,
  type Attempt,
  type Candidate,
  type Exchange,
  type Flags,
  type FlagValues,
  type Plugin,
} from '@mcp-connect/core';
import { onLine, type Arrival, type Line } from './line.js';
import type { PeerMessage } from './peer.js';
import { checkPlugin } from './plugin.js';
import type { RegisterTest } from './transport.js';

/** How a strategy gets to know endpoints. */
export interface StrategySetup<F extends Flags> {
  /** Those that the connector names itself. */
  readonly endpoints: readonly string[];
  /** Options of the plugin, which may name the others. */
  readonly options: Partial<FlagValues<F>>;
}

/** What a plugin that chooses endpoints is tested with. */
export interface StrategySuiteOptions<F extends Flags> {
  readonly plugin: Plugin<F>;
  /** Says how these endpoints are named; by the connector and without options where it is not given. */
  setup?(endpoints: readonly string[]): StrategySetup<F>;
  readonly supports?: StrategySupport;
}

/** Parts of the contract that a strategy may leave out. What is set to false is left out. */
export interface StrategySupport {
  /** What belongs to a session stays with the endpoint that holds it. */
  readonly affinity?: boolean;
}

/** Milliseconds after which a request is given up where nobody can be reached. */
const SHORT = 300;

/**
 * Registers the contract of a plugin that taps `selectTransport` as tests: its choices one by one, and what becomes of
 * requests while endpoints fail.
 *
 * @returns the names of the tests that are left out
 */
export function testStrategy<F extends Flags>(
  register: RegisterTest,
  suite: StrategySuiteOptions<F>,
): readonly string[] {
  const skipped: string[] = [];
  const test = (name: string, run: (bench: Bench) => Promise<void>): void =>
    void register(name, () => onBench(suite, run));
  const keepsSessions = (name: string, run: (choose: Choose) => Promise<void>): void => {
    if (suite.supports?.affinity === false) skipped.push(name);
    else register(name, () => run(chooserOf(suite)));
  };

  register('is a plugin whose flags are plain data', async () => checkPlugin(suite.plugin));

  register('chooses one of the candidates that it is offered', async () => {
    const choose = chooserOf(suite);
    for (const indexes of [[0], [1], [0, 1], [1, 3], [3, 1, 0], [0, 1, 2, 3]]) {
      const candidates = indexes.map((index) => candidate(index));
      for (let n = 0; n < 8; n++) await choose(candidates);
    }
  });

  register('tries each candidate once before any twice, and goes on after that', async () => {
    const choose = chooserOf(suite);
    const candidates = [0, 1, 2, 3].map((index) => candidate(index));
    const [one, other] = [request(), request()];
    for (const round of [1, 2, 3]) {
      for (const asked of [one, other]) await asked.attempt(choose, candidates);
      for (let n = 1; n < candidates.length; n++)
        for (const asked of [one, other]) await asked.attempt(choose, candidates);
      for (const { attempts } of [one, other]) {
        const tried = attempts.slice(-candidates.length).map((attempt) => attempt.candidate.index);
        assert.equal(new Set(tried).size, candidates.length, `round ${round} tried ${tried.join(', ')}`);
      }
    }
  });

  keepsSessions('stays with the endpoint that a session is bound to', async (choose) => {
    for (const bound of [0, 1, 2]) {
      const candidates = [0, 1, 2].map((index) => candidate(index, index === bound ? 1 : 0));
      const chosen = await choose(candidates, request(candidates[bound]).exchange);
      assert.equal(chosen.index, bound);
    }
  });

  keepsSessions('leaves that endpoint once it has failed', async (choose) => {
    const candidates = [candidate(0), candidate(1, 1), candidate(2)];
    const asked = request(candidates[1]);
    await asked.attempt(choose, candidates);
    assert.notEqual((await choose(candidates, asked.exchange)).index, 1);
  });

  test('sends each of many requests to one server', async ({ line, arrived }) => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => line.ask('tools/call')));
    assert.deepEqual(
      answers.filter(({ result }) => result === undefined),
      [],
    );
    assert.equal(arrived.length, 200);
  });

  for (const down of [0, 1, 2]) {
    test(`has every request answered while server ${down + 1} of 3 is down`, async (bench) => {
      bench.down.add(bench.names[down]!);
      for (let n = 0; n < 6; n++) assert.ok((await bench.line.ask()).result);
    });
  }

  test('has the last server that is up answer', async (bench) => {
    for (const up of bench.names) {
      for (const name of bench.names) bench.down[name === up ? 'delete' : 'add'](name);
      assert.equal((await bench.line.ask()).result?.['by'], up);
    }
  });

  test('has all servers tried before a request fails', async (bench) => {
    for (const name of bench.names) bench.down.add(name);
    const { error } = await bench.line.ask('initialize');
    assert.equal((error!.data as { source?: string }).source, 'mcp-connect');
    assert.deepEqual(new Set(bench.tried), new Set(bench.names));
  });

  return skipped;
}

/** Runs `selectTransport` and checks that what comes of it was offered. */
type Choose = (candidates: readonly Candidate[], exchange?: Exchange) => Promise<Candidate>;

function chooserOf<F extends Flags>(suite: StrategySuiteOptions<F>): Choose {
  const { endpoints, options } = setupOf(suite, ['memory://a', 'memory://b', 'memory://c', 'memory://d']);
  const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
  for (const endpoint of endpoints) connector.endpoint(endpoint);
  connector.transport('memory', { open: () => assert.fail('nothing has to be opened to choose') });
  connector.use(suite.plugin, options).start();
  return async (candidates, exchange = request().exchange) => {
    const offered = Object.freeze(candidates);
    const chosen = await connector.hooks.selectTransport.promise(offered, exchange);
    // Where no plugin chooses, the connector goes to the endpoint that is bound, else to the first.
    const taken = chosen ?? exchange.affinity ?? candidates[0]!;
    assert.ok(offered.includes(taken), `it chose ${taken.endpoint.label}, which was not offered`);
    return taken;
  };
}

function candidate(index: number, pending = 0): Candidate {
  const endpoint = parseEndpoint(`memory://${'abcd'[index]}`);
  return Object.freeze({
    endpoint,
    index,
    open: true,
    pending,
    state: 'up',
    failures: 0,
    quarantined: undefined,
  });
}

/** A request as a strategy sees it, and how its attempts fail. */
interface Asked {
  readonly exchange: Exchange;
  readonly attempts: readonly Attempt[];
  /** Makes one attempt, which fails. */
  attempt(choose: Choose, candidates: readonly Candidate[]): Promise<void>;
}

function request(affinity?: Candidate): Asked {
  const state = new Map<unknown, unknown>();
  let attempts: readonly Attempt[] = [];
  const refuse = (): never => assert.fail('a strategy neither answers nor drops');
  const exchange: Exchange = {
    id: 1,
    method: 'tools/call',
    safe: false,
    affinity,
    get attempts() {
      return attempts;
    },
    handled: false,
    state,
    answer: refuse,
    request: () => assert.fail('a strategy chooses by what it knows'),
    notifyClient: () => undefined,
    notifyServer: () => undefined,
    drop: refuse,
  };
  return {
    exchange,
    get attempts() {
      return attempts;
    },
    async attempt(choose, candidates) {
      const chosen = await choose(candidates, exchange);
      const error = new ConnectorError('MCPC_CONNECT', `${chosen.endpoint.label} is down.`);
      attempts = Object.freeze([...attempts, { candidate: chosen, error, ms: 1 }]);
    },
  };
}

/** Three servers behind the strategy. */
interface Bench {
  readonly line: Line;
  /** The names of the servers, in the order in which they were named. */
  readonly names: readonly string[];
  /** Those that cannot be reached. */
  readonly down: Set<string>;
  /** The server of each attempt, and of each message that arrived. */
  readonly tried: readonly string[];
  readonly arrived: readonly string[];
}

function onBench<F extends Flags>(
  suite: StrategySuiteOptions<F>,
  run: (bench: Bench) => Promise<void>,
): Promise<void> {
  const names = ['a', 'b', 'c'];
  const { endpoints, options } = setupOf(
    suite,
    names.map((name) => `memory://${name}`),
  );
  const bench = { names, down: new Set<string>(), tried: [] as string[], arrived: [] as string[] };
  const serve = ({ endpoint: { address }, envelope, say }: Arrival): void => {
    bench.tried.push(address);
    if (bench.down.has(address)) throw new ConnectorError('MCPC_CONNECT', `${address} is down.`);
    bench.arrived.push(address);
    const { id } = envelope.message as PeerMessage;
    if (id !== undefined) say({ id, result: { by: address } });
  };
  const line = {
    scheme: 'memory',
    endpoints,
    serve,
    settings: { timeout: SHORT, retryDelay: 1 },
    use: (connector: Connector) => void connector.use(suite.plugin, options),
  };
  return onLine(line, (opened) => run({ ...bench, line: opened }));
}

function setupOf<F extends Flags>(
  { setup }: StrategySuiteOptions<F>,
  endpoints: readonly string[],
): StrategySetup<F> {
  return setup?.(endpoints) ?? { endpoints, options: {} };
}
