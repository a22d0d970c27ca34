import { hang, inTurn, reply } from '@mcp-connect/testing';
import { STREAMS, WIRES } from '../column.js';
import type { Row } from '../row.js';
import { check } from '../expected.js';
import { call, on, RESULT, UNKNOWN } from './call.js';

const LIMIT = ['--request-timeout', '1'];

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
    flags: LIMIT,
    server: () => ({
      script: inTurn('tools/call', reply({}, { before: progress(5), pause: 400 })),
    }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      check(scene.client.heard.length === 5, 'progress was lost');
      scene.executed(1);
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
