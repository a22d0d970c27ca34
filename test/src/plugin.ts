import assert from 'node:assert/strict';
import { pluginFault, type Flags, type FlagValues, type Plugin } from '@mcp-connect/core';
import { onLine, type Arrival, type Line } from './line.js';
import { textOf, type PeerMessage } from './peer.js';
import type { RegisterTest } from './transport.js';

/** What a plugin of any kind is tested with. */
export interface PluginSuiteOptions<F extends Flags> {
  readonly plugin: Plugin<F>;
  /** Returns the options to apply it with; asked anew for each test. */
  options?(): Partial<FlagValues<F>>;
}

/**
 * Registers as tests what every plugin owes the line that it joins: messages that are none of its business pass as
 * they are, in their order, and every request has one answer.
 */
export function testPlugin<F extends Flags>(register: RegisterTest, suite: PluginSuiteOptions<F>): void {
  const { plugin } = suite;
  const test = (name: string, serve: (arrival: Arrival) => void, run: (line: Line) => Promise<void>): void =>
    void register(name, () => onLine(lineOf(suite, serve), run));

  register('is a plugin whose flags are plain data', async () => checkPlugin(plugin));

  test('leaves requests alone that it does not know', answer, async (line) => {
    for (const id of [0, '', '0', -1, 'é']) {
      const params = { n: 1.5, text: 'é€😀', nested: { list: [null, true] } };
      await line.say({ id, method: 'x-unknown/request', params });
      assert.deepEqual((await line.answerTo(id)).message, {
        jsonrpc: '2.0',
        id,
        result: { method: 'x-unknown/request', params },
      });
    }
  });

  test('leaves notifications alone that it does not know', counting(), async (line) => {
    await line.ask('x-unknown/request');
    const notification = { method: 'notifications/x-unknown', params: { n: 1 } };
    void line.say(notification);
    await line.ask('x-unknown/request');
    assert.deepEqual(
      line.delivered.filter(({ kind }) => kind === 'notification').map(({ bytes }) => bytes.toString()),
      [textOf(notification)],
    );
  });

  test('leaves errors of the server as they are', refuse, async (line) => {
    const { error } = await line.ask('x-unknown/request');
    assert.deepEqual(error, { code: -32042, message: 'no', data: { why: 'because' } });
  });

  test('keeps the order of messages', counting(), async (line) => {
    await line.ask('x-unknown/sum');
    for (let n = 0; n < 100; n++) void line.say({ method: 'notifications/x-unknown', params: { n } });
    const { result } = await line.ask('x-unknown/sum');
    assert.equal(result?.['inOrder'], 100);
    const told = line.delivered.filter(({ kind }) => kind === 'notification');
    const numbers = told.map(({ message }) => (message as PeerMessage).params?.['n']);
    assert.deepEqual(numbers, [...Array(100).keys()]);
  });

  test('answers each of many requests once', answer, async (line) => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => line.ask('x-unknown/n', { n })));
    assert.deepEqual(
      answers.map(({ result }) => (result!['params'] as { n: number }).n),
      [...Array(200).keys()],
    );
    assert.equal(line.delivered.length, 200);
  });

  register('keeps two lines apart', () =>
    onLine(lineOf(suite, answer), (first) =>
      onLine(lineOf(suite, answer), async (second) => {
        await first.ask('x-unknown/request');
        await first.close();
        assert.ok((await second.ask('x-unknown/request')).result);
      }),
    ),
  );
}

/** Checks that a plugin is well-formed: nothing but data may be known of it before it is applied. */
export function checkPlugin<F extends Flags>(plugin: Plugin<F>): void {
  assert.equal(pluginFault(plugin), undefined);
  const { name } = plugin;
  assert.match(
    name,
    /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/,
    'its name is none of a package',
  );
  const flags: Flags = plugin.flags ?? {};
  assert.deepEqual(JSON.parse(JSON.stringify(flags)), flags, 'its flags are not plain data');
}

function lineOf<F extends Flags>(
  { plugin, options }: PluginSuiteOptions<F>,
  serve: (arrival: Arrival) => void,
): ConstructorParameters<typeof Line>[0] {
  return {
    scheme: 'memory',
    endpoints: ['memory://server'],
    use: (connector) => void connector.use(plugin, options?.() ?? {}),
    serve,
  };
}

/** Answers with what was asked. */
function answer({ envelope, say }: Arrival): void {
  const { id, method, params } = envelope.message as PeerMessage;
  if (id !== undefined) say({ id, result: { method, params } });
}

function echoNotifications({ envelope, say }: Arrival): void {
  const { method, params } = envelope.message as PeerMessage;
  say({ method, params });
}

function refuse({ envelope, say }: Arrival): void {
  say({ id: envelope.id, error: { code: -32042, message: 'no', data: { why: 'because' } } });
}

/** Sends every notification back, and answers whether all came in their order. */
function counting(): (arrival: Arrival) => void {
  let inOrder = 0;
  return (arrival) => {
    const { id, params } = arrival.envelope.message as PeerMessage;
    if (id !== undefined) return arrival.say({ id, result: { inOrder } });
    if (params?.['n'] === inOrder) inOrder++;
    return echoNotifications(arrival);
  };
}
