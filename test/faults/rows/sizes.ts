import { setTimeout as pause } from 'node:timers/promises';
import { inTurn, reply } from '@mcp-connect/testing';
import { memory } from '../../bench/proc.js';
import { STREAMS, WIRES } from '../column.js';
import type { Row } from '../row.js';
import { check } from '../expected.js';
import { argumentsOf, call, on, ours, RESULT } from './call.js';

const MEGABYTE = 1_000_000;

/** How long heavy loads may take, in milliseconds. */
const LONG = 60_000;

/** Time in which a flood fills whatever takes it, in milliseconds. */
const FILLING = 1_000;

/** How much memory a flood may take up in the subject, in MiB: far less than the 50 to 100 MB that are sent. */
const MOST_GROWTH = 24;

/** So many results of this many bytes are 160 MiB in all. */
const MANY = 40;
const LARGE = 4 * 1_048_576;

/** How much memory they may take up in the subject while nobody reads them, in MiB. */
const MOST_LARGE = 80;

/** Order, amounts and sizes. */
export const SIZES: readonly Row[] = [
  {
    name: 'slow progress, for longer than the timeout',
    on: on(STREAMS),
    server: () => ({
      script: inTurn('tools/call', reply({}, { before: numbered(5), pause: 700 })),
    }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      check(inOrder(scene.client.heard, 5), 'progress came late or not at all');
      scene.executed(1);
    },
  },
  {
    name: '1 000 notifications in order around a result',
    on: on(STREAMS),
    server: () => ({
      script: inTurn('tools/call', reply({}, { before: numbered(500), after: numbered(500, 500) })),
    }),
    async play(scene) {
      const id = scene.call();
      let before = -1;
      await scene.until(() => {
        if (before === -1 && scene.client.answersTo(id).length > 0) before = scene.client.heard.length;
        return scene.client.heard.length === 1000;
      }, 'not all notifications came');
      check(inOrder(scene.client.heard, 1000), 'notifications came in another order');
      check(before === 500, `the result came behind ${before} notifications, not 500`);
    },
  },
  {
    name: 'notification flood to a client that does not read',
    on: on(STREAMS),
    heavy: true,
    server: () => ({
      script: (request) =>
        request.method === 'tools/call'
          ? reply({}, { before: padded(Number(argumentsOf(request)['count'])) })
          : undefined,
    }),
    async play(scene) {
      const count = Math.max(50_000, Math.round(100_000 * scene.scale));
      await scene.goOn();
      const { pid } = scene.client;
      const start = memory(pid, 'VmRSS') ?? 0;
      scene.client.pause();
      const id = scene.call({ count });
      await scene.served(() => scene.server.executions('tools/call') === 1, 'the call did not arrive');
      await pause(FILLING);
      const growth = (memory(pid, 'VmHWM') ?? 0) - start;
      check(growth < MOST_GROWTH, `memory grew by ${Math.round(growth)} MiB`);
      scene.client.resume();
      await scene.see(id, RESULT, LONG);
      check(inOrder(scene.client.heard, count), 'notifications were lost or came in another order');
    },
  },
  {
    name: 'many large results to a client that does not read',
    on: on(WIRES),
    heavy: true,
    server: () => ({
      script: (request) =>
        request.method === 'tools/call'
          ? reply({ text: 'x'.repeat(Number(argumentsOf(request)['size'])) })
          : undefined,
    }),
    async play(scene) {
      await scene.goOn();
      const { pid } = scene.client;
      const start = memory(pid, 'VmRSS') ?? 0;
      scene.client.pause();
      const ids = Array.from({ length: MANY }, () => scene.call({ size: LARGE }));
      await scene.served(
        () => scene.server.executions('tools/call') === MANY,
        'the calls did not arrive',
        LONG,
      );
      await pause(FILLING);
      const growth = (memory(pid, 'VmHWM') ?? 0) - start;
      check(growth < MOST_LARGE, `memory grew by ${Math.round(growth)} MiB`);
      scene.client.resume();
      for (const id of ids) {
        const { result } = await scene.see(id, RESULT, LONG);
        check(String(result?.['text']).length === LARGE, 'a result was changed');
      }
      await scene.goOn();
    },
  },
  {
    name: 'large result',
    on: on(WIRES),
    heavy: true,
    server: () => ({
      script: (request) =>
        request.method === 'tools/call'
          ? reply({ text: 'é'.repeat(Number(argumentsOf(request)['size']) / 2) })
          : undefined,
    }),
    async play(scene) {
      const size = 2 * Math.round(32 * MEGABYTE * scene.scale);
      const { result } = await scene.see(scene.call({ size }), RESULT, LONG);
      check(String(result?.['text']).length === size / 2, 'the result was changed');
      await scene.goOn();
    },
  },
  {
    name: 'large argument',
    on: on(WIRES),
    heavy: true,
    server: () => ({
      script: (request) =>
        request.method === 'tools/call'
          ? reply({ length: String(argumentsOf(request)['text']).length })
          : undefined,
    }),
    async play(scene) {
      const length = Math.round(32 * MEGABYTE * scene.scale);
      const { result } = await scene.see(scene.call({ text: 'é'.repeat(length) }), RESULT, LONG);
      check(result?.['length'] === length, 'the argument was changed');
      await scene.goOn();
    },
  },
  {
    name: 'thousands of calls at once',
    on: on(WIRES),
    heavy: true,
    server: () => ({}),
    async play(scene) {
      const count = Math.max(2_000, Math.round(10_000 * scene.scale));
      const ids = Array.from({ length: count }, () => scene.call());
      for (const id of ids) await scene.see(id, RESULT, LONG);
      scene.executed(count);
    },
  },
  {
    name: 'line of the client above the limit',
    on: on(WIRES),
    flags: ['--max-message-size', '100000'],
    server: () => ({}),
    async play(scene) {
      await scene.see(scene.call({ text: 'x'.repeat(200_000) }), { kind: 'ours', codes: ['MCPC_TOO_LARGE'] });
      scene.executed(0);
      await scene.goOn();
    },
  },
  {
    name: 'request of the server above the limit',
    on: on(STREAMS, 'legacy'),
    flags: ['--max-message-size', '100000'],
    server: () => ({
      script: inTurn(
        'tools/call',
        reply({}, { before: [{ id: 'big', method: 'roots/list', params: { text: 'x'.repeat(200_000) } }] }),
      ),
    }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      await scene.served(
        () => scene.server.messages.some(({ id, error }) => id === 'big' && error !== undefined),
        'the server got no answer',
      );
      check(scene.client.heard.length === 0, 'the client was asked');
    },
  },
  {
    ...call({
      name: 'result above the limit',
      on: on(WIRES),
      outcomes: () => [reply({ text: 'x'.repeat(200_000) }), reply()],
      expected: ours('unknown', 'MCPC_TOO_LARGE'),
      executions: 1,
    }),
    flags: ['--max-message-size', '100000'],
  },
];

function* numbered(count: number, from = 0): Generator<object> {
  for (let n = from; n < from + count; n++) yield { method: 'notifications/message', params: { n } };
}

function* padded(count: number): Generator<object> {
  const pad = 'x'.repeat(1000);
  for (let n = 0; n < count; n++) yield { method: 'notifications/message', params: { n, pad } };
}

function inOrder(heard: readonly { readonly n: unknown }[], count: number): boolean {
  return heard.length === count && heard.every(({ n }, at) => n === at);
}
