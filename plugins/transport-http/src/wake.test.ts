import { expect } from 'chai';
import { openLegacySse } from './legacy-sse.js';
import { begin, modern, Stage, type Peer, type Side } from './peer.test.js';
import { openStreamable } from './streamable.js';

const PING = { id: 'p', method: 'ping' };
const CALL = { id: 1, method: 'tools/call', params: { name: 'slow' } };
const ANSWER = { jsonrpc: '2.0', id: 1, result: { ok: true } };
const PROGRESS = { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } };

describe('after a sleep of the machine', () => {
  let stage: Stage;
  let peer: Peer;
  let side: Side;

  beforeEach(async () => {
    stage = new Stage();
    peer = await stage.peer();
    side = await stage.side(openStreamable, peer.url);
  });
  afterEach(() => stage.close());

  it('no connection is used that was kept from before', async () => {
    const ports: (number | undefined)[] = [];
    for (const id of [1, 2, 3]) {
      if (id === 3) expect(side.wake()).to.equal(false);
      const sent = side.send({ ...PING, id });
      const post = await peer.next('POST');
      ports.push(post.socket.remotePort);
      post.result();
      await sent;
      await side.message();
      await new Promise(setImmediate);
    }
    expect(ports[1]).to.equal(ports[0]);
    expect(ports[2]).not.to.equal(ports[0]);
  });

  it('the notification stream is opened anew, and what was missed is told', async () => {
    const get = await begin(peer, side);
    side.wake();
    await get.abandoned();
    (await peer.next('GET')).stream();
    expect(await side.told.take()).to.equal('missed');
  });

  it('a notification stream that was about to be opened is opened at once', async () => {
    (await begin(peer, side)).cut();
    const dead = await peer.next('GET');
    side.wake();
    await dead.abandoned();
    (await peer.next('GET')).stream().event(PROGRESS);
    expect(await side.message()).to.deep.equal(PROGRESS);
  });

  it('a reply with event ids is taken up where it ended', async () => {
    await begin(peer, side);
    const sent = side.send(CALL);
    const post = (await peer.next('POST')).stream().event(PROGRESS, { id: 'e-7' });
    await sent;
    await side.message();
    side.wake();
    await post.abandoned();
    const get = await peer.arrivals.take(({ headers }) => headers['last-event-id'] === 'e-7');
    get.stream().event(ANSWER).end();
    expect(await side.message()).to.deep.equal(ANSWER);
    expect(side.lost.size).to.equal(0);
  });

  it('a modern stream of news is given up, for the line to open it anew', async () => {
    const sent = side.send(modern(1, 'subscriptions/listen', { notifications: {} }));
    const post = (await peer.next('POST')).stream();
    await sent;
    side.wake();
    await post.abandoned();
    expect(await side.lost.take()).to.have.property('id', 1);
  });

  it('a reply that cannot be taken up again is left to come', async () => {
    for (const request of [CALL, modern(1, 'tools/call', CALL.params)]) {
      const sent = side.send(request);
      const post = (await peer.next('POST')).stream().event(PROGRESS);
      await sent;
      await side.message();
      side.wake();
      post.event(ANSWER).end();
      expect(await side.message()).to.deep.equal(ANSWER);
    }
  });

  it('a stream of HTTP with SSE has to be tried out', async () => {
    const opening = stage.side(openLegacySse, peer.url);
    (await peer.next('GET')).stream().event('/post', { event: 'endpoint' });
    expect((await opening).wake()).to.equal(true);
  });
});

describe('while silence is measured', () => {
  let stage: Stage;
  let peer: Peer;
  let side: Side;

  beforeEach(async () => {
    stage = new Stage();
    peer = await stage.peer();
    side = await stage.side(openStreamable, peer.url, { requestTimeout: 60_000 });
  });
  afterEach(() => stage.close());

  it('a reply is alive from its first bytes on, comments included', async () => {
    const sent = side.send(CALL);
    const post = (await peer.next('POST')).stream();
    await sent;
    const before = side.alive.length;
    post.response.write(': still here\n\n');
    post.event(ANSWER).end();
    await side.message();
    expect(before).to.equal(1);
    expect(side.alive.length).to.be.above(before);
    expect(new Set(side.alive)).to.deep.equal(new Set([1]));
  });

  it('the notification stream is a sign of life for all', async () => {
    const get = await begin(peer, side);
    side.alive.length = 0;
    get.event(PROGRESS);
    await side.message();
    expect(side.alive).to.include(undefined);
  });
});
