import {
  Connector,
  createLog,
  Envelope,
  type ConnectorOptions,
  type JSONRPCMessage,
} from '@mcp-connect/core';
import { expect } from 'chai';
import plugin from './index.js';
import { LEGACY, Queue, Stage, type Message, type Peer } from './peer.test.js';

/** A client that speaks through a whole connector, in one process. */
class Session {
  readonly answers = new Queue<Message>();
  readonly logged: string[] = [];
  readonly #line: ReturnType<Connector['connect']>;

  constructor(url: string, settings: ConnectorOptions['settings'] = {}) {
    const log = createLog({ level: 'trace', write: ({ text }) => this.logged.push(text) });
    const connector = new Connector({ log, settings }).use(plugin, {});
    connector.endpoint(url);
    this.#line = connector.connect({
      deliver: (envelope) => this.answers.push(envelope.message as Message),
    });
  }

  send(message: object): void {
    void this.#line.accept(Envelope.of({ jsonrpc: '2.0', ...message } as JSONRPCMessage));
  }

  async close(): Promise<void> {
    await this.#line.close();
  }
}

const INITIALIZE = { id: 0, method: 'initialize', params: { protocolVersion: LEGACY } };

describe('@mcp-connect/transport-http', () => {
  let stage: Stage;
  let peer: Peer;

  beforeEach(async () => {
    stage = new Stage();
    peer = await stage.peer();
  });
  afterEach(() => stage.close());

  it('refuses an endpoint that is no web address', () => {
    for (const scheme of ['http', 'sse']) {
      const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
      connector.use(plugin, {}).endpoint({ scheme, address: 'localhost:8080/mcp', label: 'x', secrets: [] });
      expect(() => connector.start())
        .to.throw()
        .with.include({
          code: 'MCPC_USAGE',
          hint: 'Write it with its scheme, for example http://localhost:8080/mcp',
        });
    }
  });

  it('holds the first request until the notification stream is answered', async () => {
    const session = stage.closing(new Session(peer.url));
    session.send(INITIALIZE);
    session.send({ method: 'notifications/initialized' });
    session.send({ id: 1, method: 'tools/list' });
    (await peer.next()).result({ protocolVersion: LEGACY }, { 'mcp-session-id': 's-1' });
    (await peer.next()).status(202);
    const get = await peer.next();
    expect(get.method).to.equal('GET');
    expect(peer.log).to.have.lengthOf(3);
    get.stream();
    const post = await peer.next();
    expect(post.message).to.include({ method: 'tools/list' });
    post.result({ tools: [] });
    expect(await session.answers.take()).to.include({ id: 0 });
    expect(await session.answers.take()).to.deep.include({ id: 1, result: { tools: [] } });
  });

  it('holds the first request no longer than half a second', async () => {
    const session = stage.closing(new Session(peer.url));
    session.send(INITIALIZE);
    session.send({ method: 'notifications/initialized' });
    session.send({ id: 1, method: 'tools/list' });
    (await peer.next()).result({ protocolVersion: LEGACY });
    (await peer.next()).status(202);
    const get = await peer.next('GET');
    (await peer.next('POST')).result({ tools: [] });
    expect(get.response.headersSent).to.equal(false);
    await session.answers.take(({ id }) => id === 1);
  });

  it('answers once, and tells where and how a request failed', async () => {
    const url = `http://user:secret-word@127.0.0.1:${peer.port}/mcp`;
    await peer.close();
    const session = stage.closing(new Session(url, { timeout: 100, retryDelay: 1 }));
    session.send({ id: 'a', method: 'tools/call', params: { name: 'pay' } });
    session.send({ id: 'b', method: 'ping' });
    for (const _ of ['a', 'b']) {
      const { error } = await session.answers.take();
      expect(error?.data).to.include({ source: 'mcp-connect', code: 'MCPC_CONNECT', executed: 'no' });
      expect(error?.data).to.have.property('hint');
      expect(JSON.stringify(error)).not.to.include('secret-word');
    }
    expect(session.answers.size).to.equal(0);
    expect(session.logged.join('\n')).not.to.include('secret-word');
  });

  it('is met by a server that comes up late', async () => {
    const { port } = peer;
    await peer.close();
    const session = stage.closing(new Session(`http://127.0.0.1:${port}/mcp`, { retryDelay: 10 }));
    session.send({ id: 1, method: 'ping' });
    const late = await stage.peer(undefined, port);
    (await late.next()).result();
    expect(await session.answers.take()).to.deep.include({ id: 1, result: {} });
  });

  it('sends an unsafe call once when its outcome is unknown', async () => {
    const session = stage.closing(new Session(peer.url, { retryDelay: 1 }));
    session.send({ id: 1, method: 'tools/call', params: { name: 'pay' } });
    (await peer.next()).cut();
    const { error } = await session.answers.take();
    expect(error?.data).to.include({ code: 'MCPC_OUTCOME_UNKNOWN', executed: 'unknown' });
    expect(peer.log).to.deep.equal(['POST /mcp']);
  });

  it('comes back when the server asks for it', async () => {
    const session = stage.closing(new Session(peer.url));
    session.send({ id: 1, method: 'tools/call', params: { name: 'pay' } });
    (await peer.next()).status(429, '', { 'retry-after': '0' });
    (await peer.next()).result({ paid: true });
    expect(await session.answers.take()).to.deep.include({ id: 1, result: { paid: true } });
  });

  it('speaks HTTP with SSE alone when it is told to', async () => {
    const log = createLog({ level: 'error', write: () => undefined });
    const connector = new Connector({ log }).use(plugin, {});
    connector.endpoint({
      scheme: 'sse',
      address: '',
      url: new URL(`${peer.origin}/sse`),
      label: 'x',
      secrets: [],
    });
    const answers = new Queue<Message>();
    const line = stage.closing(
      connector.connect({ deliver: (envelope) => answers.push(envelope.message as Message) }),
    );
    void line.accept(Envelope.of({ jsonrpc: '2.0', id: 1, method: 'ping' }));
    const get = (await peer.next('GET')).stream().event('/m', { event: 'endpoint' });
    const post = await peer.next('POST');
    expect(post.path).to.equal('/m');
    post.status(202);
    get.event({ jsonrpc: '2.0', id: 1, result: {} });
    expect(await answers.take()).to.deep.include({ id: 1, result: {} });
  });
});
