import {
  inTurn,
  raw,
  reply,
  replyError,
  type Outcome,
  type PeerMessage,
  type Script,
} from '@mcp-connect/testing';
import { HTTP, isHttp, LINES, STREAMS, WIRES, type Column } from '../column.js';
import type { Row } from '../row.js';
import { check } from '../expected.js';
import { call, on, RESULT, serverError, UNKNOWN } from './call.js';

/** Longer than anyone waits for an answer, in milliseconds. */
const LONG_SILENCE = 15_000;

/** Two, three and four bytes a character. */
const MANY_BYTES = 'aé中😀'.repeat(20);

/** Replies that are not as they should be, or only look so. */
export const REPLIES: readonly Row[] = [
  call({
    name: 'empty 200',
    on: on(['json']),
    outcomes: () => [raw(''), reply()],
    expected: UNKNOWN,
    executions: 1,
  }),
  call({
    name: 'HTML in place of an answer (200)',
    on: on(HTTP),
    outcomes: () => [raw('<!doctype html><title>Welcome</title>', 'text/html'), reply()],
    expected: UNKNOWN,
    executions: 1,
  }),
  {
    name: 'answer under a wrong content type',
    on: on(['json']),
    server: () => ({ script: firstCall(({ id }) => raw(answerTo(id), 'text/plain')) }),
    async play(scene) {
      await scene.see(scene.call(), { kind: 'any' });
      scene.executed(1);
      await scene.goOn();
    },
  },
  {
    name: 'malformed JSON',
    on: on(WIRES),
    server: ({ wire }) => ({
      script: firstCall(({ id }) => {
        const broken = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"text":`;
        if (wire === 'json') return raw(broken);
        return wire === 'sse' ? raw(`data: ${broken}\n\n`, 'text/event-stream') : raw(`${broken}\n`);
      }),
    }),
    async play(scene) {
      await scene.see(scene.call(), UNKNOWN);
      scene.executed(1);
      await scene.goOn();
    },
  },
  call({
    name: 'malformed event stream',
    on: on(['sse']),
    outcomes: () => [raw('no: event\nof: any kind\n\n: here\u0000\n\n', 'text/event-stream'), reply()],
    expected: UNKNOWN,
    executions: 1,
  }),
  {
    name: 'answer spread over several lines',
    on: on(HTTP),
    server: () => ({ script: inTurn('tools/call', reply({ text: 'a\nb' }, { pretty: true })) }),
    async play(scene) {
      const { result } = await scene.see(scene.call(), RESULT);
      check(result?.['text'] === 'a\nb', 'the result was changed');
      await scene.goOn();
    },
  },
  call({
    name: 'answer given twice',
    on: on(STREAMS),
    outcomes: () => [reply({}, { times: 2 })],
    expected: RESULT,
    executions: 1,
  }),
  call({
    name: 'answers under ids that nobody used',
    on: on(STREAMS),
    outcomes: () => [
      reply(
        {},
        {
          before: [
            { id: 'nobody', result: {} },
            { id: 4711, result: {} },
          ],
        },
      ),
    ],
    expected: RESULT,
    executions: 1,
  }),
  call({
    name: 'nothing but an answer under an id that nobody used',
    on: on(HTTP),
    outcomes: ({ wire }) => [underOtherId(wire), reply()],
    expected: UNKNOWN,
    executions: 1,
  }),
  call({
    name: 'an answer under an id that nobody used, then silence',
    on: on(['sse']),
    outcomes: () => [reply({}, { before: [{ id: 'nobody', result: {} }], pause: LONG_SILENCE }), reply()],
    expected: UNKNOWN,
    executions: 1,
  }),
  call({
    name: 'error of the server',
    on: on(WIRES),
    outcomes: () => [replyError(-32_001)],
    expected: serverError(-32_001),
    executions: 1,
  }),
  {
    name: 'multi-byte characters cut anywhere, both ways',
    on: on(WIRES),
    server: () => ({ script: firstCall(() => reply({ text: MANY_BYTES }, { chunk: 1 })) }),
    async play(scene) {
      const id = await scene.dribble('tools/call', { name: 'act', arguments: { text: MANY_BYTES } });
      const { result } = await scene.see(id, RESULT);
      check(result?.['text'] === MANY_BYTES, 'the result was changed');
      const called = scene.server.messages.find(({ method }) => method === 'tools/call');
      const args = called?.params?.['arguments'] as { text?: unknown } | undefined;
      check(args?.text === MANY_BYTES, 'the argument was changed');
    },
  },
  {
    name: 'CRLF, byte order mark, comments and blank lines',
    on: on(STREAMS),
    server: ({ wire }) => ({
      greeting: '\ufeff\r\n\r\n',
      script: firstCall(({ id }) =>
        isHttp(wire)
          ? raw(
              `\ufeff: comment\r\n\r\nevent: message\r\nretry: 10\r\ndata: {"jsonrpc":"2.0",\r\ndata: "id":${JSON.stringify(id)},"result":{}}\r\n\r\n`,
              'text/event-stream; charset=utf-8',
            )
          : raw(`\r\n \r\n${answerTo(id)}\r\n\r\n`),
      ),
    }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      scene.executed(1);
      await scene.goOn();
    },
  },
  {
    name: 'garbage before and between messages',
    on: on(LINES),
    server: () => ({
      greeting: 'Starting up …\n[1, 2\n',
      script: firstCall(({ id }) => raw(`null\n{"level":"info"}\nINFO: called\n${answerTo(id)}\n`)),
    }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      await scene.goOn();
    },
  },
  {
    name: "server's request under the id of the client's own",
    on: on(STREAMS, 'legacy'),
    server: () => ({
      script: firstCall(({ id }) => reply({}, { before: [{ id, method: 'roots/list' }] })),
    }),
    async play(scene) {
      const id = scene.call();
      await scene.until(
        () => scene.client.heard.some((heard) => heard.id === id),
        'no request of the server',
      );
      scene.client.send({ id, result: { roots: [] } });
      await scene.see(id, RESULT);
      const answered = (message: PeerMessage): boolean => message.id === id && message.result !== undefined;
      await scene.served(() => scene.server.messages.some(answered), "the client's answer did not arrive");
      await scene.goOn();
    },
  },
];

/** Treats the first tool call in a way of its own. */
function firstCall(outcomeOf: (request: PeerMessage) => Outcome): Script {
  let first = true;
  return (request) => {
    if (request.method !== 'tools/call' || !first) return undefined;
    first = false;
    return outcomeOf(request);
  };
}

function answerTo(id: PeerMessage['id']): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{}}`;
}

function underOtherId(wire: Column['wire']): Outcome {
  const text = answerTo('nobody');
  return wire === 'json' ? raw(text) : raw(`data: ${text}\n\n`, 'text/event-stream');
}
