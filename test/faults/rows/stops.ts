import { fileURLToPath } from 'node:url';
import { hang, inTurn, reply } from '@mcp-connect/testing';
import { HTTP, STREAMS, WIRES } from '../column.js';
import { exitText, type Id } from '../client.js';
import type { Row } from '../row.js';
import { check } from '../expected.js';
import type { Scene } from '../scene.js';
import { on, ours, RESULT, UNKNOWN } from './call.js';

const STUBBORN = fileURLToPath(new URL('../stubborn.js', import.meta.url));

const CRASHING = fileURLToPath(new URL('../crashing.js', import.meta.url));

/** A program whose interpreter does not exist, which only starting it brings to light. */
const UNSTARTABLE = fileURLToPath(new URL('../../../faults/unstartable', import.meta.url));

/** One start and five more: the waits between them leave no time for as many in this row. */
const MOST_STARTS = 6;

/** Programs whose end is a matter of its own. */
const STDIO = on(['stdio']);

/** The end of the subject, and of the programs that it starts. */
export const STOPS: readonly Row[] = [
  {
    name: 'end of input with 50 calls in flight',
    on: on(WIRES),
    stops: true,
    server: () => ({ script: inTurn('tools/call', hang()) }),
    async play(scene) {
      const ids = Array.from({ length: 50 }, () => scene.call());
      await scene.served(() => scene.server.executions('tools/call') === 50, 'the calls did not arrive');
      scene.client.end();
      for (const id of ids) await scene.see(id, { kind: 'ours', codes: ['MCPC_SHUTDOWN'] });
      await scene.leave();
      await scene.toldOfCancel(50);
    },
  },
  {
    name: 'end of input with a call that is soon answered',
    on: on(STREAMS),
    stops: true,
    server: () => ({
      script: inTurn('tools/call', reply({}, { before: [{ method: 'notifications/message' }], pause: 500 })),
    }),
    async play(scene) {
      const id = scene.call();
      await scene.until(() => scene.client.heard.length === 1, 'the call did not begin');
      scene.client.end();
      await scene.see(id, RESULT);
      await scene.leave();
    },
  },
  {
    name: 'end of input ends the session at the server',
    on: on(HTTP, 'legacy'),
    stops: true,
    server: () => ({ sessions: true, news: true }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      scene.client.end();
      await scene.leave();
      scene.executed(1, 'DELETE');
      await scene.served(() => scene.server.listeners === 0, 'its stream of news stayed open');
    },
  },
  {
    name: 'second initialize ends the first session at the server',
    on: on(HTTP, 'legacy'),
    stops: true,
    server: () => ({ sessions: true, news: true }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      await scene.open();
      await scene.see(scene.call(), RESULT);
      await scene.served(() => scene.server.executions('DELETE') === 1, 'the first session was left behind');
      scene.client.end();
      await scene.leave();
      scene.executed(2, 'DELETE');
    },
  },
  {
    name: 'end of input while it connects',
    on: on(['json', 'sse', 'tcp']),
    stops: true,
    unopened: true,
    server: () => ({}),
    async play(scene) {
      await scene.goDown();
      const id = scene.isModern ? scene.call() : scene.initialize();
      scene.client.end();
      await scene.see(id, { kind: 'ours' });
      await scene.leave();
    },
  },
  {
    name: 'SIGTERM while it connects',
    on: on(['json', 'sse', 'tcp']),
    stops: true,
    unopened: true,
    server: () => ({}),
    async play(scene) {
      await scene.goDown();
      const id = scene.isModern ? scene.call() : scene.initialize();
      await scene.taken();
      scene.client.signal('SIGTERM');
      await scene.see(id, { kind: 'ours' });
      await scene.leave();
    },
  },
  {
    name: 'end of input while initialize is not answered',
    on: on(WIRES, 'legacy'),
    stops: true,
    unopened: true,
    server: () => ({ script: inTurn('initialize', hang()) }),
    async play(scene) {
      const id = scene.initialize();
      await scene.served(() => scene.server.executions('initialize') === 1, 'it did not connect');
      scene.client.end();
      await scene.see(id, { kind: 'ours' });
      await scene.leave();
    },
  },
  ...(['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map((signal): Row => ({
    name: `${signal} with a call in flight`,
    on: on(WIRES),
    stops: true,
    server: () => ({ script: inTurn('tools/call', hang()) }),
    async play(scene) {
      const id = scene.call();
      await scene.served(() => scene.server.executions('tools/call') === 1, 'the call did not arrive');
      scene.client.signal(signal);
      await scene.see(id, ours('unknown', 'MCPC_SHUTDOWN'));
      await scene.leave();
    },
  })),
  {
    name: 'output closed by the client',
    on: on(WIRES),
    stops: true,
    server: () => ({}),
    async play(scene) {
      scene.client.hangUp();
      scene.client.excuse(scene.call());
      await scene.leave();
    },
  },
  {
    name: 'program that cannot be started',
    on: STDIO,
    unopened: true,
    server: () => ({ program: [UNSTARTABLE] }),
    async play(scene) {
      const id = scene.isModern ? scene.call() : scene.initialize();
      await scene.see(id, ours('no', 'MCPC_CONNECT', 'MCPC_TIMEOUT'));
    },
  },
  {
    name: 'program that crashes in the middle of a call',
    on: STDIO,
    server: () => ({ program: [process.execPath, CRASHING] }),
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      const { error } = await scene.see(scene.call({ crash: true }), UNKNOWN);
      check(error!.message.includes('no more memory'), 'the error does not tell what the program said');
      check(error!.message.includes('code 7'), 'the error does not tell how the program ended');
      await scene.see(scene.call(), RESULT);
    },
  },
  {
    name: 'program that crashes again and again',
    on: STDIO,
    unopened: true,
    server: () => ({ program: [process.execPath, '-e', 'console.error("boom"); process.exit(3)'] }),
    async play(scene) {
      const request = (): Id => (scene.isModern ? scene.call() : scene.initialize());
      const answer = await scene.see(request(), { kind: 'ours' });
      check(JSON.stringify(answer).includes('boom'), 'the error does not tell what the program said');
      await scene.see(request(), { kind: 'ours' });
      const starts = scene.client.stderr.split('boom').length - 1;
      check(starts <= MOST_STARTS, `it was started ${starts} times`);
    },
  },
  {
    name: 'end of input, and a program that ignores it',
    on: STDIO,
    stops: true,
    server: () => ({ program: [process.execPath, STUBBORN] }),
    async play(scene) {
      const { result } = await scene.see(scene.call(), RESULT);
      scene.client.end();
      await leaveAlone(scene, result?.['pid'] as number);
    },
  },
  {
    name: 'SIGTERM, and a program that ignores it',
    on: STDIO,
    stops: true,
    server: () => ({ program: [process.execPath, STUBBORN] }),
    async play(scene) {
      const { result } = await scene.see(scene.call(), RESULT);
      scene.client.signal('SIGTERM');
      await leaveAlone(scene, result?.['pid'] as number);
    },
  },
];

/** Waits for the end in good order, which leaves no program behind. */
async function leaveAlone(scene: Scene, pid: number): Promise<void> {
  const exit = await scene.exit();
  const orphan = isAlive(pid);
  if (orphan) process.kill(pid, 'SIGKILL');
  check(!orphan, 'its program outlives it');
  check(exit.code === 0, `it ended with ${exitText(exit)}`);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
