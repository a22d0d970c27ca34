import assert from 'node:assert/strict';
import {
  ConnectorError,
  type Connector,
  type Credentials,
  type Flags,
  type FlagValues,
  type WebRequest,
} from '@mcp-connect/core';
import { onLine, type Arrival, type Line } from './line.js';
import { textOf, type PeerMessage } from './peer.js';
import { checkPlugin, type PluginSuiteOptions } from './plugin.js';
import type { RegisterTest } from './transport.js';

/** What a plugin that signs in is tested with. */
export interface AuthSuiteOptions<F extends Flags> extends PluginSuiteOptions<F> {
  /** Returns the options with which it signs in; asked anew for each test. */
  options(): Partial<FlagValues<F>>;
  /** Judges a request as a server does: true lets it in. */
  accepts(request: WebRequest): boolean;
  /** Texts that no log and no error may show. */
  readonly secrets: readonly string[];
  /** Has the server accept other credentials from now on, which the plugin can come by. */
  renew?(): void | Promise<void>;
  /** The endpoint; `https://server.example/mcp` where not given. */
  readonly endpoint?: string;
  readonly supports?: AuthSupport;
}

/** Parts of the contract that a plugin may have no use for. What is set to false is left out. */
export interface AuthSupport {
  /** Without options the plugin does nothing. */
  readonly idle?: boolean;
}

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Registers the contract of a plugin that signs in as tests: what it does in `authenticate`, as a server sees it.
 *
 * @returns the names of the tests that are left out
 */
export function testAuth<F extends Flags>(
  register: RegisterTest,
  suite: AuthSuiteOptions<F>,
): readonly string[] {
  const { plugin, accepts, secrets, renew, supports = {} } = suite;
  const skipped: string[] = [];
  const signed = (connector: Connector): void => void connector.use(plugin, suite.options());
  const test = (name: string, run: (bench: Bench) => Promise<void>, use = signed): void =>
    void register(name, () => onBench(suite, use, run));
  const testIf = (holds: boolean, ...[name, run, use]: Parameters<typeof test>): void => {
    if (holds) test(name, run, use);
    else skipped.push(name);
  };

  register('is a plugin whose flags are plain data', async () => checkPlugin(plugin));

  test('signs a request so that the server lets it in', async ({ line }) => {
    assert.ok((await line.ask('tools/list')).result, 'the server refused it');
  });

  test('signs what has no answer, too', async ({ line, accepted }) => {
    await line.ask();
    await line.say({ method: 'notifications/x' });
    assert.equal((await line.ask()).error, undefined);
    assert.ok(accepted.some(({ method }) => method === 'notifications/x'));
  });

  test('signs what the transport sends by itself', async ({ line, contexts, endpoint }) => {
    await line.ask();
    const credentials = await contexts[0]!.credentials();
    assert.ok(accepts(requestOf('GET', endpoint, credentials)));
  });

  test('signs many requests at once', async ({ line }) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => line.ask()));
    assert.deepEqual(
      answers.map(({ error }) => error),
      Array.from({ length: 20 }),
    );
  });

  test('leaves the message as it is', async ({ line, texts }) => {
    const text = textOf({ id: 1, method: 'tools/call', params: { n: 1.5, text: 'é€😀' } });
    await line.say(JSON.parse(text) as object);
    await line.answerTo(1);
    assert.equal(texts.at(-1), text);
  });

  test('names header fields in small letters, and gives them values that a header can carry', async (bench) => {
    await bench.line.ask();
    for (const { headers } of bench.requests) {
      for (const [name, value] of Object.entries(headers)) {
        assert.match(name, NAME);
        assert.match(value, VALUE, `the value of ${name} cannot be sent`);
      }
    }
  });

  test(
    'leaves the headers of other plugins alone',
    async ({ line, requests }) => {
      assert.ok((await line.ask()).result);
      assert.equal(requests.at(-1)!.headers['x-of-another'], 'plugin');
    },
    (connector) => {
      connector.hooks.authenticate.tap({ name: 'another', stage: -1_000 }, ({ headers }) => {
        headers['x-of-another'] = 'plugin';
      });
      signed(connector);
    },
  );

  test('shows no secret in logs and errors', async (bench) => {
    await bench.line.ask();
    bench.welcome = false;
    const { error } = await bench.line.ask();
    const texts = [...bench.line.logged, JSON.stringify(error)];
    for (const secret of secrets) bench.line.log.info?.('%s', secret);
    for (const text of [...texts, ...bench.line.logged]) {
      for (const secret of secrets) assert.ok(!text.includes(secret), 'a secret is shown');
    }
  });

  test('gives up where the server lets nothing in', async (bench) => {
    bench.welcome = false;
    const { error } = await bench.line.ask();
    const { code } = (error?.data ?? {}) as { code?: string };
    assert.ok(code === 'MCPC_UNAUTHORIZED' || code === 'MCPC_SIGN_IN', `the code is ${code}`);
    assert.ok(bench.requests.length <= 3, `it was sent ${bench.requests.length} times`);
  });

  testIf(renew !== undefined, 'gets other credentials once the server asks for them', async ({ line }) => {
    assert.ok((await line.ask()).result);
    await renew!();
    const answers = await Promise.all(Array.from({ length: 10 }, () => line.ask()));
    assert.deepEqual(
      answers.map(({ error }) => error),
      Array.from({ length: 10 }),
    );
  });

  testIf(
    supports.idle !== false,
    'does nothing without options',
    async (bench) => {
      bench.judged = false;
      await bench.line.ask();
      assert.deepEqual(bench.requests[0]!.headers, {});
    },
    (connector) => void connector.use(plugin, {}),
  );

  return skipped;
}

/** A line with a server that lets in what `accepts` says, and notes all that comes. */
class Bench {
  line!: Line;
  readonly endpoint: URL;
  readonly requests: WebRequest[] = [];
  readonly accepted: PeerMessage[] = [];
  readonly texts: string[] = [];
  readonly contexts: Arrival['context'][] = [];
  /** False for a server that lets nothing in. */
  welcome = true;
  /** False for a server that lets everything in. */
  judged = true;
  readonly #accepts: (request: WebRequest) => boolean;

  constructor(endpoint: URL, accepts: (request: WebRequest) => boolean) {
    this.endpoint = endpoint;
    this.#accepts = accepts;
  }

  serve({ endpoint, envelope, credentials, context, say }: Arrival): void | Promise<void> {
    this.contexts.push(context);
    const request = requestOf('POST', this.endpoint, credentials, envelope.bytes);
    this.requests.push(request);
    // As over a network, the verdict is about the moment in which the request left.
    const letIn = this.welcome && (!this.judged || this.#accepts(request));
    if (!letIn) {
      throw new ConnectorError('MCPC_UNAUTHORIZED', `${endpoint.label} asks for authorization.`, {
        delivered: 'rejected',
        challenge: { status: 401 },
      });
    }
    const message = envelope.message as PeerMessage;
    this.accepted.push(message);
    this.texts.push(envelope.bytes.toString());
    if (message.id !== undefined) say({ id: message.id, result: {} });
  }
}

function onBench<F extends Flags>(
  { endpoint = 'https://server.example/mcp', accepts }: AuthSuiteOptions<F>,
  use: (connector: Connector) => void,
  run: (bench: Bench) => Promise<void>,
): Promise<void> {
  const bench = new Bench(new URL(endpoint), accepts);
  const options = {
    scheme: 'http',
    endpoints: [endpoint],
    use,
    serve: (arrival: Arrival) => bench.serve(arrival),
  };
  return onLine(options, async (line) => {
    bench.line = line;
    await run(bench);
  });
}

/** The request that transport-http makes of credentials. */
function requestOf(method: string, url: URL, credentials: Credentials, body?: Buffer): WebRequest {
  const { headers } = credentials;
  const request = { method, url, headers: { ...headers }, ...(body !== undefined && { body }) };
  return { ...request, headers: { ...headers, ...credentials.prove?.(request) } };
}
