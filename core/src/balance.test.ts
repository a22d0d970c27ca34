import { expect } from 'chai';
import type { Connector } from './connector.js';
import { ConnectorError } from './errors.js';
import {
  echo,
  failure,
  lineTo,
  Scripted,
  type Channel,
  type Line,
  type LineOptions,
  type Message,
  type Script,
} from './scripted.test.js';

const INITIALIZE = { id: 'init', method: 'initialize', params: { protocolVersion: '2025-06-18' } };
const INITIALIZED = { method: 'notifications/initialized' };
const TOOLS_CHANGED = { method: 'notifications/tools/list_changed' };
const MODERN = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };

interface ServerOptions {
  readonly tools?: readonly object[];
  readonly capabilities?: object;
  readonly protocolVersion?: string;
  readonly supportedVersions?: readonly string[];
  /** What the server does with what a session needs not; echoes where not given. */
  readonly script?: Script;
}

/** A server with a session, whose answers name it. */
function server(name: string, options: ServerOptions = {}): Scripted {
  const capabilities = options.capabilities ?? { tools: { listChanged: true } };
  const { tools = [], protocolVersion = '2025-06-18', supportedVersions = ['2026-07-28'], script } = options;
  return new Scripted((message, channel, envelope) => {
    const { id, method } = message;
    if (id === undefined || method === undefined) return undefined;
    if (method === 'initialize')
      return channel.say({ id, result: { protocolVersion, capabilities, serverInfo: { name } } });
    if (method === 'server/discover')
      return channel.say({ id, result: { supportedVersions, capabilities, by: name } });
    if (method === 'tools/list' && message.params?.['cursor'] === undefined && tools.length > 0)
      // Some servers write null for nothing.
      return channel.say({ id, result: { tools, nextCursor: null } });
    if (script !== undefined) return script(message, channel, envelope);
    return channel.say({ id, result: { by: name } });
  });
}

/** Takes the endpoints in turn, but for what belongs to one of them. */
function inTurn({ hooks }: Connector): void {
  let turn = 0;
  hooks.selectTransport.tap('in-turn', (candidates, { affinity, attempts }) => {
    const failed = new Set(attempts.map(({ candidate }) => candidate.index));
    if (affinity !== undefined && !failed.has(affinity.index)) return affinity;
    const untried = candidates.filter(({ index }) => !failed.has(index));
    const from = untried.length > 0 ? untried : candidates;
    return from[turn++ % from.length];
  });
}

/** A line to several servers on all of which the client's session has begun. */
async function balanced(servers: readonly Scripted[], options: LineOptions = {}): Promise<Line> {
  const line = lineTo(servers, { affinity: 'auto', tap: inTurn, ...options });
  void line.tell(INITIALIZE);
  await line.client.answer('init');
  void line.tell(INITIALIZED);
  await until(() => line.pipeline.status().every(({ open }) => open));
  return line;
}

/** Looks again with every turn of the event loop, since nothing tells of what is looked for. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

/** Sends a request and returns its answer. */
function ask(line: Line, id: string | number, method: string, params: object = {}): Promise<Message> {
  void line.tell({ id, method, params });
  return line.client.answer(id);
}

/** Sends a request and returns the name of the server that answered. */
async function by(line: Line, id: string | number, method: string, params: object = {}): Promise<string> {
  return String((await ask(line, id, method, params)).result?.['by']);
}

const methodsOf = (scripted: Scripted): (string | undefined)[] => scripted.sent.map(({ method }) => method);
const count = (scripted: Scripted, name: string): number =>
  methodsOf(scripted).filter((method) => method === name).length;

describe('one client and several servers', () => {
  let line: Line;

  afterEach(() => line.pipeline.close());

  describe('share one session', () => {
    it('that is begun on each with what the client said, once', async () => {
      const servers = [server('a'), server('b'), server('c')];
      line = await balanced(servers);
      for (let n = 0; n < 6; n++) await ask(line, n, 'ping');
      for (const each of servers) {
        expect(count(each, 'initialize')).to.equal(1);
        expect(count(each, 'notifications/initialized')).to.equal(1);
        expect(each.sent[0]!.params).to.deep.equal(INITIALIZE.params);
      }
    });

    it('whose log level holds everywhere, and whose notifications reach all', async () => {
      const servers = [server('a'), server('b')];
      line = await balanced(servers);
      await ask(line, 1, 'logging/setLevel', { level: 'debug' });
      void line.tell({ method: 'notifications/roots/list_changed' });
      for (const each of servers) {
        await until(() => count(each, 'logging/setLevel') === 1);
        expect(count(each, 'notifications/roots/list_changed')).to.equal(1);
      }
    });

    it('whose subscriptions live on one, and move to another when that fails', async () => {
      const servers = [server('a'), server('b')];
      line = await balanced(servers, { settings: { ejectionTime: 60_000 } });
      await ask(line, 1, 'resources/subscribe', { uri: 'x:1' });
      expect(servers.map((each) => count(each, 'resources/subscribe'))).to.deep.equal([1, 0]);
      servers[0]!.script = () => Promise.reject(failure('MCPC_CONNECTION_LOST', 'unknown'));
      for (let n = 0; n < 8; n++) await ask(line, `p${n}`, 'ping');
      await until(() => count(servers[1]!, 'resources/subscribe') === 1);
      const moved = servers[1]!.sent.find(({ method }) => method === 'resources/subscribe');
      expect(moved!.params).to.deep.equal({ uri: 'x:1' });
      await line.client.until(() =>
        line.client.messages.some(({ method }) => method === TOOLS_CHANGED.method),
      );
      const updated = line.client.messages.find(({ method }) => method === 'notifications/resources/updated');
      expect(updated?.params).to.deep.equal({ uri: 'x:1' });
    });

    it('whose home moves at once when its channel is lost', async () => {
      const servers = [server('a'), server('b')];
      line = await balanced(servers);
      servers[0]!.onopen = () => Promise.reject(failure('MCPC_CONNECT'));
      servers[0]!.channel.context.onclose(failure('MCPC_CONNECTION_LOST', 'unknown'));
      expect(line.pipeline.status().map(({ home }) => home)).to.deep.equal([false, true]);
      expect(await by(line, 1, 'tools/call')).to.equal('b');
    });

    it('and a call that waits for it has not left, whatever becomes of the beginning', async () => {
      const servers = [server('a'), server('b')];
      line = lineTo(servers, { tap: inTurn });
      await ask(line, 'init', 'initialize', INITIALIZE.params);
      servers[0]!.script = () => Promise.reject(failure('MCPC_CONNECTION_LOST', 'unknown'));
      servers[0]!.channel.context.onclose(failure('MCPC_CONNECTION_LOST', 'unknown'));
      expect(await by(line, 1, 'tools/call')).to.equal('b');
    });

    it('and one that lost it is told again before it gets the request', async () => {
      const servers = [server('a'), server('b')];
      line = await balanced(servers, { affinity: 'none' });
      const { script } = servers[1]!;
      let forgetful = true;
      servers[1]!.script = (message, channel, envelope) => {
        if (message.method === 'initialize') forgetful = false;
        if (forgetful) throw failure('MCPC_SESSION_LOST', 'rejected');
        return script(message, channel, envelope);
      };
      const answers = [await by(line, 1, 'tools/call'), await by(line, 2, 'tools/call')];
      expect(answers).to.have.members(['a', 'b']);
      expect(count(servers[1]!, 'initialize')).to.equal(2);
    });
  });

  describe('with --affinity', () => {
    const spread = async (method: string, params?: object): Promise<Set<unknown>> => {
      const answers = new Set<unknown>();
      for (let n = 0; n < 4; n++) answers.add(await by(line, `${method}${n}`, method, params));
      return answers;
    };

    it('auto: tool calls stay on one, what is safe is balanced', async () => {
      line = await balanced([server('a'), server('b')]);
      expect(await spread('tools/call')).to.deep.equal(new Set(['a']));
      expect(await spread('resources/read')).to.deep.equal(new Set(['a', 'b']));
      expect(await spread('acme/unknown')).to.deep.equal(new Set(['a']));
    });

    it('auto: tool calls are balanced where the server keeps no session', async () => {
      const servers = [server('a'), server('b')];
      for (const each of servers) each.stateful = false;
      line = await balanced(servers);
      expect(await spread('tools/call')).to.deep.equal(new Set(['a', 'b']));
    });

    it('session: everything stays on one', async () => {
      line = lineTo([server('a'), server('b')], { affinity: 'session', tap: inTurn });
      await ask(line, 'init', 'initialize', INITIALIZE.params);
      expect(await spread('resources/read')).to.deep.equal(new Set(['a']));
    });

    it('none: everything is balanced that names nothing of one server', async () => {
      line = await balanced([server('a'), server('b')], { affinity: 'none' });
      expect(await spread('tools/call')).to.deep.equal(new Set(['a', 'b']));
      expect(await spread('resources/subscribe')).to.deep.equal(new Set(['a']));
    });

    it('requests of 2026-07-28 are balanced one by one', async () => {
      line = lineTo([server('a'), server('b')], { affinity: 'auto', tap: inTurn });
      expect(await spread('tools/call', MODERN)).to.deep.equal(new Set(['a', 'b']));
    });
  });

  describe('keep what belongs to one of them there', () => {
    const result = (members: (name: string) => object): Scripted[] =>
      ['a', 'b', 'c'].map((name) =>
        server(name, {
          script: ({ id }, channel) => channel.say({ id: id!, result: { by: name, ...members(name) } }),
        }),
      );

    it('a next page, whatever its cursor', async () => {
      for (const cursor of ['opaque', '']) {
        line = await balanced(result((name) => ({ nextCursor: name === 'b' ? cursor : undefined })));
        const first = [1, 2, 3].map((id) => by(line, id, 'resources/list'));
        expect(await Promise.all(first)).to.have.members(['a', 'b', 'c']);
        for (const id of [4, 5, 6, 7]) expect(await by(line, id, 'resources/list', { cursor })).to.equal('b');
        await line.pipeline.close();
      }
    });

    it('a task, in the words of either revision', async () => {
      for (const task of [
        (name: string) => ({ task: { taskId: `of ${name}` } }),
        (name: string) => ({ resultType: 'task', taskId: `of ${name}` }),
      ]) {
        line = await balanced(result(task), { affinity: 'none' });
        const owners = new Set<unknown>();
        for (let n = 0; n < 3; n++) {
          const owner = await by(line, n, 'tools/call', { name: 'x' });
          owners.add(owner);
          expect(await by(line, `get${n}`, 'tasks/get', { taskId: `of ${owner}` })).to.equal(owner);
        }
        expect(owners).to.deep.equal(new Set(['a', 'b', 'c']));
        await line.pipeline.close();
      }
    });

    it('the next step of a request that a server wants to see again', async () => {
      line = lineTo(
        result((name) => ({ resultType: 'input_required', requestState: `of ${name}` })),
        {
          affinity: 'auto',
          tap: inTurn,
        },
      );
      for (let n = 0; n < 3; n++) {
        const owner = await by(line, n, 'tools/call', { name: 'x', ...MODERN });
        const params = { name: 'x', requestState: `of ${owner}`, inputResponses: {}, ...MODERN };
        expect(await by(line, `again${n}`, 'tools/call', params)).to.equal(owner);
      }
    });

    it('and ask no other server in its place when it is down', async () => {
      const servers = result((name) => ({ nextCursor: `of ${name}` }));
      line = await balanced(servers, { settings: { retryAttempts: 2 } });
      const owner = await by(line, 1, 'resources/list');
      const own = servers['abc'.indexOf(owner)]!;
      own.script = () => Promise.reject(failure('MCPC_NO_ANSWER', 'unknown'));
      const asked = servers.map((each) => count(each, 'resources/list'));
      const { error } = await ask(line, 2, 'resources/list', { cursor: `of ${owner}` });
      expect(error?.data?.code).to.equal('MCPC_NO_ANSWER');
      for (const [at, each] of servers.entries()) {
        if (each !== own) expect(count(each, 'resources/list')).to.equal(asked[at]);
      }
    });
  });

  it('hear of the progress of what they asked, and of nothing that another one did', async () => {
    const servers = [server('a'), server('b')];
    line = await balanced(servers);
    const params = { _meta: { progressToken: 'p' } };
    void servers[1]!.channel.say({ id: 's1', method: 'sampling/createMessage', params });
    void line.tell({ method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } });
    expect(servers.map((each) => count(each, 'notifications/progress'))).to.deep.equal([0, 1]);
    void line.tell({ id: 's1', result: {} });
  });

  describe('are heard as one', () => {
    const heard = (method: string): number =>
      line.client.messages.filter((message) => message.method === method).length;

    it('a changed list is told once', async () => {
      const servers = [server('a'), server('b'), server('c')];
      line = await balanced(servers);
      for (const each of servers) void each.channel.say(TOOLS_CHANGED);
      await line.client.until(() => heard(TOOLS_CHANGED.method) > 0);
      await line.pipeline.close();
      expect(heard(TOOLS_CHANGED.method)).to.equal(1);
    });

    it('a changed resource is told by the one that knows the subscriptions', async () => {
      const servers = [server('a'), server('b')];
      line = await balanced(servers);
      const params = { uri: 'x:1' };
      for (const each of servers)
        void each.channel.say({ method: 'notifications/resources/updated', params });
      expect(heard('notifications/resources/updated')).to.equal(1);
    });

    it('progress comes from the current attempt alone', async () => {
      const slow: Script = () => undefined;
      const servers = [server('a', { script: slow }), server('b', { script: slow })];
      line = await balanced(servers);
      void line.tell({ id: 1, method: 'resources/read', params: { _meta: { progressToken: 't' } } });
      const asked = (): number => servers.findIndex((each) => count(each, 'resources/read') > 0);
      await until(() => asked() !== -1);
      const [first, second] = asked() === 0 ? servers : servers.toReversed();
      first!.channel.context.onlost(1, failure('MCPC_CONNECTION_LOST', 'unknown'));
      await until(() => count(second!, 'resources/read') === 1);
      const progress = (n: number): object => ({
        method: 'notifications/progress',
        params: { progressToken: 't', progress: n },
      });
      void first!.channel.say(progress(1));
      void second!.channel.say(progress(2));
      expect(line.client.messages.filter(({ method }) => method === 'notifications/progress')).to.have.length(
        1,
      );
      expect(line.client.messages.at(-1)!.params).to.include({ progress: 2 });
      void second!.channel.say({ id: 1, result: {} });
    });
  });

  describe('that differ', () => {
    const tool = (name: string, more: object = {}): object => ({
      name,
      inputSchema: { type: 'object' },
      ...more,
    });
    const reasons = (): (string | undefined)[] =>
      line.pipeline.status().map(({ quarantined }) => quarantined);

    for (const [what, other] of [
      ['version', { protocolVersion: '2025-03-26' }],
      ['capabilities', { capabilities: { tools: { listChanged: true }, prompts: {} } }],
      ['tools', { tools: [tool('x'), tool('y')] }],
      ['the form of a tool', { tools: [tool('x', { annotations: { readOnlyHint: true } })] }],
    ] as const) {
      it(`in ${what} get no requests with --equivalence strict, and are named`, async () => {
        const servers = [server('a', { tools: [tool('x')] }), server('b', { tools: [tool('x')], ...other })];
        line = await balanced(servers, { equivalence: 'strict' });
        await until(() => reasons()[1] !== undefined);
        for (let n = 0; n < 4; n++) expect(await by(line, n, 'resources/read')).to.equal('a');
      });
    }

    for (const [what, other] of [
      ['version', { supportedVersions: ['2027-01-01'] }],
      ['capabilities', { capabilities: { tools: { listChanged: true }, prompts: {} } }],
      ['tools', { tools: [tool('x'), tool('y')] }],
    ] as const) {
      it(`in ${what} get no requests of 2026-07-28 with --equivalence strict, and are named`, async () => {
        const servers = [server('a', { tools: [tool('x')] }), server('b', { tools: [tool('x')], ...other })];
        line = lineTo(servers, { affinity: 'auto', tap: inTurn, equivalence: 'strict' });
        expect(await by(line, 0, 'resources/read', MODERN)).to.equal('a');
        await until(() => reasons()[1] !== undefined);
        for (let n = 1; n < 5; n++) expect(await by(line, n, 'resources/read', MODERN)).to.equal('a');
      });
    }

    it('in nothing get requests of 2026-07-28, and are asked what they are once', async () => {
      const servers = [server('a', { tools: [tool('x')] }), server('b', { tools: [tool('x')] })];
      line = lineTo(servers, { affinity: 'auto', tap: inTurn, equivalence: 'strict' });
      const _meta = { ...MODERN._meta, progressToken: 't', 'io.modelcontextprotocol/logLevel': 'debug' };
      expect(await by(line, 'first', 'resources/read', { _meta })).to.equal('a');
      await until(() => servers.every((each) => count(each, 'tools/list') > 0));
      const answers = [1, 2, 3, 4].map((n) => by(line, n, 'resources/read', { _meta }));
      expect(await Promise.all(answers)).to.include.members(['a', 'b']);
      for (const { sent } of servers) {
        const own = sent.filter(({ method }) => method !== 'resources/read');
        expect(own.map(({ method }) => method)).to.deep.equal(['server/discover', 'tools/list']);
        for (const { params } of own) expect(params?.['_meta']).to.deep.equal(MODERN._meta);
      }
    });

    it('are compared anew with the first answer of a new channel', async () => {
      const tools = [tool('x')];
      const servers = [server('a', { tools: [tool('x')] }), server('b', { tools })];
      line = lineTo(servers, { affinity: 'auto', tap: inTurn, equivalence: 'strict' });
      await by(line, 0, 'resources/read', MODERN);
      await until(() => count(servers[1]!, 'tools/list') > 0);
      const both = [1, 2].map((n) => by(line, n, 'resources/read', MODERN));
      expect(await Promise.all(both)).to.have.members(['a', 'b']);
      tools.push(tool('y'));
      servers[1]!.channel.context.onclose(failure('MCPC_CONNECTION_LOST', 'unknown'));
      for (let n = 3; reasons()[1] === undefined; n++) await by(line, n, 'resources/read', MODERN);
      expect(servers[1]!.channels).to.have.length(2);
    });

    it('in the order of tools and members alone are alike', async () => {
      const servers = [
        server('a', { tools: [tool('x'), tool('y')] }),
        server('b', { tools: [{ inputSchema: { type: 'object' }, name: 'y' }, tool('x')] }),
      ];
      line = await balanced(servers, { equivalence: 'strict' });
      await until(() => servers.every((each) => count(each, 'tools/list') > 0));
      await until(() => reasons().every((reason) => reason === undefined));
      const answers = [await by(line, 1, 'ping'), await by(line, 2, 'ping')];
      expect(answers).to.have.members(['a', 'b']);
    });

    it('are only named with --equivalence warn', async () => {
      const servers = [server('a', { tools: [tool('x')] }), server('b', { tools: [tool('y')] })];
      line = await balanced(servers, { equivalence: 'warn' });
      await until(() => reasons()[1] !== undefined);
      const answers = [await by(line, 1, 'ping'), await by(line, 2, 'ping')];
      expect(answers).to.have.members(['a', 'b']);
    });
  });

  describe('that fail', () => {
    const down: Script = () => Promise.reject(failure('MCPC_CONNECT'));

    it('get no requests after the third failure in a row', async () => {
      const servers = [server('a'), server('b')];
      line = await balanced(servers, { affinity: 'none', settings: { ejectionTime: 60_000 } });
      servers[1]!.script = down;
      for (let n = 0; n < 20; n++) expect(await by(line, n, 'tools/call')).to.equal('a');
      expect(count(servers[1]!, 'tools/call')).to.equal(3);
      expect(line.pipeline.status()[1]).to.include({ state: 'ejected', failed: 3, ejections: 1 });
    });

    it('get them again once they answer a harmless request', async () => {
      const servers = [server('a'), server('b')];
      line = await balanced(servers, { affinity: 'none', settings: { ejectionTime: 20 } });
      const { script } = servers[1]!;
      servers[1]!.script = down;
      for (let n = 0; n < 8; n++) await ask(line, n, 'tools/call');
      servers[1]!.script = script;
      await until(() => line.pipeline.status()[1]!.state === 'up');
      const answers = [await by(line, 'x', 'tools/call'), await by(line, 'y', 'tools/call')];
      expect(answers).to.have.members(['a', 'b']);
      expect(count(servers[1]!, 'ping')).to.be.greaterThan(0);
    });

    it('all of them, are asked again with a harmless request, and each is named in the error', async () => {
      const servers = [server('a'), server('b')];
      line = await balanced(servers, { settings: { ejectionTime: 60_000 } });
      for (const each of servers) each.script = down;
      await ask(line, 1, 'tools/call');
      const pinged = servers.map((each) => count(each, 'ping'));
      const { error } = await ask(line, 2, 'tools/call');
      expect(error?.data).to.include({ code: 'MCPC_NO_ENDPOINT', executed: 'no', retryable: true });
      for (const label of ['s0://server', 's1://server'])
        expect(error?.message.split(label)).to.have.length(2);
      expect(error?.message.split('; ')).to.have.length(2);
      expect(servers.map((each) => count(each, 'ping'))).to.deep.equal(pinged.map((n) => n + 2));
    });

    it('all of them, and for good, keep nobody waiting who opens a session', async () => {
      const unfit: Script = () =>
        Promise.reject(new ConnectorError('MCPC_CONNECT', 'unfit', { lasting: true }));
      const servers = ['a', 'b'].map(() => new Scripted(unfit));
      line = lineTo(servers, { affinity: 'auto', tap: inTurn, settings: { ejectionTime: 60_000 } });
      const codes = new Set<unknown>();
      for (let n = 0; n < 5; n++) {
        const { error } = await ask(line, n, 'initialize', INITIALIZE.params);
        codes.add((error?.data as { code?: unknown } | undefined)?.code);
      }
      expect([...codes]).to.deep.equal(['MCPC_CONNECT', 'MCPC_NO_ENDPOINT']);
    });

    it('all of them, are back with the first that answers', async () => {
      const servers = [server('a'), server('b')];
      line = await balanced(servers, { settings: { ejectionTime: 60_000 } });
      const { script } = servers[1]!;
      for (const each of servers) each.script = down;
      await ask(line, 1, 'tools/call');
      servers[1]!.script = script;
      expect(await by(line, 2, 'tools/call')).to.equal('b');
    });

    it('never carry out an unsafe request a second time', async () => {
      const servers = [server('a'), server('b')];
      line = await balanced(servers, { affinity: 'none' });
      for (const each of servers)
        each.script = () => Promise.reject(failure('MCPC_CONNECTION_LOST', 'unknown'));
      const { error } = await ask(line, 1, 'tools/call');
      expect(error?.data?.code).to.equal('MCPC_OUTCOME_UNKNOWN');
      expect(count(servers[0]!, 'tools/call') + count(servers[1]!, 'tools/call')).to.equal(1);
    });
  });

  describe('that come and go', () => {
    it('begin with the session of the client, and end with what they have begun', async () => {
      const waiting: (() => void)[] = [];
      const slow: Script = ({ id }, channel: Channel) =>
        void waiting.push(() => void channel.say({ id: id!, result: { by: 'a' } }));
      const servers = [server('a', { script: slow }), server('b'), server('c')];
      line = lineTo(servers, { affinity: 'none', tap: inTurn });
      const [a, b, c] = line.connector.endpoints;
      line.pipeline.follow([a!]);
      await ask(line, 'init', 'initialize', INITIALIZE.params);
      void line.tell(INITIALIZED);
      void line.tell({ id: 1, method: 'tools/call' });
      await until(() => waiting.length === 1);
      line.pipeline.follow([b!, c!]);
      await until(() => line.pipeline.status().every(({ open }) => open));
      const answers = [await by(line, 2, 'ping'), await by(line, 3, 'ping')];
      expect(answers).to.have.members(['b', 'c']);
      expect(servers[0]!.channel.closed).to.equal(0);
      waiting[0]!();
      expect((await line.client.answer(1)).result).to.include({ by: 'a' });
      await until(() => servers[0]!.channel.closed === 1);
    });
  });

  it('need no strategy for connections to one endpoint: the one with the least to do is taken', async () => {
    const one = new Scripted(echo);
    line = lineTo(one, { affinity: 'none' });
    const [endpoint] = line.connector.endpoints;
    line.pipeline.follow([endpoint!, endpoint!, endpoint!]);
    one.script = () => undefined;
    for (const id of [1, 2, 3]) void line.tell({ id, method: 'ping' });
    await until(() => one.channels.length === 3 && one.sent.length === 3);
    expect(one.channels.map(({ sent }) => sent.length)).to.deep.equal([1, 1, 1]);
    for (const channel of one.channels) void channel.say({ id: channel.sent[0]!.id!, result: {} });
  });
});
