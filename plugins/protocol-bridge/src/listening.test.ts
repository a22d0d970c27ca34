import { createLog, DEFAULT_SETTINGS, parseEndpoint, type TransportContext } from '@mcp-connect/core';
import { expect } from 'chai';
import type { Answer, Question, Upstream } from './direction.js';
import { Listening } from './listening.js';
import { notificationOf } from './messages.js';
import { SUBSCRIPTION_KEY } from './modern.js';

/** A stream that was asked for, as the server sees it. */
interface Asked {
  readonly id: number;
  cancelled: boolean;
  answer(answer: Answer): void;
}

describe('Listening', () => {
  let asked: Asked[];
  let missed: number;
  let listening: Listening;

  const upstream: Pick<Upstream, 'ask'> = {
    ask(): Question {
      let settle!: Asked['answer'];
      const answer = new Promise<Answer>((resolve) => (settle = resolve));
      const stream: Asked = { id: asked.length, cancelled: false, answer: settle };
      asked.push(stream);
      return { id: stream.id, answer, cancel: () => void (stream.cancelled = true) };
    },
  };
  const acknowledge = ({ id }: Asked): unknown => {
    const params = { notifications: { toolsListChanged: true }, _meta: { [SUBSCRIPTION_KEY]: id } };
    return listening.takes(notificationOf('notifications/subscriptions/acknowledged', params));
  };

  beforeEach(() => {
    asked = [];
    missed = 0;
    const client: TransportContext = {
      endpoint: parseEndpoint('http://localhost/mcp'),
      settings: DEFAULT_SETTINGS,
      log: createLog({ level: 'error', write: () => undefined }),
      signal: new AbortController().signal,
      credentials: () => Promise.resolve({ headers: {} }),
      onmessage: () => undefined,
      onlost: () => undefined,
      onforgotten: () => undefined,
      onmissed: () => void missed++,
      onclose: () => undefined,
    };
    listening = new Listening({
      client,
      upstream: upstream as Upstream,
      capabilities: { tools: { listChanged: true } },
      stamp: (params) => params,
    });
  });

  afterEach(() => listening.close());

  it('puts a new stream in the place of one that may be dead, and has the client look again', async () => {
    const started = listening.start();
    acknowledge(asked[0]!);
    await started;
    listening.refresh();
    expect(asked[0]!.cancelled).to.equal(false);
    acknowledge(asked[1]!);
    expect(asked[0]!.cancelled).to.equal(true);
    await new Promise(setImmediate);
    expect(missed).to.equal(1);
  });

  it('asks no more of a server that has no such streams', async () => {
    const started = listening.start();
    asked[0]!.answer({ error: { code: -32_601, message: 'Method not found' } });
    await started;
    listening.refresh();
    expect(asked).to.have.length(1);
  });

  it('asks nothing of a server whose lists never change', async () => {
    const quiet = new Listening({
      client: undefined as never,
      upstream: upstream as Upstream,
      capabilities: { tools: {}, resources: { subscribe: true } },
      stamp: (params) => params,
    });
    await quiet.start();
    expect(asked).to.deep.equal([]);
  });
});
