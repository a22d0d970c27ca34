import { expect } from 'chai';
import type { Exchange } from './contract.js';
import { createLog, type LogRecord } from './log.js';
import {
  asMessage,
  deferred,
  echo,
  failure,
  lineTo,
  Scripted,
  type Line,
  type LineOptions,
  type Script,
} from './scripted.test.js';

const INITIALIZE = { id: 'init', method: 'initialize', params: { protocolVersion: '2025-06-18' } };
const INITIALIZED = { method: 'notifications/initialized' };
/** An unsafe request: carried out twice, it does harm. */
const CALL = { id: 1, method: 'tools/call', params: { name: 'pay' } };
const PING = { id: 1, method: 'ping' };
const PROGRESS = { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } };

/** Takes everything and says nothing. */
const silent: Script = () => undefined;

/** Asserts that the request gets one error of ours and nothing else. */
async function failsOnce(line: Line, id: string | number | null, code: string): Promise<void> {
  const { error } = await line.client.answer(id);
  expect(error?.data).to.include({ source: 'mcp-connect', code });
  await answersOnce(line, id);
}

/** Asserts that the request gets one answer, ends the line, and looks that nothing came behind it. */
async function answersOnce({ pipeline, client }: Line, id: string | number | null): Promise<void> {
  await client.answer(id);
  await pipeline.close();
  expect(client.answers(id)).to.have.length(1);
}

/** A line to one server that is open already. */
async function opened(server: Scripted, options?: LineOptions): Promise<Line> {
  const line = lineTo(server, options);
  const { script } = server;
  server.script = echo;
  void line.tell({ id: 'opener', method: 'ping' });
  await line.client.answer('opener');
  server.script = script;
  server.channel.sent.length = 0;
  return line;
}

describe('the line', () => {
  it('carries every kind of message both ways, byte for byte', async () => {
    const texts: string[] = [];
    const server = new Scripted((_message, _channel, envelope) => void texts.push(envelope.bytes.toString()));
    const line = await opened(server);
    const out = [
      '{ "method":"acme/unknown", "jsonrpc":"2.0","extra":1.0, "id":"é" }',
      '{"jsonrpc":"2.0","method":"notifications/roots/list_changed" ,"x":1e2}',
      '{"jsonrpc":"2.0","id":"s1","result":{"n":1.0}}',
    ];
    const back = [
      '{"id":"s1","jsonrpc":"2.0","method":"sampling/createMessage","params":{"a":1.50}}',
      '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1.0},"x":null}',
      '{"result":{"a":1e2},"id":"é","jsonrpc":"2.0","y":[]}',
    ];
    void line.line(out[0]!);
    void line.line(out[1]!);
    for (const text of back) void server.channel.say(text);
    void line.line(out[2]!);
    await line.pipeline.close();
    expect(texts).to.deep.equal(out);
    expect(line.client.texts.slice(1)).to.deep.equal(back);
  });

  describe('answers a request exactly once', () => {
    for (const id of [0, '', '1', 1, -1, 'é']) {
      it(`under the id ${JSON.stringify(id)}`, async () => {
        const line = lineTo(new Scripted());
        void line.tell({ ...PING, id });
        await answersOnce(line, id);
      });
    }

    it('under ids that only their texts tell apart', async () => {
      const ids = ['9007199254740992', '9007199254740993', '"9007199254740993"'];
      const server = new Scripted((_message, channel, { idText }) => {
        void channel.say(`{"jsonrpc":"2.0","id":${idText},"result":{"text":${JSON.stringify(idText)}}}`);
      });
      const line = lineTo(server);
      for (const id of ids) void line.line(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
      await line.client.until(() => line.client.texts.length === ids.length);
      await line.pipeline.close();
      expect(line.client.texts).to.deep.equal(
        ids.map((id) => `{"jsonrpc":"2.0","id":${id},"result":{"text":${JSON.stringify(id)}}}`),
      );
    });

    for (const [delivered, unsafe] of [
      ['no', 'MCPC_BAD_RESPONSE'],
      ['rejected', 'MCPC_BAD_RESPONSE'],
      ['unknown', 'MCPC_OUTCOME_UNKNOWN'],
    ] as const) {
      for (const how of ['throws', 'rejects'] as const) {
        it(`when send ${how} with delivered: ${delivered}`, async () => {
          const server = new Scripted(() => {
            const error = failure('MCPC_BAD_RESPONSE', delivered);
            if (how === 'rejects') return Promise.reject(error);
            throw error;
          });
          const line = lineTo(server);
          void line.tell(CALL);
          await failsOnce(line, 1, unsafe);
          expect(line.client.answers(1)[0]!.error!.data).to.include({
            executed: delivered === 'unknown' ? 'unknown' : 'no',
            retryable: delivered !== 'unknown',
          });
          expect(server.sent).to.have.length(1);
        });
      }
    }

    it('when a safe request is lost again and again', async () => {
      const server = new Scripted(() => Promise.reject(failure('MCPC_CONNECTION_LOST', 'unknown')));
      const line = lineTo(server);
      void line.tell(PING);
      await failsOnce(line, 1, 'MCPC_CONNECTION_LOST');
      expect(server.sent).to.have.length(3);
      expect(line.client.answers(1)[0]!.error!.data!.attempts).to.have.length(3);
    });

    it('when a safe request is lost once', async () => {
      let lost = 0;
      const server = new Scripted((message, channel, envelope) => {
        if (lost++ === 0) throw failure('MCPC_CONNECTION_LOST', 'unknown');
        return echo(message, channel, envelope);
      });
      const line = lineTo(server);
      void line.tell(PING);
      await answersOnce(line, 1);
      expect(line.client.answers(1)[0]).to.have.property('result');
    });

    it('when the channel of the request ends without the answer, told twice', async () => {
      const server = new Scripted(({ id }, { context }) => {
        context.onlost(id!, failure('MCPC_NO_ANSWER', 'unknown'));
        context.onlost(id!, failure('MCPC_NO_ANSWER', 'unknown'));
      });
      const line = lineTo(server);
      void line.tell(CALL);
      await failsOnce(line, 1, 'MCPC_OUTCOME_UNKNOWN');
    });

    it('when onlost and a rejection of send tell of the same failure', async () => {
      const server = new Scripted(({ id }, { context }) => {
        context.onlost(id!, failure('MCPC_NO_ANSWER', 'unknown'));
        return Promise.reject(failure('MCPC_CONNECTION_LOST', 'unknown'));
      });
      const line = lineTo(server);
      void line.tell(CALL);
      await failsOnce(line, 1, 'MCPC_OUTCOME_UNKNOWN');
    });

    it('when a transport reports errors of its own making once a tool call has left', async () => {
      const servers: [string, Scripted][] = [
        [
          'thrown',
          new Scripted(() => {
            throw new TypeError('foreign');
          }),
        ],
        ['rejected', new Scripted(() => Promise.reject(new TypeError('foreign')))],
        [
          'lost',
          new Scripted(({ id }, { context }) => context.onlost(id!, new TypeError('foreign') as never)),
        ],
        [
          'closed',
          new Scripted((_message, { context }) => context.onclose(new TypeError('foreign') as never)),
        ],
      ];
      for (const [how, server] of servers) {
        const line = lineTo(server);
        void line.tell(CALL);
        const { error } = await line.client.answer(1);
        expect(error!.data, how).to.include({ code: 'MCPC_OUTCOME_UNKNOWN', executed: 'unknown' });
        expect(server.sent, how).to.have.length(1);
      }
    });

    it('when the first of two servers never answers initialize, by the second in its share of the time', async () => {
      const mute = new Scripted(silent);
      const line = lineTo([mute, new Scripted()], {
        settings: { timeout: 300 },
        tap: ({ hooks }) =>
          hooks.selectTransport.tap('first-untried', (candidates, { attempts }) =>
            candidates.find((each) => attempts.every(({ candidate }) => candidate !== each)),
          ),
      });
      void line.tell({ id: 1, method: 'initialize', params: {} });
      await answersOnce(line, 1);
      expect(line.client.answers(1)[0]).to.have.property('result');
      expect(mute.sent).to.have.length(1);
    });

    it('when a tap returns something that is no message', async () => {
      const line = lineTo(new Scripted(), {
        tap: ({ hooks }) => hooks.beforeSend.tap('odd', () => 5 as never),
      });
      void line.tell(CALL);
      await failsOnce(line, 1, 'MCPC_PLUGIN');
    });

    it('when send fails behind the answer', async () => {
      const server = new Scripted(({ id }, channel) => {
        void channel.say({ id, result: {} });
        return Promise.reject(failure('MCPC_CONNECTION_LOST', 'unknown'));
      });
      const line = lineTo(server);
      void line.tell(PING);
      await answersOnce(line, 1);
      expect(server.sent).to.have.length(1);
    });

    it('when the channel closes with several requests in flight', async () => {
      const server = new Scripted((message, { context, sent }) => {
        if (sent.length === 3) context.onclose(failure('MCPC_CONNECTION_LOST', 'unknown'));
      });
      const line = lineTo(server);
      for (const id of [0, '', 'c']) void line.tell({ ...CALL, id });
      for (const id of [0, '', 'c'])
        expect((await line.client.answer(id)).error!.data).to.include({ code: 'MCPC_OUTCOME_UNKNOWN' });
      await line.pipeline.close();
      expect(line.client.messages).to.have.length(3);
      expect(server.sent).to.have.length(3);
    });

    it('when the channel closes without a reason, and the next request opens a new one', async () => {
      const server = new Scripted((_message, { context }) => context.onclose());
      const line = lineTo(server);
      void line.tell(CALL);
      await line.client.answer(1);
      server.script = echo;
      void line.tell({ ...CALL, id: 2 });
      await answersOnce(line, 2);
      expect(server.channels).to.have.length(2);
      expect(line.client.answers(1)[0]!.error!.data).to.include({ code: 'MCPC_OUTCOME_UNKNOWN' });
    });

    it('when the server answers twice, and under ids that nobody waits for', async () => {
      const server = new Scripted(({ id }, channel) => {
        void channel.say({ id: 'nobody', result: {} });
        void channel.say({ id: null, error: { code: -32_600, message: 'x' } });
        void channel.say({ id: String(id), result: {} });
        void channel.say({ id, result: { first: true } });
        void channel.say({ id, result: { first: false } });
      });
      const line = lineTo(server);
      void line.tell(PING);
      await answersOnce(line, 1);
      expect(line.client.messages).to.deep.equal([{ jsonrpc: '2.0', id: 1, result: { first: true } }]);
    });

    it('when the server answers with JSON that is no message', async () => {
      const server = new Scripted((_message, channel) => void channel.say('{"id":1,"value":7}'));
      const line = lineTo(server);
      void line.tell(CALL);
      await failsOnce(line, 1, 'MCPC_OUTCOME_UNKNOWN');
    });

    it('when the server answers with a batch', async () => {
      const server = new Scripted(({ id }, channel) => {
        if (id === 2)
          void channel.say('[{"jsonrpc":"2.0","id":2,"result":{}},{"jsonrpc":"2.0","id":1,"result":{}}]');
      });
      const line = lineTo(server);
      for (const id of [1, 2]) void line.tell({ ...PING, id });
      await line.client.answer(1);
      await answersOnce(line, 2);
      expect(line.client.messages.map(({ id }) => id)).to.deep.equal([2, 1]);
    });

    it('when a large answer is malformed on the inside: it goes on as it came', async () => {
      for (const method of ['initialize', 'tools/list', 'tools/call']) {
        const answer = `{"jsonrpc":"2.0","id":1,"result":{"tools":[1 2 ${'3 '.repeat(10_000)}]}}`;
        const line = lineTo(new Scripted((_message, channel) => void channel.say(answer)));
        void line.tell({ id: 1, method });
        await line.client.until(() => line.client.texts.length > 0);
        await line.pipeline.close();
        expect(line.client.texts).to.deep.equal([answer]);
      }
    });

    it('when an id in flight is used again', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      void line.tell(CALL);
      void line.tell({ ...CALL, method: 'ping' });
      const { error } = await line.client.answer(1);
      expect(error).to.include({ code: -32_600 });
      expect(error!.data).to.include({ code: 'MCPC_INVALID_MESSAGE' });
      void server.channel.say({ id: 1, result: {} });
      await line.pipeline.close();
      expect(line.client.answers(1)).to.have.length(2);
      expect(server.channel.methods).to.deep.equal(['tools/call']);
    });

    it('when no server can be reached until the time is up', async () => {
      const server = new Scripted();
      server.onopen = () => Promise.reject(failure('MCPC_CONNECT'));
      const line = lineTo(server, { settings: { timeout: 60 } });
      void line.tell(CALL);
      await failsOnce(line, 1, 'MCPC_CONNECT');
      expect(line.client.answers(1)[0]!.error!.data).to.include({ executed: 'no', retryable: true });
    });

    it('when many wait for a server that cannot be reached, which all of them together ask no more often', async () => {
      const server = new Scripted();
      let asked = 0;
      server.onopen = () => {
        asked++;
        return Promise.reject(failure('MCPC_CONNECT'));
      };
      const since = performance.now();
      const line = lineTo(server, { settings: { timeout: 300, retryDelay: 1_000 } });
      const ids = Array.from({ length: 50 }, (_, index) => index);
      for (const id of ids) void line.tell({ ...CALL, id });
      for (const id of ids) await line.client.answer(id);
      // An upper bound only: the first wait is fifty milliseconds at the least.
      expect(asked).to.be.at.most((performance.now() - since) / 50 + 1);
      await line.pipeline.close();
      expect(line.client.messages).to.have.length(ids.length);
    });

    it('when the session cannot be begun anew at first', async () => {
      let refusals = 2;
      const server = new Scripted((message, channel, envelope) => {
        if (message.method === 'initialize' && channel !== server.channels[0] && refusals-- > 0)
          throw failure('MCPC_HTTP_STATUS', 'unknown');
        return echo(message, channel, envelope);
      });
      const line = lineTo(server);
      void line.tell(INITIALIZE);
      await line.client.answer('init');
      server.channel.context.onclose();
      void line.tell(CALL);
      await answersOnce(line, 1);
      expect(line.client.answers(1)[0]).to.have.property('result');
    });

    it('when a server comes up late', async () => {
      const server = new Scripted();
      let refused = 0;
      server.onopen = () => {
        if (refused++ < 3) throw failure('MCPC_CONNECT');
      };
      const line = lineTo(server);
      void line.tell(CALL);
      await answersOnce(line, 1);
      expect(line.client.answers(1)[0]).to.have.property('result');
      expect(server.sent).to.have.length(1);
    });

    it('when opening takes longer than the timeout', async () => {
      const server = new Scripted();
      server.onopen = ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(failure('MCPC_CONNECT')));
        });
      const line = lineTo(server, { settings: { timeout: 30 } });
      void line.tell(CALL);
      await failsOnce(line, 1, 'MCPC_TIMEOUT');
    });

    it('when initialize gets no answer in time', async () => {
      const server = new Scripted(silent);
      const line = lineTo(server, { settings: { timeout: 30 } });
      void line.tell(INITIALIZE);
      await failsOnce(line, 'init', 'MCPC_TIMEOUT');
      expect(server.sent.map(({ method }) => method)).to.deep.equal(['initialize']);
    });

    it('when every endpoint fails, naming each attempt', async () => {
      const servers = [0, 1].map(
        () => new Scripted(() => Promise.reject(failure('MCPC_HTTP_STATUS', 'rejected'))),
      );
      const line = lineTo(servers, { tap: roundRobin });
      void line.tell(CALL);
      await failsOnce(line, 1, 'MCPC_HTTP_STATUS');
      const attempts = line.client.answers(1)[0]!.error!.data!.attempts!;
      expect(attempts.map(({ endpoint }) => endpoint)).to.deep.equal(['s0://server', 's1://server']);
    });

    it('when one of two endpoints fails and no strategy chooses another', async () => {
      const servers = [
        new Scripted(() => Promise.reject(failure('MCPC_NO_ANSWER', 'unknown'))),
        new Scripted(),
      ];
      const line = lineTo(servers);
      void line.tell(PING);
      await failsOnce(line, 1, 'MCPC_NO_ANSWER');
      expect(servers[0]!.sent).to.have.length(3);
    });
  });

  describe('refuses', () => {
    for (const [what, text, code, own] of [
      ['a line that is no JSON', '{"jsonrpc":"2.0",', -32_700, 'MCPC_PARSE'],
      [
        'a large line that was cut short',
        `{"jsonrpc":"2.0","id":1,"x":"${'x'.repeat(20_000)}`,
        -32_700,
        'MCPC_PARSE',
      ],
      ['JSON that is no object', '"text"', -32_600, 'MCPC_INVALID_MESSAGE'],
      ['an empty batch', '[]', -32_600, 'MCPC_INVALID_MESSAGE'],
      ['an id of another type', '{"jsonrpc":"2.0","id":{},"method":"ping"}', -32_600, 'MCPC_INVALID_MESSAGE'],
    ] as const) {
      it(`${what} with ${code}, and takes the next line`, async () => {
        const line = lineTo(new Scripted());
        void line.line(text);
        void line.tell(PING);
        await answersOnce(line, 1);
        const { error } = line.client.answers(null)[0]!;
        expect(error).to.include({ code });
        expect(error!.data).to.include({ source: 'mcp-connect', code: own });
        expect(line.client.messages).to.have.length(2);
      });
    }

    it('an invalid envelope under its own id', async () => {
      const line = lineTo(new Scripted());
      void line.line('{"jsonrpc":"1.0","id":"","method":"ping"}');
      const { error } = await line.client.answer('');
      expect(error).to.include({ code: -32_600 });
      await answersOnce(line, '');
    });

    it('a large message of any kind whose inside is malformed, without falling over', async () => {
      const inside = `[1 2 ${'3 '.repeat(10_000)}]`;
      const server = new Scripted(silent);
      const line = await opened(server, {
        tap: ({ hooks }) => hooks.beforeSend.tap('look', () => undefined),
      });
      for (const text of [
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${inside}}`,
        `{"jsonrpc":"2.0","method":"notifications/cancelled","params":${inside}}`,
        `{"jsonrpc":"2.0","method":"notifications/x","params":${inside}}`,
        `{"jsonrpc":"2.0","id":"s","result":${inside}}`,
        `[{"jsonrpc":"2.0","id":2,"method":"ping","params":${inside}}]`,
      ])
        expect(() => void line.line(text), text.slice(0, 60)).not.to.throw();
      server.script = echo;
      void line.tell({ id: 'next', method: 'ping' });
      await line.client.answer(1);
      expect(line.client.answers(1)[0]!.error).to.include({ code: -32_700 });
      await answersOnce(line, 'next');
    });

    it('a cancellation whose inside is malformed, without falling over', async () => {
      const line = await opened(new Scripted());
      const text = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":[1 2 ${'3 '.repeat(10_000)}]}`;
      expect(() => void line.line(text)).not.to.throw();
      void line.tell(PING);
      await answersOnce(line, 1);
    });

    it('a request that is too large, under its own id', async () => {
      const line = lineTo(new Scripted());
      const nothing = { hasResult: false, hasError: false, resultStart: -1 };
      const outline = { complete: true, opening: '{', jsonrpc: '"2.0"', ...nothing };
      line.pipeline.refuse({ ...outline, id: '""', method: '"m"', idStart: 0, idEnd: 2 }, 99);
      line.pipeline.refuse({ ...outline, id: 'tru', method: '"m"', idStart: 0, idEnd: 3 }, 99);
      line.pipeline.refuse({ ...outline, id: undefined, method: '"m"', idStart: -1, idEnd: -1 }, 99);
      await failsOnce(line, '', 'MCPC_TOO_LARGE');
    });
  });

  describe('answers a batch', () => {
    const batch = (...parts: object[]): string =>
      JSON.stringify(parts.map((part) => Object.assign({ jsonrpc: '2.0' }, part)));

    it('with one batch, in which every request has its answer', async () => {
      const server = new Scripted();
      const line = lineTo(server);
      void line.line(batch({ ...PING, id: 0 }, PROGRESS, { jsonrpc: '1.0', id: 'bad' }, { ...PING, id: '' }));
      await line.client.until(() => line.client.messages.length === 1);
      await line.pipeline.close();
      expect(line.client.messages).to.have.length(1);
      const answers = line.client.messages[0] as unknown as { id: unknown }[];
      expect(answers.map(({ id }) => id)).to.have.members([0, '', 'bad']);
    });

    it('although a part is an array', async () => {
      const line = lineTo(new Scripted());
      void line.line('[[],{"jsonrpc":"2.0","id":1,"method":"ping"}]');
      await line.client.until(() => line.client.messages.length === 1);
      await line.pipeline.close();
      expect(line.client.messages[0]).to.have.length(2);
    });

    it('although one of the answers is malformed inside', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      void line.line(batch({ ...PING, id: 'a' }, { ...PING, id: 'b' }));
      void server.channel.say(`{"jsonrpc":"2.0","id":"b","result":{"x":"${'x'.repeat(20_000)}","y":,"z":1}}`);
      void server.channel.say({ id: 'a', result: {} });
      await line.pipeline.close();
      const [, answers] = line.client.messages as unknown as [unknown, { id: unknown; error?: unknown }[]];
      expect(answers.map(({ id }) => id)).to.deep.equal(['b', 'a']);
      expect(answers[0]).to.have.nested.property('error.data.code', 'MCPC_BAD_RESPONSE');
    });

    it('although one of its requests is cancelled', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      void line.line(batch({ ...PING, id: 'a' }, { ...PING, id: 'b' }));
      void line.tell({ method: 'notifications/cancelled', params: { requestId: 'a' } });
      void server.channel.say({ id: 'b', result: {} });
      await line.pipeline.close();
      const [, answers] = line.client.messages as unknown as [unknown, { id: unknown }[]];
      expect(answers.map(({ id }) => id)).to.deep.equal(['b']);
    });

    it('not at all where it holds no request', async () => {
      const server = new Scripted();
      const line = await opened(server);
      void line.line(batch(PROGRESS, PROGRESS));
      await line.pipeline.close();
      expect(server.channel.methods).to.deep.equal([PROGRESS.method, PROGRESS.method]);
      expect(line.client.messages).to.have.length(1);
    });
  });

  describe('with a hook', () => {
    for (const hook of [
      'beforeSend',
      'afterReceive',
      'selectTransport',
      'authenticate',
      'openTransport',
    ] as const) {
      for (const how of ['throws', 'rejects'] as const) {
        it(`answers once when a tap of ${hook} ${how}`, async () => {
          const line = lineTo([new Scripted(), new Scripted()], {
            tap: ({ hooks }) =>
              hooks[hook].tap('bad-plugin', ((): unknown => {
                if (how === 'rejects') return Promise.reject(new Error('broken'));
                throw new Error('broken');
              }) as never),
          });
          void line.tell(CALL);
          await failsOnce(line, 1, 'MCPC_PLUGIN');
          expect(line.client.answers(1)[0]!.error!.message).to.include('bad-plugin').and.to.include(hook);
        });
      }
    }

    for (const hook of ['beforeSend', 'afterReceive'] as const) {
      const tapped = (tap: (exchange: Exchange) => void): Line =>
        lineTo(new Scripted(), {
          tap: ({ hooks }) => hooks[hook].tap('p', (_message, exchange) => tap(exchange)),
        });

      it(`answers once what ${hook} drops`, async () => {
        const line = tapped((exchange) => exchange.drop('not here'));
        void line.tell(CALL);
        await failsOnce(line, 1, 'MCPC_PLUGIN');
      });

      it(`answers once with what ${hook} answers, whatever else it asks for`, async () => {
        const line = tapped((exchange) => {
          exchange.answer({ result: { own: true } });
          exchange.answer({ result: { own: false } });
          exchange.drop();
        });
        void line.tell({ ...CALL, id: '' });
        await answersOnce(line, '');
        expect(line.client.answers('')[0]!.result).to.deep.equal({ own: true });
      });

      it(`keeps the id although ${hook} changes it, and all ids that a parsed number cannot hold`, async () => {
        const id = '9007199254740993';
        const server = new Scripted((_message, channel, { idText }) => {
          void channel.say(`{"jsonrpc":"2.0","id":${idText},"result":{}}`);
        });
        const line = lineTo(server, {
          tap: ({ hooks }) => hooks[hook].tap('p', (message) => Object.assign({ extra: 1 }, message)),
        });
        void line.line(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
        await line.client.until(() => line.client.texts.length === 1);
        await line.pipeline.close();
        expect(line.client.texts[0]).to.include(`"id":${id}`);
      });
    }

    it('sends on what beforeSend returned, and delivers what afterReceive returned', async () => {
      const server = new Scripted();
      const line = lineTo(server, {
        tap({ hooks }) {
          hooks.beforeSend.tap('p', async (message) => ({ ...message, params: { n: 1 } }) as typeof message);
          hooks.afterReceive.tap('p', async (message, { id, method }) =>
            asMessage({ id, result: { ...(message as { result: object }).result, method } }),
          );
        },
      });
      void line.tell(PING);
      await answersOnce(line, 1);
      expect(line.client.messages[0]!.result).to.deep.equal({ n: 1, method: 'ping' });
    });

    it('keeps the order of messages both ways while taps take different times', async () => {
      const server = new Scripted(silent);
      const slow = async (): Promise<void> => {
        for (let turns = waits++ % 3; turns > 0; turns--) await new Promise(setImmediate);
      };
      let waits = 0;
      const line = await opened(server, {
        tap({ hooks }) {
          hooks.beforeSend.tap('p', slow);
          hooks.afterReceive.tap('p', slow);
        },
      });
      const numbers = Array.from({ length: 30 }, (_, id) => id);
      const all = deferred();
      server.script = (_message, { sent }) => (sent.length === numbers.length ? all.resolve() : undefined);
      for (const id of numbers)
        void line.tell(id % 2 ? { ...PROGRESS, params: { id } } : { ...PING, id, params: { id } });
      await all.promise;
      expect(server.channel.sent.map(({ params }) => params!['id'])).to.deep.equal(numbers);
      for (const id of numbers)
        void server.channel.say(id % 2 ? { ...PROGRESS, params: { id } } : { id, result: { id } });
      await line.pipeline.close();
      const seen = line.client.messages.slice(1).map(({ params, result }) => (params ?? result)!['id']);
      expect(seen).to.deep.equal(numbers);
    });

    it('lets a notification go on as it was when a tap fails', async () => {
      const server = new Scripted();
      const line = await opened(server, {
        tap({ hooks }) {
          for (const hook of [hooks.beforeSend, hooks.afterReceive])
            hook.tap('p', (_message, { method }) => {
              if (method === PROGRESS.method) throw new Error('broken');
            });
        },
      });
      void line.tell(PROGRESS);
      void server.channel.say(PROGRESS);
      await line.pipeline.close();
      expect(server.channel.methods).to.deep.equal([PROGRESS.method]);
      expect(line.client.messages.at(-1)!.method).to.equal(PROGRESS.method);
    });

    it('lets a tap answer or drop the request of a server', async () => {
      const server = new Scripted(silent);
      const line = await opened(server, {
        tap: ({ hooks }) =>
          hooks.afterReceive.tap('p', (_message, exchange) => {
            if (exchange.method === 'roots/list') exchange.answer({ result: { roots: [] } });
            if (exchange.method === 'sampling/createMessage') exchange.drop();
          }),
      });
      void server.channel.say({ id: 5, method: 'roots/list' });
      void server.channel.say({ id: 6, method: 'sampling/createMessage' });
      await line.pipeline.close();
      expect(line.client.messages).to.have.length(1);
      const [first, second] = server.channel.sent;
      expect(first).to.deep.equal({ jsonrpc: '2.0', id: 5, result: { roots: [] } });
      expect(second).to.include({ id: 6 });
      expect(second!.error!.data).to.include({ code: 'MCPC_PLUGIN' });
    });

    it('authenticates every attempt, and says why the last one was refused', async () => {
      const server = new Scripted((message, channel, envelope) => {
        if (channel.credentials.at(-1)!.headers['authorization'] === 'new')
          return echo(message, channel, envelope);
        throw Object.assign(failure('MCPC_UNAUTHORIZED', 'rejected'), { challenge: { status: 401 } });
      });
      const statuses: (number | undefined)[] = [];
      const line = lineTo(server, {
        tap: ({ hooks }) =>
          hooks.authenticate.tap('auth', async (credentials) => {
            statuses.push(credentials.challenge?.status);
            credentials.headers['authorization'] = credentials.challenge ? 'new' : 'old';
          }),
      });
      void line.tell(CALL);
      await answersOnce(line, 1);
      expect(line.client.messages[0]).to.have.property('result');
      expect(statuses).to.deep.equal([undefined, 401]);
    });

    it('signs in anew for a message without an answer, too', async () => {
      const server = new Scripted((message, channel, envelope) => {
        if (channel.credentials.at(-1)!.headers['authorization'] === 'new')
          return echo(message, channel, envelope);
        throw Object.assign(failure('MCPC_UNAUTHORIZED', 'rejected'), { challenge: { status: 401 } });
      });
      const line = await opened(server, {
        tap: ({ hooks }) =>
          hooks.authenticate.tap('auth', ({ headers, challenge }) => {
            headers['authorization'] = challenge === undefined ? 'old' : 'new';
          }),
      });
      const gone = 'notifications/roots/list_changed';
      void line.tell({ method: gone });
      await line.pipeline.close();
      expect(server.channel.methods).to.deep.equal([gone, gone]);
      const shown = server.channel.credentials.map(({ headers }) => headers['authorization']);
      expect(shown.slice(-2)).to.deep.equal(['old', 'new']);
    });

    it('does not send a refused request again with the credentials that were refused', async () => {
      const server = new Scripted(() => {
        throw Object.assign(failure('MCPC_UNAUTHORIZED', 'rejected'), { challenge: { status: 401 } });
      });
      const asked: (Readonly<Record<string, string>> | undefined)[] = [];
      const line = lineTo(server, {
        tap: ({ hooks }) =>
          hooks.authenticate.tap('auth', (credentials) => {
            asked.push(credentials.refused);
            credentials.headers['authorization'] = 'the only one';
          }),
      });
      void line.tell(CALL);
      await answersOnce(line, 1);
      expect(line.client.messages[0]!.error!.data).to.include({ code: 'MCPC_UNAUTHORIZED', executed: 'no' });
      expect(line.client.messages[0]!.error!.data!['attempts']).to.have.length(1);
      expect(asked).to.deep.equal([undefined, { authorization: 'the only one' }]);
      expect(server.channel.sent).to.have.length(1);
    });
  });

  it('leaves a server alone that closes one channel after the other, until there is something to send', async () => {
    const server = new Scripted();
    const line = lineTo(server);
    const complete = async (): Promise<void> => {
      while (!server.channel.methods.includes(INITIALIZED.method)) await new Promise(setImmediate);
    };
    void line.tell(INITIALIZE);
    void line.tell(INITIALIZED);
    await line.client.answer('init');
    for (let closed = 1; closed <= 2; closed++) {
      await complete();
      server.channel.context.onclose();
      await new Promise(setImmediate);
      expect(server.channels).to.have.length(2);
    }
    void line.tell(CALL);
    await answersOnce(line, 1);
    expect(server.channels).to.have.length(3);
  });

  describe('on cancellation', () => {
    const cancel = (requestId: unknown): object => ({
      method: 'notifications/cancelled',
      params: { requestId },
    });

    it('tells the server about a request that was sent, and makes up no answer', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      void line.tell({ ...CALL, id: 0 });
      void line.tell(cancel(0));
      await line.pipeline.close();
      expect(server.channel.methods).to.deep.equal(['tools/call', 'notifications/cancelled']);
      expect(line.client.answers(0)).to.have.length(0);
    });

    it('sends nothing at all of a request that has not left', async () => {
      const server = new Scripted(silent);
      const opening = deferred();
      server.onopen = () => opening.promise;
      const line = lineTo(server);
      void line.tell(CALL);
      void line.tell(cancel(1));
      void line.tell({ ...CALL, id: 2 });
      opening.resolve();
      server.script = echo;
      await answersOnce(line, 2);
      expect(server.sent.map(({ id }) => id)).to.deep.equal([2]);
      expect(line.client.answers(1)).to.have.length(0);
    });

    it('takes a request back that its transport has not sent yet', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      const taken: unknown[] = [];
      server.channel.withdraw = (id) => taken.push(id) > 0;
      for (const id of [0, 1]) void line.tell({ ...CALL, id });
      void line.tell(cancel(0));
      await line.pipeline.close();
      expect(taken).to.deep.equal([0, 1]);
      expect(server.channel.methods).to.deep.equal(['tools/call', 'tools/call']);
      expect(line.client.answers(1)[0]?.error?.data).to.include({ code: 'MCPC_SHUTDOWN', executed: 'no' });
    });

    it('finds an id that only its text tells apart', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      void line.line('{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"pay"}}');
      void line.line(
        '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9007199254740993}}',
      );
      await line.pipeline.close();
      expect(server.channel.methods).to.deep.equal(['tools/call', 'notifications/cancelled']);
    });

    it('passes at most one late answer on, and takes the id for a new request', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      void line.tell(CALL);
      void line.tell(cancel(1));
      for (let i = 0; i < 3; i++) void server.channel.say({ id: 1, result: {} });
      expect(line.client.answers(1).length).to.be.at.most(1);
      line.client.messages.length = 0;
      server.script = echo;
      void line.tell(CALL);
      await answersOnce(line, 1);
    });

    it('sends a cancelled request no second time', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      void line.tell(PING);
      void line.tell(cancel(1));
      server.channel.context.onlost(1, failure('MCPC_NO_ANSWER', 'unknown'));
      await line.pipeline.close();
      expect(server.channel.methods).to.deep.equal(['ping', 'notifications/cancelled']);
      expect(line.client.answers(1)).to.have.length(0);
    });

    it('leaves initialize and unknown requests alone', async () => {
      const server = new Scripted(({ method }, channel, envelope) => {
        if (method === 'ping') void echo({ id: envelope.id!, method }, channel, envelope);
      });
      const line = await opened(server);
      void line.tell(INITIALIZE);
      void line.tell(cancel('init'));
      void line.tell(cancel('nothing'));
      void server.channel.say({ id: 'init', result: {} });
      await answersOnce(line, 'init');
      expect(server.channel.methods).to.deep.equal(['initialize']);
    });

    it("of a server's own request, tells the client", async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      void server.channel.say({ id: 0, method: 'roots/list' });
      void server.channel.say(cancel(0));
      await line.pipeline.close();
      expect(line.client.messages.at(-1)).to.deep.equal({ jsonrpc: '2.0', ...cancel(0) });
    });
  });

  describe('keeps order', () => {
    it('lets nothing overtake initialize', async () => {
      const server = new Scripted(silent);
      const line = lineTo(server);
      void line.tell(INITIALIZE);
      void line.tell(PING);
      void line.tell(INITIALIZED);
      await new Promise(setImmediate);
      expect(server.channel.methods).to.deep.equal(['initialize']);
      server.script = echo;
      void server.channel.say({ id: 'init', result: {} });
      await answersOnce(line, 1);
      expect(server.channel.methods).to.deep.equal(['initialize', 'ping', 'notifications/initialized']);
    });

    it('lets nothing overtake initialized', async () => {
      const handedOver = deferred();
      const server = new Scripted((message, channel, envelope) =>
        message.method === INITIALIZED.method ? handedOver.promise : echo(message, channel, envelope),
      );
      const line = lineTo(server);
      void line.tell(INITIALIZE);
      void line.tell(INITIALIZED);
      void line.tell(PING);
      await line.client.answer('init');
      await new Promise(setImmediate);
      expect(server.channel.methods).to.deep.equal(['initialize', INITIALIZED.method]);
      handedOver.resolve();
      await answersOnce(line, 1);
    });

    it('sends initialized again until it is taken, and before all else', async () => {
      let refusals = 2;
      const server = new Scripted((message, channel, envelope) => {
        if (message.method === 'notifications/initialized' && refusals-- > 0)
          throw failure('MCPC_CONNECTION_LOST', 'unknown');
        return echo(message, channel, envelope);
      });
      const line = lineTo(server);
      void line.tell(INITIALIZE);
      void line.tell(INITIALIZED);
      void line.tell(CALL);
      await answersOnce(line, 1);
      const { methods } = server.channel;
      expect(methods).to.deep.equal(['initialize', ...Array(3).fill(INITIALIZED.method), 'tools/call']);
    });

    it('warns of an initialized that did not arrive once, however often it is sent', async () => {
      const records: LogRecord[] = [];
      let refusals = 2;
      const server = new Scripted((message, channel, envelope) => {
        if (message.method === 'notifications/initialized' && refusals-- > 0)
          throw failure('MCPC_CONNECTION_LOST', 'unknown');
        return echo(message, channel, envelope);
      });
      const log = createLog({ level: 'debug', write: (record) => void records.push(record) });
      const line = lineTo(server, { log });
      void line.tell(INITIALIZE);
      void line.tell(INITIALIZED);
      void line.tell(CALL);
      await answersOnce(line, 1);
      const levels = records
        .filter(({ text }) => text.includes(INITIALIZED.method))
        .map(({ level }) => level);
      expect(levels).to.deep.equal(['warn', 'debug']);
    });

    it('completes a session that is begun anew because it was lost with initialized', async () => {
      let lost = false;
      const server = new Scripted((message, channel, envelope) => {
        if (message.method === 'notifications/initialized' && !lost) {
          lost = true;
          throw failure('MCPC_SESSION_LOST', 'rejected');
        }
        return echo(message, channel, envelope);
      });
      const line = lineTo(server);
      void line.tell(INITIALIZE);
      void line.tell(INITIALIZED);
      void line.tell(CALL);
      await answersOnce(line, 1);
      const { methods } = server.channel;
      expect(methods.slice(-3)).to.deep.equal(['initialize', INITIALIZED.method, 'tools/call']);
    });

    it('goes on behind an initialize that failed', async () => {
      const server = new Scripted(({ id, method }, channel) => {
        if (method === 'initialize') void channel.say({ id, error: { code: -32_602, message: 'no' } });
        else void channel.say({ id, result: {} });
      });
      const line = lineTo(server);
      void line.tell(INITIALIZE);
      void line.tell(PING);
      await answersOnce(line, 1);
      expect(line.client.messages[0]!.error).to.deep.include({ code: -32_602 });
    });

    it('sends requests, notifications and replies in the order in which the client wrote them', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      void server.channel.say({ id: 's', method: 'roots/list' });
      const written = [
        PROGRESS,
        { ...PING, id: 'a' },
        { id: 's', result: {} },
        PROGRESS,
        { ...PING, id: 'b' },
      ];
      for (const message of written) void line.tell(message);
      for (const id of ['a', 'b']) void server.channel.say({ id, result: {} });
      await line.pipeline.close();
      expect(server.channel.sent).to.deep.equal(written.map((message) => asMessage(message)));
    });

    it('also while the channel is only being opened', async () => {
      const server = new Scripted();
      const opening = deferred();
      server.onopen = () => opening.promise;
      const line = lineTo(server);
      for (let id = 0; id < 20; id++) void line.tell({ ...PING, id });
      opening.resolve();
      await answersOnce(line, 19);
      expect(server.sent.map(({ id }) => id)).to.deep.equal(Array.from({ length: 20 }, (_, id) => id));
    });
  });

  describe('with requests of a server', () => {
    it("keeps them apart from the client's under the same ids", async () => {
      const server = new Scripted(({ id, method }, channel) => {
        if (method === 'tools/call') void channel.say({ id, method: 'elicitation/create' });
        else if (method === undefined) void channel.say({ id, result: { done: true } });
      });
      const line = lineTo(server);
      void line.tell(CALL);
      await line.client.until(() => line.client.messages.length === 1);
      void line.tell({ id: 1, result: { action: 'accept' } });
      await answersOnce(line, 1);
      expect(line.client.messages.map(({ method, result }) => method ?? result)).to.deep.equal([
        'elicitation/create',
        { done: true },
      ]);
      expect(server.sent[1]).to.deep.equal({ jsonrpc: '2.0', id: 1, result: { action: 'accept' } });
    });

    it('brings each answer to the server that asked, although two use the same id', async () => {
      const servers = [new Scripted(), new Scripted()];
      const line = lineTo(servers, { tap: roundRobin });
      for (const id of ['a', 'b']) void line.tell({ ...PING, id });
      await line.client.answer('a');
      await line.client.answer('b');
      line.client.messages.length = 0;
      for (const [index, server] of servers.entries())
        void server.channel.say({ id: 7, method: 'roots/list', params: { index } });
      for (const { id, params } of line.client.messages)
        void line.tell({ id, result: { index: params!['index'] } });
      await line.pipeline.close();
      expect(new Set(line.client.messages.map(({ id }) => id)).size).to.equal(2);
      for (const [index, server] of servers.entries())
        expect(server.sent.at(-1)).to.deep.equal({ jsonrpc: '2.0', id: 7, result: { index } });
    });

    it('gives no answer to a question of a lost session to one of its successor', async () => {
      const server = new Scripted();
      const line = await opened(server);
      void server.channel.say({ id: 0, method: 'roots/list', params: { n: 1 } });
      server.channel.context.onclose();
      void line.tell(PING);
      await line.client.answer(1);
      void server.channel.say({ id: 0, method: 'roots/list', params: { n: 2 } });
      const questions = line.client.messages.filter(({ method }) => method === 'roots/list');
      for (const { id, params } of questions) void line.tell({ id, result: { ...params } });
      await line.pipeline.close();
      expect(
        line.client.messages.find(({ method }) => method === 'notifications/cancelled')?.params,
      ).to.include({
        requestId: 0,
      });
      const answers = server.channel.sent.filter(({ method }) => method === undefined);
      expect(answers).to.deep.equal([{ jsonrpc: '2.0', id: 0, result: { n: 2 } }]);
    });

    it('withdraws what a server has asked in a session that it forgets', async () => {
      const server = new Scripted(({ id, method }, channel) => {
        if (id !== undefined && method !== undefined) void channel.say({ id, result: {} });
      });
      const line = await opened(server);
      void line.tell(INITIALIZE);
      await line.client.answer('init');
      void server.channel.say({ id: 7, method: 'roots/list' });
      server.channel.context.onforgotten();
      await line.client.until(() => line.client.messages.at(-1)?.method === 'notifications/cancelled');
      void line.tell({ id: 7, result: {} });
      await line.pipeline.close();
      expect(server.sent.filter(({ method }) => method === undefined)).to.deep.equal([]);
    });

    it('drops answers that no server asked for, and second answers', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      void line.tell({ id: 'unasked', result: {} });
      void server.channel.say({ id: '', method: 'roots/list' });
      for (let i = 0; i < 2; i++) void line.tell({ id: '', result: {} });
      await line.pipeline.close();
      expect(server.channel.sent).to.deep.equal([{ jsonrpc: '2.0', id: '', result: {} }]);
    });
  });

  describe('with back-pressure', () => {
    it('lets the transport wait for a client that does not read', async () => {
      for (const tap of [
        undefined,
        ({ hooks }: Line['connector']) => hooks.afterReceive.tap('p', () => undefined),
      ]) {
        const server = new Scripted(silent);
        const line = await opened(server, tap === undefined ? {} : { tap });
        const reading = deferred();
        line.client.busy = reading.promise;
        let paused = true;
        const wait = server.channel.say(PROGRESS)!.then(() => (paused = false));
        await new Promise(setImmediate);
        expect(paused).to.equal(true);
        reading.resolve();
        await wait;
        line.client.busy = undefined;
        expect(server.channel.say(PROGRESS)).to.equal(undefined);
        await line.pipeline.close();
      }
    });

    it('lets the client wait for a server that does not read, before memory fills up', async () => {
      const server = new Scripted(silent);
      const line = await opened(server);
      const reading = deferred();
      server.channel.busy = reading.promise;
      const filler = 'x'.repeat(100_000);
      let wait: void | Promise<void> = undefined;
      let told = 0;
      while (wait === undefined && told < 100)
        wait = line.tell({ ...PROGRESS, params: { told: told++, filler } });
      expect(told).to.be.lessThan(50);
      server.channel.busy = undefined;
      reading.resolve();
      await wait;
      expect(server.channel.sent).to.have.length(told);
      expect(server.channel.sent.map(({ params }) => params!['told'])).to.deep.equal([...Array(told).keys()]);
      await line.pipeline.close();
    });
  });
});

/** Sends each attempt to an endpoint that the request has not tried, starting at the least busy one. */
function roundRobin({ hooks }: Line['connector']): void {
  let turn = 0;
  hooks.selectTransport.tap('round-robin', (candidates, { attempts }) => {
    if (attempts.length === 0) return candidates[turn++ % candidates.length];
    return candidates.find((candidate) => attempts.every((attempt) => attempt.candidate !== candidate));
  });
}
