import { setTimeout as pause } from 'node:timers/promises';
import { cut, end, hang, inTurn, reply, status, type Outcome, type Script } from '@mcp-connect/testing';
import { STREAMS, WIRES } from '../column.js';
import type { Row } from '../row.js';
import { check } from '../expected.js';
import { call, on, ours, RESULT, UNKNOWN } from './call.js';

/** Wires on which nobody may be listening. */
const NETWORK = ['json', 'sse', 'tcp'] as const;

/** A connection cannot be made. */
const UNREACHED = ours('no', 'MCPC_CONNECT', 'MCPC_TIMEOUT', 'MCPC_CONNECTION_LOST');

/** How long a server is away that comes up late, in milliseconds. */
const LATE = 500;

/** Tells all that a session has to remember. */
const TALKATIVE: Script = ({ method, params }) =>
  method === 'initialize'
    ? reply({
        protocolVersion: params?.['protocolVersion'],
        capabilities: { tools: { listChanged: true }, prompts: { listChanged: true } },
        serverInfo: { name: 'scripted', version: '0' },
      })
    : undefined;

/** Begins the first session, and another one only when it is asked for the third time. */
function lateBehindGateway(): Script {
  let asked = 0;
  return ({ method }) =>
    method === 'initialize' && asked++ > 0 && asked < 4 ? status(503, { executed: false }) : undefined;
}

/** Connections that are not made, or break. */
export const CONNECTIONS: readonly Row[] = [
  {
    name: 'connection refused',
    on: on(NETWORK),
    server: () => ({}),
    async play(scene) {
      await scene.goDown();
      await scene.see(scene.call(), UNREACHED);
      scene.executed(0);
      await scene.server.start();
      await scene.goOn();
    },
  },
  {
    name: 'connection accepted, then closed',
    on: on(NETWORK),
    server: () => ({}),
    async play(scene) {
      scene.server.turnAway();
      await scene.see(scene.call(), { kind: 'ours' });
      scene.executed(0);
      await scene.server.start();
      await scene.goOn();
    },
  },
  {
    name: 'server down at the start, then up',
    on: on(NETWORK),
    unopened: true,
    server: () => ({}),
    async play(scene) {
      await scene.goDown();
      const id = scene.isModern ? scene.call() : scene.initialize();
      await pause(LATE);
      await scene.server.start();
      await scene.see(id, RESULT);
      scene.executed(scene.isModern ? 1 : 0);
      await scene.goOn();
    },
  },
  {
    name: 'server down at the start for longer than the timeout',
    on: on(NETWORK),
    unopened: true,
    server: () => ({}),
    async play(scene) {
      await scene.goDown();
      await scene.see(scene.isModern ? scene.call() : scene.initialize(), UNREACHED);
      await scene.server.start();
      await scene.open();
      await scene.goOn();
    },
  },
  {
    name: 'server restarted between calls',
    on: on(WIRES),
    server: () => ({ sessions: true }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      const sessions = scene.server.executions('initialize');
      await scene.goDown();
      await scene.server.start();
      await scene.see(scene.call(), RESULT);
      scene.executed(2);
      scene.executed(scene.isModern ? 0 : sessions + 1, 'initialize');
      await scene.goOn();
    },
  },
  {
    name: 'server restarted behind a gateway, which answers 503 at first',
    on: on(['json', 'sse'], 'legacy'),
    server: () => ({ sessions: true, script: lateBehindGateway() }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      await scene.goDown();
      await scene.server.start();
      await scene.see(scene.call(), RESULT);
      scene.executed(2);
      await scene.goOn();
    },
  },
  {
    name: 'log level, subscriptions and lists after a restart',
    on: on(WIRES, 'legacy'),
    server: () => ({ sessions: true, script: TALKATIVE }),
    async play(scene) {
      await scene.see(scene.request('logging/setLevel', { level: 'debug' }), RESULT);
      await scene.see(scene.request('resources/subscribe', { uri: 'a:b' }), RESULT);
      await scene.goDown();
      await scene.server.start();
      await scene.see(scene.call(), RESULT);
      scene.executed(2, 'logging/setLevel');
      scene.executed(2, 'resources/subscribe');
      for (const list of ['tools', 'prompts']) {
        const told = `notifications/${list}/list_changed`;
        await scene.until(() => scene.client.heard.some(({ method }) => method === told), `no ${told}`);
      }
    },
  },
  {
    name: 'connection lost between calls',
    on: on(WIRES),
    server: () => ({}),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      await scene.lose();
      await scene.see(scene.call(), RESULT);
      scene.executed(2);
      await scene.goOn();
    },
  },
  call({
    name: 'connection closed after a call was read',
    on: on(WIRES),
    outcomes: () => [cut(), reply()],
    expected: UNKNOWN,
    executions: 1,
  }),
  call({
    name: 'connection closed after a harmless request was read',
    on: on(WIRES),
    method: 'resources/read',
    outcomes: () => [cut(), reply()],
    expected: RESULT,
    executions: 2,
  }),
  {
    name: 'connection closed after a call of a read-only tool was read',
    on: on(WIRES),
    server: () => ({ script: readOnlyTool(cut(), reply()) }),
    async play(scene) {
      await scene.see(scene.request('tools/list'), RESULT);
      await scene.see(scene.call(), RESULT);
      scene.executed(2);
    },
  },
  call({
    name: 'connection closed under a harmless request again and again',
    on: on(NETWORK),
    method: 'resources/read',
    outcomes: () => [cut()],
    expected: ours('unknown'),
    executions: 3,
  }),
  {
    ...call({
      name: 'connection closed after a call was read, with --retry-tools all',
      on: on(WIRES),
      outcomes: () => [cut(), reply()],
      expected: RESULT,
      executions: 2,
    }),
    flags: ['--retry-tools', 'all'],
  },
  {
    name: 'connection closed after a call of a read-only tool was read, with --retry-tools never',
    on: on(WIRES),
    flags: ['--retry-tools', 'never'],
    server: () => ({ script: readOnlyTool(cut(), reply()) }),
    async play(scene) {
      await scene.see(scene.request('tools/list'), RESULT);
      await scene.see(scene.call(), UNKNOWN);
      scene.executed(1);
    },
  },
  call({
    name: 'reply cut in the middle of its answer',
    on: on(WIRES),
    outcomes: () => [reply({ text: 'cut' }, { broken: true }), reply()],
    expected: UNKNOWN,
    executions: 1,
  }),
  call({
    name: 'stream with event ids cut in the middle of its answer',
    on: on(['sse']),
    outcomes: () => [
      reply(
        { text: 'cut' },
        { broken: true, ids: true, before: [{ method: 'notifications/message', params: { n: 0 } }] },
      ),
      reply(),
    ],
    expected: ({ era }) => (era === 'legacy' ? RESULT : UNKNOWN),
    executions: 1,
  }),
  call({
    name: 'clean end without an answer',
    on: on(STREAMS),
    outcomes: () => [end(), reply()],
    expected: UNKNOWN,
    executions: 1,
  }),
  {
    name: 'silence, until the client cancels',
    on: on(WIRES),
    server: () => ({ script: inTurn('tools/call', hang(), reply()) }),
    async play(scene) {
      const id = scene.call();
      await scene.served(() => scene.server.executions('tools/call') === 1, 'the call did not arrive');
      scene.cancel(id);
      await scene.toldOfCancel(1);
      await scene.see(scene.call(), RESULT);
      check(scene.client.answersTo(id).length === 0, 'the cancelled request was answered');
    },
  },
  {
    name: 'cancelled while there is no connection',
    on: on(NETWORK),
    server: () => ({}),
    async play(scene) {
      await scene.goDown();
      const id = scene.call();
      await pause(LATE);
      scene.cancel(id);
      await scene.taken();
      await scene.server.start();
      await scene.goOn();
      scene.executed(0);
    },
  },
  {
    name: 'cancelled after its answer',
    on: on(WIRES),
    server: () => ({}),
    async play(scene) {
      const id = scene.call();
      await scene.see(id, RESULT);
      scene.cancel(id);
      await scene.goOn();
      scene.executed(1);
    },
  },
  {
    name: 'connection closed under ten harmless requests',
    on: on(WIRES, 'legacy'),
    server: () => ({ sessions: true, script: inTurn('resources/read', cut(), reply()) }),
    async play(scene) {
      const ids = Array.from({ length: 10 }, () => scene.request('resources/read', { uri: 'a:b' }));
      for (const id of ids) await scene.see(id, RESULT);
      await scene.goOn();
    },
  },
];

function readOnlyTool(...outcomes: readonly Outcome[]): Script {
  const calls = inTurn('tools/call', ...outcomes);
  return (request) =>
    request.method === 'tools/list'
      ? reply({
          tools: [{ name: 'act', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }],
        })
      : calls(request);
}
