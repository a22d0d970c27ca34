import type { PeerMessage } from '@mcp-connect/testing';
import type { Id } from '../client.js';
import { WIRES } from '../column.js';
import type { Row } from '../row.js';
import { check } from '../expected.js';
import { on, RESULT } from './call.js';

/** JSON that is no JSON-RPC message, with the ids under which it may be refused. */
const NO_ENVELOPES: readonly (readonly [string, Id])[] = [
  ['42', null],
  ['"text"', null],
  ['{}', null],
  ['[]', null],
  ['{"jsonrpc":"1.0","id":"a","method":"ping"}', 'a'],
  ['{"jsonrpc":"2.0","id":"b","method":7}', 'b'],
];

/** What a client may send. */
export const INPUT: readonly Row[] = [
  {
    name: 'ids 0, "", 1 and "1"',
    on: on(WIRES),
    server: () => ({}),
    async play(scene) {
      const ids = [0, '', -1, '1', 1_000_001, '1000001', 'é', 'null'].map((id) => scene.call({}, id));
      for (const id of ids) await scene.see(id, RESULT);
      scene.executed(ids.length);
    },
  },
  {
    name: 'invalid JSON of the client',
    on: on(WIRES),
    server: () => ({}),
    async play(scene) {
      scene.client.write('{"jsonrpc":"2.0","id":1,\n');
      await scene.until(() => scene.client.answersTo(null).length === 1, 'it was not refused');
      const [refusal] = scene.client.answersTo(null);
      check(refusal?.error?.code === -32_700, `error ${refusal?.error?.code} in place of -32700`);
      await scene.goOn();
    },
  },
  {
    name: 'invalid envelopes of the client',
    on: on(WIRES),
    server: () => ({}),
    async play(scene) {
      const { client } = scene;
      for (const [line, id] of NO_ENVELOPES) {
        const refusals = (): PeerMessage[] => [
          ...client.answersTo(null),
          ...(id === null ? [] : client.answersTo(id)),
        ];
        const before = refusals().length;
        if (id !== null) client.allow(id);
        client.write(`${line}\n`);
        await scene.until(() => refusals().length > before, `${line} was not refused`);
        const codes = refusals().map(({ error }) => error?.code);
        check(
          codes.every((code) => code === -32_600),
          `${line} was refused with ${codes.join()}`,
        );
      }
      await scene.goOn();
    },
  },
];
