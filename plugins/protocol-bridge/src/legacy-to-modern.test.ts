import { expect } from 'chai';
import type { PeerMessage } from '@mcp-connect/testing';
import { joined as join, joinToModern, type Handle, type Joined } from './joined.test.js';
import { MODERN } from './modern.js';

const META = 'io.modelcontextprotocol/';
const INFO = { name: 'legacy', version: '1' };
const ABLE = { elicitation: {}, sampling: {}, roots: { listChanged: true }, tasks: { list: {} } };
const CHANGING = {
  capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} },
};
const COMPLETE = { resultType: 'complete' };

/** Sends a request as a legacy client does, and returns its answer. */
function ask(joined: Joined, id: number | string, method: string, params?: object): Promise<PeerMessage> {
  joined.write({ id, method, ...(params && { params }) });
  return joined.client.next((message) => message.id === id && message.method === undefined);
}

async function begin(
  joined: Joined,
  protocolVersion = '2025-11-25',
  capabilities: object = ABLE,
): Promise<PeerMessage> {
  const answer = await ask(joined, 'init', 'initialize', { protocolVersion, capabilities, clientInfo: INFO });
  joined.write({ method: 'notifications/initialized' });
  return answer;
}

/** What a modern server asks for before it answers. */
function needs(inputRequests: object, requestState?: string): object {
  return { result: { resultType: 'input_required', inputRequests, ...(requestState && { requestState }) } };
}

const FORM = {
  method: 'elicitation/create',
  params: { message: 'Who?', requestedSchema: { type: 'object', properties: {} } },
};
const MODEL = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } };

describe('a legacy client and a modern server', () => {
  let joined: Joined;

  const start = async (handle?: Handle, discovered?: object): Promise<void> => {
    joined = await joinToModern(handle, discovered);
  };
  const requestsOf = (method: string): PeerMessage[] =>
    joined.server.messages.filter((message) => message.method === method);

  afterEach(() => joined.close());

  describe('initialize', () => {
    it('is sent as it is first, and answered from what the server says when it is refused', async () => {
      const capabilities = { tools: {}, completions: {}, tasks: {}, extensions: { 'a/b': {} } };
      const _meta = { [`${META}serverInfo`]: { name: 'modern', version: '2' } };
      await start(undefined, { capabilities, instructions: 'Be kind.', _meta, ttlMs: 5 });
      const { result } = await begin(joined);
      expect(result).to.deep.equal({
        protocolVersion: '2025-11-25',
        capabilities: { tools: {}, completions: {}, extensions: { 'a/b': {} } },
        serverInfo: { name: 'modern', version: '2' },
        instructions: 'Be kind.',
      });
      expect(joined.server.messages.slice(0, 2).map(({ method }) => method)).to.deep.equal([
        'initialize',
        'server/discover',
      ]);
    });

    const AGREED: Readonly<Record<string, string>> = {
      '2024-11-05': '2024-11-05',
      '2025-03-26': '2025-03-26',
      '2025-06-18': '2025-06-18',
      '2026-07-28': '2025-11-25',
      '1999-01-01': '2025-11-25',
    };
    for (const [wanted, agreed] of Object.entries(AGREED)) {
      it(`for ${wanted} agrees on ${agreed}`, async () => {
        await start(undefined, { capabilities: { completions: {} } });
        const { result } = await begin(joined, wanted);
        expect(result).to.have.property('protocolVersion', agreed);
        expect(result).to.have.property('serverInfo').that.has.keys('name', 'version');
        const { capabilities } = result as { capabilities: object };
        expect('completions' in capabilities).to.equal(agreed !== '2024-11-05');
      });
    }

    it('is refused with the revisions there are when none is known', async () => {
      await start(undefined, { supportedVersions: ['2030-01-01'] });
      const { error } = await begin(joined);
      expect(error).to.deep.include({ code: -32_602, data: { supported: ['2030-01-01'] } });
    });

    const AS_MODERN = {
      protocolVersion: MODERN,
      capabilities: {},
      serverInfo: { name: 'modern', version: '2' },
    };

    it('that is answered with the revision that has no such request is as good as refused', async () => {
      const discovered = { resultType: 'complete', supportedVersions: [MODERN], capabilities: {} };
      joined = await join(({ method }) => ({
        result: method === 'initialize' ? AS_MODERN : method === 'server/discover' ? discovered : {},
      }));
      expect((await begin(joined)).result?.['protocolVersion']).to.equal('2025-11-25');
      await ask(joined, 1, 'tools/list');
      expect(requestsOf('tools/list')[0]?.params?.['_meta']).to.include({
        [`${META}protocolVersion`]: MODERN,
      });
    });

    it('keeps that answer where the server is no modern one after all, or was asked for it', async () => {
      joined = await join(({ method }) =>
        method === 'initialize' ? { result: AS_MODERN } : { error: { code: -32_601, message: 'unknown' } },
      );
      expect((await begin(joined)).result).to.deep.equal(AS_MODERN);
      expect(requestsOf('server/discover')).to.have.length(1);
      const again = await ask(joined, 'again', 'initialize', { protocolVersion: MODERN, capabilities: {} });
      expect(again.result).to.deep.equal(AS_MODERN);
      expect(requestsOf('server/discover')).to.have.length(1);
    });

    it('that was refused once is not sent again when the channel comes back', async () => {
      await start();
      await begin(joined);
      joined.cut();
      expect(await ask(joined, 1, 'prompts/list')).to.have.property('result');
      expect(joined.server.count('initialize')).to.equal(1);
      expect(joined.server.count('server/discover')).to.equal(2);
    });
  });

  describe('a request', () => {
    it('says who the client is and what it can do, and keeps what the client says itself', async () => {
      await start();
      await begin(joined, '2025-06-18');
      await ask(joined, 1, 'tools/call', {
        name: 'a',
        arguments: { b: 1 },
        _meta: { traceparent: 'x', progressToken: 0 },
      });
      expect(requestsOf('tools/call')).to.deep.equal([
        {
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: {
            name: 'a',
            arguments: { b: 1 },
            _meta: {
              traceparent: 'x',
              progressToken: 0,
              [`${META}protocolVersion`]: MODERN,
              [`${META}clientInfo`]: INFO,
              [`${META}clientCapabilities`]: {
                elicitation: {},
                sampling: {},
                roots: {},
                extensions: { [`${META}tasks`]: {} },
              },
            },
          },
        },
      ]);
    });

    it('gets its result without what only the newer revision has', async () => {
      const result = { ...COMPLETE, tools: [], ttlMs: 1, cacheScope: 'public' };
      await start(({ method }) => {
        if (method === 'tools/list')
          return { result: { ...result, _meta: { [`${META}serverInfo`]: INFO, mine: 1 } } };
        return { result: { ...COMPLETE, prompts: [], _meta: { [`${META}serverInfo`]: INFO } } };
      });
      await begin(joined);
      expect((await ask(joined, 1, 'tools/list')).result).to.deep.equal({ tools: [], _meta: { mine: 1 } });
      expect((await ask(joined, 2, 'prompts/list')).result).to.deep.equal({ prompts: [] });
    });

    it('without a result type is complete, and with an unknown one is an error', async () => {
      await start(({ method }) => ({ result: method === 'x/odd' ? { resultType: 'odd' } : { fine: true } }));
      await begin(joined);
      expect((await ask(joined, 1, 'x/plain')).result).to.deep.equal({ fine: true });
      expect((await ask(joined, 2, 'x/odd')).error).to.have.property('code', -32_603);
    });

    it('gets errors in the words of its revision', async () => {
      await start(({ method }) => {
        if (method === 'resources/read')
          return { error: { code: -32_602, message: 'gone', data: { uri: 'a:b' } } };
        return { error: { code: -32_021, message: 'no', data: { requiredCapabilities: { x: {} } } } };
      });
      await begin(joined);
      const missing = await ask(joined, 1, 'resources/read', { uri: 'a:b' });
      expect(missing.error).to.deep.equal({ code: -32_002, message: 'gone', data: { uri: 'a:b' } });
      expect((await ask(joined, 2, 'tools/call', { name: 'a' })).error).to.have.property('code', -32_021);
    });

    for (const id of [0, '', -1, 'text']) {
      it(`under the id ${JSON.stringify(id)} is answered under that id`, async () => {
        await start(() => ({ result: COMPLETE }));
        await begin(joined);
        expect((await ask(joined, id, 'tools/call', { name: 'a' })).result).to.deep.equal({});
      });
    }

    it('that the revision no longer has is answered here', async () => {
      await start(undefined, CHANGING);
      await begin(joined);
      expect((await ask(joined, 2, 'logging/setLevel', { level: 'warning' })).result).to.deep.equal({});
      expect((await ask(joined, 3, 'logging/setLevel', { level: 'loud' })).error).to.have.property(
        'code',
        -32_602,
      );
      expect((await ask(joined, 4, 'tasks/list')).error).to.have.property('code', -32_601);
      await ask(joined, 5, 'tools/list');
      const { _meta } = requestsOf('tools/list')[0]!.params as { _meta: object };
      expect(_meta).to.have.property(`${META}logLevel`, 'warning');
      expect(joined.server.messages.map(({ method }) => method)).to.not.include('logging/setLevel');
    });

    it('for a log level is refused by a server that logs nothing', async () => {
      await start();
      await begin(joined);
      expect((await ask(joined, 1, 'logging/setLevel', { level: 'info' })).error).to.have.property(
        'code',
        -32_601,
      );
    });

    it('ping is answered as long as the server is there', async () => {
      await start();
      await begin(joined);
      expect((await ask(joined, 1, 'ping')).result).to.deep.equal({});
      expect(joined.server.count('ping')).to.equal(0);
    });
  });

  describe('a question of the server', () => {
    it('becomes a request to the client, whose answer goes into the next round', async () => {
      await start(({ params }) =>
        'inputResponses' in params!
          ? { result: { ...COMPLETE, content: [] } }
          : needs({ who: FORM, list: { method: 'roots/list' } }, 'o"1'),
      );
      await begin(joined);
      const answer = ask(joined, 7, 'tools/call', { name: 'a', arguments: { deep: [1] } });
      const form = await joined.client.next(({ method }) => method === 'elicitation/create');
      const roots = await joined.client.next(({ method }) => method === 'roots/list');
      expect(form.params).to.deep.include(FORM.params);
      joined.write({ id: roots.id, result: { roots: [] } });
      joined.write({ id: form.id, result: { action: 'accept', content: { name: 'Ada' } } });
      expect((await answer).result).to.deep.equal({ content: [] });
      const [first, second] = requestsOf('tools/call');
      expect(second!.id).to.not.equal(first!.id);
      expect(second!.params).to.deep.equal({
        ...first!.params,
        inputResponses: { who: { action: 'accept', content: { name: 'Ada' } }, list: { roots: [] } },
        requestState: 'o"1',
      });
    });

    it('without a question is a pause, after which the request is sent again', async () => {
      await start(({ params }) => ('requestState' in params! ? { result: COMPLETE } : needs({}, 's')));
      await begin(joined);
      expect((await ask(joined, 1, 'prompts/get', { name: 'a' })).result).to.deep.equal({});
    });

    it('is not asked for ever', async () => {
      await start(() => needs({ a: { method: 'roots/list' } }));
      await begin(joined);
      const answer = ask(joined, 1, 'tools/call', { name: 'a' });
      const answered = new Set<unknown>();
      void (async () => {
        for (;;) {
          const asked = await joined.client.next(
            ({ id, method }) => method === 'roots/list' && !answered.has(id),
          );
          answered.add(asked.id);
          joined.write({ id: asked.id, result: { roots: [] } });
        }
      })();
      expect((await answer).error).to.have.property('code', -32_603);
      expect(requestsOf('tools/call')).to.have.length(11);
    });

    const URL_FORM = {
      method: 'elicitation/create',
      params: { mode: 'url', message: 'Go', url: 'https://a.b' },
    };
    const UNDECLARED: Readonly<Record<string, [object, object]>> = {
      'a form, by one that shows links only': [FORM, { elicitation: { url: {} } }],
      'a link, by one that shows forms only': [URL_FORM, { elicitation: {} }],
      'the model, by one that has none': [MODEL, {}],
      'tools of the model, by one that has none': [
        { ...MODEL, params: { ...MODEL.params, tools: [] } },
        { sampling: {} },
      ],
      'something unknown': [{ method: 'x/ask' }, ABLE],
    };
    for (const [what, [question, capabilities]] of Object.entries(UNDECLARED)) {
      it(`that the client has not declared to answer is the fault of the server: ${what}`, async () => {
        await start(() => needs({ a: question }));
        await begin(joined, '2025-11-25', capabilities);
        const { error } = await ask(joined, 1, 'tools/call', { name: 'a' });
        expect(error).to.have.property('code', -32_603);
        expect(joined.client.messages.every(({ method }) => method === undefined)).to.equal(true);
      });
    }

    it('in a request where the revision allows none is the fault of the server', async () => {
      await start(() => needs({ a: FORM }));
      await begin(joined);
      expect((await ask(joined, 1, 'completion/complete', {})).error).to.have.property('code', -32_603);
      expect(joined.client.count('elicitation/create')).to.equal(0);
    });

    it('that the client leaves open is a form that was cancelled', async () => {
      await start(({ params }) => ('inputResponses' in params! ? { result: COMPLETE } : needs({ a: FORM })));
      await begin(joined);
      const answer = ask(joined, 1, 'tools/call', { name: 'a' });
      const { id } = await joined.client.next(({ method }) => method === 'elicitation/create');
      joined.write({ id, error: { code: -1, message: 'no screen' } });
      await answer;
      expect(requestsOf('tools/call')[1]!.params).to.deep.include({
        inputResponses: { a: { action: 'cancel' } },
      });
    });

    it('that the client refuses ends the call, and takes back what else was asked', async () => {
      await start(() => needs({ a: MODEL, b: FORM }));
      await begin(joined);
      const call = ask(joined, 1, 'tools/call', { name: 'a' });
      const form = await joined.client.next(({ method }) => method === 'elicitation/create');
      const { id } = await joined.client.next(({ method }) => method === 'sampling/createMessage');
      joined.write({ id, error: { code: -1, message: 'no model' } });
      expect((await call).result).to.have.property('isError', true);
      const taken = await joined.client.next(({ method }) => method === 'notifications/cancelled');
      expect(taken.params).to.have.property('requestId', form.id);
    });
  });

  it('cancels at the server, takes questions back, and answers no more', async () => {
    await start(({ params }) => ((params as { name: string }).name === 'asks' ? needs({ a: FORM }) : false));
    await begin(joined);
    joined.write({ id: 1, method: 'tools/call', params: { name: 'hangs' } });
    joined.write({ id: 2, method: 'tools/call', params: { name: 'asks' } });
    const { id } = await joined.client.next(({ method }) => method === 'elicitation/create');
    for (const requestId of [1, 2])
      joined.write({ method: 'notifications/cancelled', params: { requestId } });
    const told = await joined.server.next(({ method }) => method === 'notifications/cancelled');
    expect(told.params).to.have.property('requestId', 1);
    const taken = await joined.client.next(({ method }) => method === 'notifications/cancelled');
    expect(taken.params).to.have.property('requestId', id);
    await ask(joined, 3, 'ping');
    expect(joined.client.messages.filter((message) => message.id === 1 || message.id === 2)).to.deep.equal(
      [],
    );
    expect(joined.server.count('notifications/cancelled')).to.equal(1);
  });

  it('lets progress go on over all rounds, and never back', async () => {
    await start(({ params }, say) => {
      const round = 'inputResponses' in params! ? 2 : 1;
      for (const progress of [round, round + 1])
        say({ method: 'notifications/progress', params: { progressToken: 't', progress } });
      return round === 1 ? needs({ a: { method: 'roots/list' } }) : { result: COMPLETE };
    });
    await begin(joined);
    const answer = ask(joined, 1, 'tools/call', { name: 'a', _meta: { progressToken: 't' } });
    const { id } = await joined.client.next(({ method }) => method === 'roots/list');
    joined.write({ id, result: { roots: [] } });
    await answer;
    const seen = joined.client.messages.filter(({ method }) => method === 'notifications/progress');
    expect(seen.map(({ params }) => (params as { progress: number }).progress)).to.deep.equal([1, 2, 3]);
  });

  describe('news', () => {
    const listening = (): PeerMessage[] => requestsOf('subscriptions/listen');
    const tell = (to: PeerMessage, method: string, params: object = {}): void =>
      joined.say({ method, params: { ...params, _meta: { [`${META}subscriptionId`]: to.id } } });

    it('of lists are listened to from the start, and passed on as the client knows them', async () => {
      await start(undefined, CHANGING);
      await begin(joined);
      const stream = await joined.server.next(({ method }) => method === 'subscriptions/listen');
      expect(stream.params).to.have.property('notifications').that.deep.equals({ toolsListChanged: true });
      tell(stream, 'notifications/tools/list_changed');
      const news = await joined.client.next(({ method }) => method === 'notifications/tools/list_changed');
      expect(news).to.deep.equal({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: {} });
    });

    it('of resources come once they are subscribed to, over a new stream that replaces the old one', async () => {
      await start(undefined, CHANGING);
      await begin(joined);
      expect((await ask(joined, 1, 'resources/subscribe', { uri: 'memo://a' })).result).to.deep.equal({});
      expect((await ask(joined, 2, 'resources/subscribe', { uri: 'memo://b' })).result).to.deep.equal({});
      const [old, , newest] = listening();
      expect(newest!.params)
        .to.have.property('notifications')
        .that.deep.equals({
          toolsListChanged: true,
          resourceSubscriptions: ['memo://a', 'memo://b'],
        });
      await joined.server.next(
        ({ method, params }) =>
          method === 'notifications/cancelled' && (params as { requestId: unknown }).requestId === old!.id,
      );
      tell(old!, 'notifications/resources/updated', { uri: 'memo://old' });
      tell(newest!, 'notifications/resources/updated', { uri: 'memo://a' });
      const news = await joined.client.next(({ method }) => method === 'notifications/resources/updated');
      expect(news.params).to.deep.equal({ uri: 'memo://a' });
    });

    it('that the server does not promise are no subscription', async () => {
      await start(({ id, method }, say) => {
        if (method !== 'subscriptions/listen') return undefined;
        const params = { notifications: {}, _meta: { [`${META}subscriptionId`]: id } };
        say({ method: 'notifications/subscriptions/acknowledged', params });
        return false;
      }, CHANGING);
      await begin(joined);
      const refused = await ask(joined, 1, 'resources/subscribe', { uri: 'memo://a' });
      expect(refused.error).to.have.property('code', -32_603);
    });

    it('are asked for no longer when nothing is left to hear', async () => {
      await start(undefined, { capabilities: { resources: { subscribe: true } } });
      await begin(joined);
      await ask(joined, 1, 'resources/subscribe', { uri: 'memo://a' });
      await ask(joined, 2, 'resources/unsubscribe', { uri: 'memo://a' });
      const told = await joined.server.next(({ method }) => method === 'notifications/cancelled');
      expect(told.params).to.have.property('requestId', listening()[0]!.id);
      expect(listening()).to.have.length(1);
    });

    it('that may have been missed while the stream was down are told of when it is back', async () => {
      await start(undefined, CHANGING);
      await begin(joined);
      await ask(joined, 1, 'resources/subscribe', { uri: 'memo://a' });
      joined.say({ id: listening().at(-1)!.id, result: COMPLETE });
      const news = await joined.client.next(({ method }) => method === 'notifications/resources/updated');
      expect(news.params).to.deep.equal({ uri: 'memo://a' });
      expect(joined.client.count('notifications/tools/list_changed')).to.equal(1);
    });
  });
});
