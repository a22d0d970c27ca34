import { setTimeout as pause } from 'node:timers/promises';
import { hang, inTurn, reply } from '@mcp-connect/testing';
import { STREAMS, WIRES } from '../column.js';
import type { Row } from '../row.js';
import { check } from '../expected.js';
import { call, on, RESULT, UNKNOWN } from './call.js';

const LIMIT = ['--request-timeout', '1'];

/** More than three seconds, in milliseconds. */
const LONG = 5_000;

/** So many results of this many bytes are more than is read ahead. */
const MANY = 8;
const LARGE = 4 * 1_048_576;

/** Servers that take too long, where the user has set a limit. */
export const SILENCE: readonly Row[] = [
  {
    ...call({
      name: 'silence beyond --request-timeout',
      on: on(WIRES),
      outcomes: () => [hang(), reply()],
      expected: UNKNOWN,
      executions: 1,
    }),
    flags: LIMIT,
  },
  {
    ...call({
      name: 'silence beyond --request-timeout, of a harmless request',
      on: on(WIRES),
      outcomes: () => [hang(), reply()],
      method: 'resources/list',
      expected: RESULT,
      executions: 2,
    }),
    flags: LIMIT,
  },
  {
    name: 'slow progress, for longer than --request-timeout',
    on: on(STREAMS),
    flags: ['--request-timeout', '2'],
    server: () => ({
      script: inTurn('tools/call', reply({}, { before: progress(5), pause: 600 })),
    }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      check(scene.client.heard.length === 5, 'progress was lost');
      scene.executed(1);
    },
  },
  {
    name: 'client that does not read for longer than --request-timeout',
    on: on(WIRES),
    flags: ['--request-timeout', '3'],
    heavy: true,
    server: () => ({
      script: (request) => (request.method === 'tools/call' ? reply({ text: 'x'.repeat(LARGE) }) : undefined),
    }),
    async play(scene) {
      await scene.goOn();
      scene.client.pause();
      const ids = Array.from({ length: MANY }, () => scene.call());
      await scene.served(() => scene.server.executions('tools/call') === MANY, 'the calls did not arrive');
      await pause(LONG);
      scene.client.resume();
      for (const id of ids) await scene.see(id, RESULT);
      scene.executed(MANY);
    },
  },
  {
    ...call({
      name: 'progress without an end, beyond --max-request-time',
      on: on(STREAMS),
      outcomes: () => [reply({}, { before: progress(1_000), pause: 100 }), reply()],
      expected: UNKNOWN,
      executions: 1,
    }),
    flags: ['--max-request-time', '1'],
  },
];

function progress(count: number): object[] {
  return Array.from({ length: count }, (_, n) => ({ method: 'notifications/message', params: { n } }));
}
