import {
  Connector,
  ConnectorError,
  createLog,
  Envelope,
  type Challenge,
  type Credentials,
  type JSONRPCMessage,
  type Pipeline,
  type TransportContext,
} from '@mcp-connect/core';
import { expect } from 'chai';
import type { Account } from './model.js';
import { answeringMeanwhile } from './pending.js';

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly data?: Record<string, unknown> };
}

const PAGE = new URL('https://as.example/authorize?state=x');
const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };

/** An account whose user the test is. */
class TestAccount implements Account {
  readonly #signed = new WeakSet<Credentials>();
  #answering: PromiseWithResolvers | undefined;
  token: string | undefined;
  page: URL | undefined;
  /** How often a sign-in was begun. */
  begun = 0;

  sign(credentials: Credentials): void {
    this.#signed.add(credentials);
    if (this.token !== undefined) credentials.headers['authorization'] = `Bearer ${this.token}`;
  }

  signed(credentials: Credentials): boolean {
    return this.#signed.has(credentials);
  }

  answer(): Promise<void> {
    if (this.#answering === undefined) {
      this.#answering = withResolvers();
      this.begun++;
      this.page = PAGE;
    }
    return this.#answering.promise;
  }

  finish(token: string): void {
    this.token = token;
    this.#end()?.resolve();
  }

  fail(error: Error): void {
    this.#end()?.reject(error);
  }

  async close(): Promise<void> {}

  #end(): PromiseWithResolvers | undefined {
    const answering = this.#answering;
    this.#answering = undefined;
    this.page = undefined;
    return answering;
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

function acknowledgement({ id, params }: Message): Envelope {
  const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
  return Envelope.of({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: params?.['notifications'], _meta },
  } as JSONRPCMessage);
}

describe('while a sign-in is pending', () => {
  let account: TestAccount;
  let pipeline: Pipeline;
  let told: Message[];
  let sent: Message[];
  let warnings: string[];
  let waiting: Set<() => void>;
  /** What the server answers; it lets in whoever has the token `good`. */
  let answers: (message: Message) => object;

  beforeEach(() => {
    account = new TestAccount();
    told = [];
    sent = [];
    waiting = new Set();
    answers = () => ({ result: {} });
    warnings = [];
    const log = createLog({
      level: 'warn',
      write: ({ level, text }) => void (level === 'warn' && warnings.push(text)),
    });
    const connector = new Connector({ log });
    connector.transport('test', { open });
    connector.hooks.authenticate.tap('test', (credentials) => account.sign(credentials));
    connector.hooks.openTransport.tap('test', (opener) => answeringMeanwhile(opener, account));
    connector.endpoint({ scheme: 'test', label: 'test:', secrets: [] } as never);
    pipeline = connector.connect({
      deliver(envelope) {
        told.push(envelope.message as Message);
        for (const look of waiting) look();
      },
    });
  });
  afterEach(() => pipeline.close());

  function open(context: TransportContext): {
    send(e: Envelope, c: Credentials): Promise<void>;
    close(): Promise<void>;
  } {
    return {
      async send(envelope, { headers }) {
        if (headers['authorization'] !== 'Bearer good') throw refusal();
        const message = envelope.message as Message;
        sent.push(message);
        if (envelope.kind !== 'request') return;
        if (message.method === 'subscriptions/listen')
          return void context.onmessage(acknowledgement(message));
        void context.onmessage(
          Envelope.of({ jsonrpc: '2.0', id: message.id, ...answers(message) } as JSONRPCMessage),
        );
      },
      close: async () => undefined,
    };
  }

  function refusal(): ConnectorError {
    const challenge: Challenge = { status: 401, wwwAuthenticate: 'Bearer' };
    return new ConnectorError('MCPC_UNAUTHORIZED', 'no', { challenge, delivered: 'rejected' });
  }

  function say(message: Message): void {
    void pipeline.accept(Envelope.of({ jsonrpc: '2.0', ...message } as JSONRPCMessage));
  }

  function heard(fits: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = told.find(fits);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  }

  function ask(id: number | string, method: string, params: Record<string, unknown> = {}): Promise<Message> {
    say({ id, method, params });
    return heard((message) => message.id === id && message.method === undefined);
  }

  const initialize = (): Promise<Message> =>
    ask('i', 'initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'a', version: '1' },
    });

  it('a quick user meets no stand-in', async () => {
    const answer = initialize();
    answers = () => ({ result: { real: true } });
    await Promise.resolve();
    account.answer().catch(() => undefined);
    account.finish('good');
    expect((await answer).result).to.deep.equal({ real: true });
  });

  it('a sign-in that fails at once fails the handshake with its reason', async () => {
    const answer = initialize();
    setImmediate(() =>
      account.fail(new ConnectorError('MCPC_AUTH_SERVER', 'no such server', { hint: 'do this' })),
    );
    expect((await answer).error?.data).to.include({ code: 'MCPC_AUTH_SERVER', hint: 'do this' });
  });

  it('a sign-in that fails for the same reason again is warned of once', async () => {
    const fail = async (answer: Promise<Message>, message: string): Promise<void> => {
      setImmediate(() => account.fail(new ConnectorError('MCPC_AUTH_SERVER', message)));
      expect((await answer).error?.data).to.include({ code: 'MCPC_AUTH_SERVER' });
    };
    await fail(initialize(), 'no such server');
    await fail(ask(1, 'tools/list'), 'no such server');
    expect(warnings).to.have.length(1);
    await fail(ask(2, 'tools/list'), 'another reason');
    expect(warnings).to.have.length(2);
    expect(account.begun).to.equal(3);
  });

  it('a server that refuses what it asked for is given up', async () => {
    const answer = initialize();
    await new Promise(setImmediate);
    account.finish('bad');
    expect((await answer).error?.data).to.include({ code: 'MCPC_SIGN_IN' });
    expect(account.begun).to.equal(1);
  });

  it('lists that were promised and do not exist are empty, other errors are the server’s own', async () => {
    await initialize();
    say({ method: 'notifications/initialized' });
    answers = ({ method }) =>
      method === 'prompts/list' || method === 'tools/call'
        ? { error: { code: -32_601, message: 'Method not found' } }
        : { result: { tools: [] } };
    account.finish('good');
    await heard(({ method }) => method === 'notifications/prompts/list_changed');
    expect((await ask(1, 'prompts/list')).result).to.deep.equal({ prompts: [] });
    expect((await ask(2, 'tools/call', { name: 'x' })).error?.code).to.equal(-32_601);
  });

  it('the session is begun with what the client said meanwhile', async () => {
    await initialize();
    say({ method: 'notifications/initialized' });
    expect((await ask(1, 'logging/setLevel', { level: 'debug' })).result).to.deep.equal({});
    account.finish('good');
    await heard(({ method }) => method === 'notifications/tools/list_changed');
    expect(sent.map(({ method }) => method)).to.deep.equal([
      'initialize',
      'notifications/initialized',
      'logging/setLevel',
    ]);
    expect(sent[0]?.params).to.include({ protocolVersion: '2025-06-18' });
  });

  it('after a failure lists stay empty, and what the user asks for begins another sign-in', async () => {
    await initialize();
    account.fail(new ConnectorError('MCPC_SIGN_IN', 'denied', { hint: 'agree' }));
    expect((await ask(1, 'tools/list')).result).to.deep.equal({ tools: [] });
    expect(account.begun).to.equal(1);
    const call = ask(2, 'tools/call', { name: 'x' });
    setImmediate(() => account.fail(new ConnectorError('MCPC_SIGN_IN', 'denied', { hint: 'agree' })));
    expect((await call).error?.data).to.include({ code: 'MCPC_SIGN_IN', hint: 'agree' });
    expect(account.begun).to.equal(2);
    const again = ask(3, 'tools/call', { name: 'x' });
    setImmediate(() => account.finish('good'));
    expect((await again).result).to.deep.equal({});
  });

  it('ids are kept letter by letter', async () => {
    await initialize();
    const text = '{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}';
    const before = told.length;
    void pipeline.receive(Buffer.from(text));
    await heard((message) => told.indexOf(message) >= before);
    expect(told[before]?.result).to.deep.equal({});
  });

  describe('for a client of 2026-07-28', () => {
    const discover = (): Promise<Message> => ask('d', 'server/discover', { _meta: META });

    it('discover names the page, lists are stale at once, and no method of older revisions is there', async () => {
      const { result } = await discover();
      expect(result).to.include({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
      expect(result?.['supportedVersions']).to.deep.equal(['2026-07-28']);
      expect(result?.['instructions']).to.contain(PAGE.href);
      const list = await ask(1, 'tools/list', { _meta: META });
      expect(list.result).to.deep.equal({
        resultType: 'complete',
        tools: [],
        ttlMs: 0,
        cacheScope: 'private',
      });
      expect((await ask(2, 'ping', { _meta: META })).error).to.not.equal(undefined);
    });

    it('a stream of news runs from the start and tells of the change', async () => {
      await discover();
      const notifications = { toolsListChanged: true };
      say({ id: 's', method: 'subscriptions/listen', params: { _meta: META, notifications } });
      const { params } = await heard(({ method }) => method === 'notifications/subscriptions/acknowledged');
      expect(params).to.deep.equal({
        notifications,
        _meta: { 'io.modelcontextprotocol/subscriptionId': 's' },
      });
      account.finish('good');
      await heard(({ method }) => method === 'notifications/tools/list_changed');
      expect((await ask(1, 'tools/list', { _meta: META })).result).to.deep.equal({});
      expect(sent.map(({ method }) => method)).to.deep.equal(['subscriptions/listen', 'tools/list']);
    });

    it('a stream that was cancelled meanwhile is not opened', async () => {
      await discover();
      say({ id: 's', method: 'subscriptions/listen', params: { _meta: META, notifications: {} } });
      await heard(({ method }) => method === 'notifications/subscriptions/acknowledged');
      say({ method: 'notifications/cancelled', params: { requestId: 's' } });
      account.finish('good');
      await new Promise(setImmediate);
      await ask(1, 'tools/list', { _meta: META });
      expect(sent.map(({ method }) => method)).to.deep.equal(['tools/list']);
    });
  });

  it('a request that is cancelled while it waits is not sent', async () => {
    account.token = 'good';
    await initialize();
    account.token = undefined;
    say({ id: 9, method: 'tools/call', params: { name: 'x' } });
    await new Promise(setImmediate);
    say({ method: 'notifications/cancelled', params: { requestId: 9 } });
    await new Promise(setImmediate);
    account.finish('good');
    await ask(10, 'tools/list');
    expect(sent.map(({ id }) => id)).to.deep.equal(['i', 10]);
  });

  it('the channel still learns that the machine has slept, gives back what has not left, and tells what it keeps', async () => {
    const wire = {
      send: () => undefined,
      close: async () => undefined,
      stateful: false,
      wake: () => true,
      withdraw: () => true,
    };
    const transport = await answeringMeanwhile(() => wire, account)({} as TransportContext);
    expect([transport.wake?.(), transport.withdraw?.(1)]).to.deep.equal([true, true]);
    expect(transport.stateful).to.equal(false);
  });

  it('a list does not vanish in the middle of a session', async () => {
    account.token = 'good';
    await initialize();
    account.token = undefined;
    const list = ask(1, 'tools/list');
    await new Promise(setImmediate);
    account.finish('good');
    expect((await list).result).to.deep.equal({});
    expect(account.begun).to.equal(1);
  });
});
