import { expect } from 'chai';
import { ConnectorError, type Settings } from '@mcp-connect/core';
import { openLegacySse } from './legacy-sse.js';
import { Side, Stage, type Arrival, type Peer } from './peer.test.js';
import { openStreamable } from './streamable.js';

const INITIALIZE = { id: 0, method: 'initialize', params: { protocolVersion: '2024-11-05' } };
const ANSWER = { jsonrpc: '2.0', id: 0, result: { protocolVersion: '2024-11-05' } };

async function reason(opening: Promise<unknown>): Promise<ConnectorError> {
  try {
    await opening;
  } catch (error) {
    expect(error).to.be.instanceOf(ConnectorError);
    return error as ConnectorError;
  }
  return expect.fail('it was opened');
}

describe('HTTP with SSE', () => {
  let stage: Stage;
  let peer: Peer;

  beforeEach(async () => {
    stage = new Stage();
    peer = await stage.peer();
  });
  afterEach(() => stage.close());

  /** Opens the transport; the server names `address`. */
  async function open(
    address = '/messages?sessionId=abcdef',
    settings: Partial<Settings> = {},
  ): Promise<{ side: Side; get: Arrival }> {
    const side = stage.closing(new Side());
    const opening = side.open(openLegacySse, peer.url, { maxMessageSize: 10_000, ...settings });
    const get = (await peer.next('GET')).stream().event(address, { event: 'endpoint' });
    await opening;
    return { side, get };
  }

  it('posts where the stream says, and takes answers from the stream', async () => {
    const { side, get } = await open();
    expect(get.headers).to.include({ accept: 'text/event-stream' });
    const sent = side.send(INITIALIZE, { authorization: 'Bearer one' });
    const post = await peer.next('POST');
    expect(post.path).to.equal('/messages?sessionId=abcdef');
    expect(post.headers).to.include({ 'content-type': 'application/json', authorization: 'Bearer one' });
    expect(post.message).to.deep.equal({ jsonrpc: '2.0', ...INITIALIZE });
    post.status(202, 'Accepted');
    await sent;
    get.event(ANSWER, { event: 'message' });
    expect(await side.message()).to.deep.equal(ANSWER);
  });

  it('brings requests of the server and takes their answers', async () => {
    const { side, get } = await open();
    get.event({ jsonrpc: '2.0', id: 5, method: 'roots/list' }, { event: 'message' });
    expect(await side.message()).to.include({ id: 5, method: 'roots/list' });
    const sent = side.send({ id: 5, result: { roots: [] } });
    const post = await peer.next('POST');
    expect(post.message).to.deep.include({ id: 5, result: { roots: [] } });
    post.status(200);
    await sent;
  });

  for (const [address, path] of [
    ['/a/b?c=d', '/a/b?c=d'],
    ['messages', '/messages'],
    ['?session=1', '/mcp?session=1'],
  ] as const) {
    it(`resolves the address ${address}`, async () => {
      const { side } = await open(address);
      void side.send(INITIALIZE);
      const post = await peer.next('POST');
      expect(post.path).to.equal(path);
      post.status(202);
    });
  }

  it('takes an address with the origin written out', async () => {
    const { side } = await open(`${peer.origin}/m`);
    void side.send(INITIALIZE);
    const post = await peer.next('POST');
    expect(post.path).to.equal('/m');
    post.status(202);
  });

  it('refuses an address of another origin, and sends nothing there', async () => {
    const other = await stage.peer();
    for (const address of [
      `${other.origin}/messages`,
      `//127.0.0.1:${other.port}/m`,
      'https://example.com/',
      'http://',
    ]) {
      const side = stage.closing(new Side());
      const opening = reason(side.open(openLegacySse, peer.url));
      const get = (await peer.next('GET')).stream().event(address, { event: 'endpoint' });
      expect(await opening).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
      await get.abandoned();
    }
    expect(other.log).to.deep.equal([]);
  });

  it('fails to open where there is no stream, or one without an address', async () => {
    for (const [reply, code] of [
      [(get: Arrival) => get.status(405), 'MCPC_HTTP_STATUS'],
      [(get: Arrival) => get.status(401), 'MCPC_UNAUTHORIZED'],
      [(get: Arrival) => get.status(200, '<html></html>'), 'MCPC_HTTP_STATUS'],
      [(get: Arrival) => get.stream().end(), 'MCPC_CONNECT'],
      [(get: Arrival) => get.stream().event('x').end(), 'MCPC_CONNECT'],
      [(get: Arrival) => get.cut(), 'MCPC_CONNECTION_LOST'],
    ] as const) {
      const opening = reason(stage.closing(new Side()).open(openLegacySse, peer.url));
      reply(await peer.next('GET'));
      expect(await opening).to.include({ code });
    }
  });

  it('stops waiting for the address when it is told to', async () => {
    const side = stage.closing(new Side());
    const opening = reason(side.open(openLegacySse, peer.url));
    const get = (await peer.next('GET')).stream();
    side.giveUp();
    expect(await opening).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
    await get.abandoned();
  });

  it('does not even ask when it is told to stop before', async () => {
    const side = stage.closing(new Side());
    side.giveUp();
    expect(await reason(side.open(openLegacySse, peer.url))).to.include({ code: 'MCPC_CONNECT' });
    expect(peer.log).to.deep.equal([]);
  });

  for (const [how, end] of [
    ['ends', (get: Arrival) => get.end()],
    ['is cut', (get: Arrival) => get.cut()],
  ] as const) {
    it(`is closed when its stream ${how}`, async () => {
      const { side, get } = await open();
      end(get);
      expect(await side.closed.take()).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
      expect(await side.refused(INITIALIZE)).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'no' });
      expect(side.closed.size).to.equal(0);
    });
  }

  it('ends its stream when it is closed, without a word', async () => {
    const { side, get } = await open();
    await side.close();
    await get.abandoned();
    expect(side.closed.size).to.equal(0);
  });

  for (const [status, code] of [
    [404, 'MCPC_SESSION_LOST'],
    [401, 'MCPC_UNAUTHORIZED'],
    [500, 'MCPC_HTTP_STATUS'],
  ] as const) {
    it(`tells that a message was refused with ${status}`, async () => {
      const { side } = await open();
      const sent = side.refused(INITIALIZE);
      (await peer.next('POST')).status(status);
      expect(await sent).to.include({ code, status });
    });
  }

  it('fails the request whose answer is too large, and goes on', async () => {
    const { side, get } = await open();
    get.event({ jsonrpc: '2.0', id: 'big', result: { text: 'x'.repeat(50_000) } });
    get.event(ANSWER);
    const { id, error } = await side.lost.take();
    expect(id).to.equal('big');
    expect(error).to.include({ code: 'MCPC_TOO_LARGE', delivered: 'unknown' });
    expect(await side.message()).to.deep.equal(ANSWER);
  });

  for (const [how, end] of [
    ['answered', (_side: Side, get: Arrival) => void get.event(ANSWER)],
    ['cancelled', (side: Side) => side.send({ method: 'notifications/cancelled', params: { requestId: 0 } })],
  ] as const) {
    it(`lets go of a connection on which a request is never acknowledged, once it is ${how}`, async () => {
      const { side, get } = await open();
      const sent = side.send(INITIALIZE);
      const post = await peer.next('POST');
      void end(side, get);
      await post.abandoned();
      await sent;
    });
  }

  it('gives up a notification that is never acknowledged', async () => {
    const { side } = await open('/messages', { timeout: 50 });
    const refused = side.refused({ method: 'notifications/initialized' });
    await (await peer.next('POST')).abandoned();
    expect(await refused).to.include({ code: 'MCPC_TIMEOUT', delivered: 'unknown' });
  });

  it('fails the request whose answer is malformed, and goes on', async () => {
    const { side, get } = await open();
    get.event('words').event('{"jsonrpc":"2.0","method":"x","params":}');
    get.event('{"jsonrpc":"2.0","id":"7","result":{"a":}}').event(ANSWER);
    const { id, error } = await side.lost.take();
    expect(id).to.equal('7');
    expect(error).to.include({ code: 'MCPC_BAD_RESPONSE', delivered: 'unknown' });
    expect(await side.message()).to.deep.equal(ANSWER);
    expect(side.lost.size).to.equal(0);
  });

  it('refuses a request of the server that is too large', async () => {
    const { get } = await open();
    get.event({ jsonrpc: '2.0', id: 'big', method: 'sampling/createMessage', params: 'x'.repeat(50_000) });
    const post = await peer.next('POST');
    expect(post.message).to.include({ id: 'big' });
    expect(post.message.error!.data).to.include({ source: 'mcp-connect', code: 'MCPC_TOO_LARGE' });
    post.status(202);
  });

  it('never shows the session in a log', async () => {
    const { side } = await open('/m?sessionId=very-secret-session');
    const sent = side.refused(INITIALIZE);
    (await peer.next('POST')).status(404);
    await sent;
    expect(side.logged.join('\n')).not.to.include('very-secret-session');
  });

  describe('as a fallback of Streamable HTTP', () => {
    let side: Side;

    beforeEach(async () => {
      side = await stage.side(openStreamable, peer.url);
    });

    for (const status of [400, 404, 405]) {
      it(`is tried when initialize is answered ${status}, and kept`, async () => {
        const sent = side.send(INITIALIZE);
        (await peer.next('POST')).status(status, 'no');
        const get = (await peer.next('GET')).stream().event('/m', { event: 'endpoint' });
        const post = await peer.next('POST');
        expect(post.path).to.equal('/m');
        expect(post.message).to.deep.equal({ jsonrpc: '2.0', ...INITIALIZE });
        post.status(202);
        await sent;
        get.event(ANSWER);
        expect(await side.message()).to.deep.equal(ANSWER);

        const initialized = side.send({ method: 'notifications/initialized' });
        const second = await peer.next('POST');
        expect(second.path).to.equal('/m');
        second.status(202);
        await initialized;
        expect(peer.log).to.deep.equal(['POST /mcp', 'GET /mcp', 'POST /m', 'POST /m']);
        get.end();
        expect(await side.closed.take()).to.include({ code: 'MCPC_CONNECTION_LOST' });
      });
    }

    for (const status of [406, 415, 422]) {
      it(`is tried after ${status} by a client of a revision that takes it for a sign, and by no other`, async () => {
        const older = side.refused({ ...INITIALIZE, params: { protocolVersion: '2025-06-18' } });
        (await peer.next('POST')).status(status, 'no');
        (await peer.next('GET')).status(405);
        expect(await older).to.include({ status });
        const newer = side.refused({ ...INITIALIZE, params: { protocolVersion: '2025-11-25' } });
        (await peer.next('POST')).status(status, 'no');
        expect(await newer).to.include({ status });
        expect(peer.log).to.deep.equal(['POST /mcp', 'GET /mcp', 'POST /mcp']);
      });
    }

    for (const [status, headers] of [
      [401, { 'www-authenticate': 'Bearer' }],
      [403, {}],
      [429, {}],
      [500, {}],
      [502, {}],
      [503, { 'retry-after': '1' }],
    ] as const) {
      it(`is not tried when initialize is answered ${status}`, async () => {
        const sent = side.refused(INITIALIZE);
        (await peer.next('POST')).status(status, 'no', headers);
        expect(await sent).to.include({ status });
        expect(peer.log).to.deep.equal(['POST /mcp']);
      });
    }

    it('is not tried for other requests', async () => {
      const sent = side.refused({ id: 1, method: 'tools/list' });
      (await peer.next('POST')).status(405);
      expect(await sent).to.include({ status: 405 });
      expect(peer.log).to.deep.equal(['POST /mcp']);
    });

    for (const code of [-32_020, -32_021, -32_022]) {
      it(`is not tried when a modern server says ${code}`, async () => {
        void side.send(INITIALIZE);
        (await peer.next('POST')).status(400, { jsonrpc: '2.0', id: 0, error: { code, message: 'm' } });
        expect((await side.message()).error).to.include({ code });
        expect(peer.log).to.deep.equal(['POST /mcp']);
      });
    }

    it('leaves the first refusal standing where the server does not speak it', async () => {
      const sent = side.refused(INITIALIZE);
      (await peer.next('POST')).status(404);
      (await peer.next('GET')).status(404);
      expect(await sent).to.include({ code: 'MCPC_HTTP_STATUS', status: 404, delivered: 'rejected' });
    });

    it('leaves the first answer standing where the server does not speak it', async () => {
      void side.send(INITIALIZE);
      (await peer.next('POST')).status(400, {
        jsonrpc: '2.0',
        id: 0,
        error: { code: -32_602, message: 'm' },
      });
      (await peer.next('GET')).status(405);
      expect((await side.message()).error).to.include({ code: -32_602 });
    });

    it('is closed with its host', async () => {
      const sent = side.send(INITIALIZE);
      (await peer.next('POST')).status(405);
      const get = (await peer.next('GET')).stream().event('/m', { event: 'endpoint' });
      (await peer.next('POST')).status(202);
      await sent;
      await side.close();
      await get.abandoned();
      expect(peer.log).not.to.include('DELETE /mcp');
    });
  });
});
