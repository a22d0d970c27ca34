import { setTimeout as pause } from 'node:timers/promises';
import { inTurn, poll, reply, type PeerMessage, type Script } from '@mcp-connect/testing';
import { isHttp, WIRES } from '../column.js';
import type { Row } from '../row.js';
import { check } from '../expected.js';
import type { Scene } from '../scene.js';
import { on, RESULT } from './call.js';

/** Longer than the subject's timeout, and than connections are kept that nobody uses, in milliseconds. */
const LONG_SILENCE = 5_000;

/** How long a server waits before it says something again, in milliseconds. */
const PATIENCE = 500;

/** How long a client is asked to wait before it asks again, in milliseconds. */
const RETRY = 300;

/** Timers may fire a little early, in milliseconds. */
const EARLY = 5;

/** What a server says by itself. */
const NOTICE: PeerMessage = { method: 'notifications/message' };

/** What a server asks, in every session under the same id. */
const QUESTION: PeerMessage = { id: 0, method: 'roots/list' };

/** Offers lists that change. */
const CHANGING: Script = ({ method, params }) =>
  method === 'initialize'
    ? reply({
        protocolVersion: params?.['protocolVersion'],
        capabilities: { tools: { listChanged: true }, resources: { listChanged: true, subscribe: true } },
        serverInfo: { name: 'scripted', version: '0' },
      })
    : undefined;

const LATE_NEWS: Row = {
  name: 'news after a long silence',
  on: on(WIRES),
  server: () => ({ news: true, sessions: true, script: CHANGING }),
  async play(scene) {
    await listen(scene);
    await tell(scene, 0);
    const times = scene.server.executions(opening(scene));
    await pause(LONG_SILENCE);
    await tell(scene, 1);
    scene.executed(times, opening(scene));
  },
};

/** What a server says by itself, and what becomes of it when its stream ends while nobody asks anything. */
export const NEWS: readonly Row[] = [
  LATE_NEWS,
  {
    ...LATE_NEWS,
    name: 'news after a long silence, beyond the limits of requests',
    flags: ['--request-timeout', '1', '--max-request-time', '2'],
  },
  {
    name: 'stream of news cut while nothing is asked',
    on: on(WIRES),
    server: () => ({ news: true, sessions: true, script: CHANGING }),
    async play(scene) {
      await listen(scene);
      await tell(scene, 1);
      const gap = scene.client.heard.length;
      scene.server.cut();
      await missed(scene, gap);
      await tell(scene, 2);
      toldOnce(scene, gap);
      await scene.goOn();
    },
  },
  {
    name: 'server restarted while nothing is asked',
    on: on(WIRES),
    server: () => ({ news: true, sessions: true, script: CHANGING }),
    async play(scene) {
      await listen(scene);
      await tell(scene, 1);
      const gap = scene.client.heard.length;
      await scene.goDown();
      await scene.server.start();
      await missed(scene, gap);
      await tell(scene, 2);
      toldOnce(scene, gap);
      await scene.goOn();
    },
  },
  {
    name: 'question of a session that is over, answered late',
    on: on(WIRES, 'legacy'),
    server: () => ({ news: true, sessions: true, script: CHANGING }),
    async play(scene) {
      await listen(scene);
      await tell(scene, 1, QUESTION);
      const gap = scene.client.heard.length;
      await scene.goDown();
      await scene.server.start();
      await missed(scene, gap);
      await tell(scene, 2, QUESTION);
      const questions = scene.client.heard.filter(({ method }) => method === QUESTION.method);
      for (const { id = null, n } of questions) scene.client.send({ id, result: { n } });
      const isAnswered = (n: number): boolean =>
        scene.server.messages.some(({ result }) => result?.['n'] === n);
      await scene.served(() => isAnswered(2), 'the answer did not arrive');
      check(!isAnswered(1), 'the question was given the answer to another one');
      await scene.goOn();
    },
  },
  {
    name: 'answer that has to be asked for again and again (2025-11-25)',
    on: on(['sse'], 'legacy'),
    server: () => ({ sessions: true, script: inTurn('tools/call', poll(3, RETRY)) }),
    async play(scene) {
      const { result } = await scene.see(scene.call(), RESULT);
      const waits = result?.['waits'] as readonly number[];
      check(waits.length === 3, `it asked ${waits.length} times, not 3`);
      const hasty = waits.find((wait) => wait < RETRY - EARLY);
      check(hasty === undefined, `it waited ${hasty} ms, not ${RETRY}`);
      scene.executed(1);
      await scene.goOn();
    },
  },
];

/** What opens a channel for news in a column: only modern clients ask for it by a message. */
function opening({ column: { wire, era } }: Scene): string {
  if (era === 'modern') return 'subscriptions/listen';
  return isHttp(wire) ? 'GET' : 'initialize';
}

/** Waits until the server can say something by itself; a modern client has to ask for it. */
async function listen(scene: Scene): Promise<void> {
  if (scene.isModern) {
    scene.request('subscriptions/listen', {
      notifications: { toolsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['a:b'] },
    });
    const acknowledged = 'notifications/subscriptions/acknowledged';
    await scene.until(
      () => scene.client.heard.some(({ method }) => method === acknowledged),
      'no stream of news',
    );
  } else await scene.served(() => scene.server.executions(opening(scene)) === 1, 'no stream of news');
}

/** Has the server say something until the client has heard it: the first stream that it sees may be a trial. */
async function tell(scene: Scene, n: number, what: PeerMessage = NOTICE): Promise<void> {
  const say = (): void => scene.server.announce({ ...what, params: { n } });
  say();
  const again = setInterval(say, PATIENCE);
  try {
    await scene.until(() => scene.client.heard.some((heard) => heard.n === n), `news ${n} did not arrive`);
  } finally {
    clearInterval(again);
  }
}

/** Waits until the client is told to look again, behind all that it had heard. */
async function missed(scene: Scene, gap: number): Promise<void> {
  for (const told of missable(scene)) {
    const isTold = (): boolean => scene.client.heard.slice(gap).some(({ method }) => method === told);
    await scene.until(isTold, `no ${told}`);
  }
}

/** Checks that it was told so no more than once. */
function toldOnce(scene: Scene, gap: number): void {
  for (const told of missable(scene)) {
    const count = scene.client.heard.slice(gap).filter(({ method }) => method === told).length;
    check(count === 1, `${told} came ${count} times`);
  }
}

/** What may have been missed, in the words of notifications. */
function missable({ isModern }: Scene): string[] {
  const lists = ['tools', 'resources'].map((list) => `notifications/${list}/list_changed`);
  return isModern ? [...lists, 'notifications/resources/updated'] : lists;
}
