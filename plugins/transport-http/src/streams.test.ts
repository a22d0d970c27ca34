import { expect } from 'chai';
import { begin, Stage, type Arrival, type Peer, type Side } from './peer.test.js';
import { openStreamable } from './streamable.js';

const CALL = { id: 1, method: 'tools/call', params: { name: 'slow' } };
const ANSWER = { jsonrpc: '2.0', id: 1, result: { ok: true } };
const PROGRESS = { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } };

describe('Streams', () => {
  let stage: Stage;
  let peer: Peer;
  let side: Side;

  beforeEach(async () => {
    stage = new Stage();
    peer = await stage.peer();
    side = await stage.side(openStreamable, peer.url);
  });
  afterEach(() => stage.close());

  describe('notification stream', () => {
    /** Opens a session up to the notification stream, which the test answers. */
    async function listening(): Promise<{ get: Arrival; initialized: Promise<void> }> {
      const initialize = side.send({ id: 0, method: 'initialize' });
      (await peer.next()).result({ protocolVersion: '2025-11-25' }, { 'mcp-session-id': 's-1' });
      await initialize;
      await side.message();
      const initialized = side.send({ method: 'notifications/initialized' });
      (await peer.next('POST')).status(202);
      return { get: await peer.next('GET'), initialized };
    }

    it('is asked for once the session is open, and brings messages and requests', async () => {
      const get = await begin(peer, side);
      expect(peer.log).to.deep.equal(['POST /mcp', 'POST /mcp', 'GET /mcp']);
      expect(get.headers).not.to.have.property('last-event-id');
      get.event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
      get.event({ jsonrpc: '2.0', id: 9, method: 'roots/list' });
      expect(await side.message()).to.include({ method: 'notifications/tools/list_changed' });
      expect(await side.message()).to.include({ id: 9, method: 'roots/list' });
    });

    for (const status of [400, 404, 405]) {
      it(`is not missed where the server answers ${status}`, async () => {
        const { get, initialized } = await listening();
        get.status(status);
        await initialized;
        const sent = side.send(CALL);
        (await peer.next('POST')).result({ ok: true });
        await sent;
        expect(await side.message()).to.deep.equal(ANSWER);
        expect(side.closed.size).to.equal(0);
      });
    }

    it('may bring answers, whose own replies are then given up', async () => {
      const get = await begin(peer, side);
      for (const reply of ['none', 'a stream'] as const) {
        void side.send(CALL);
        const post = await peer.next('POST');
        if (reply === 'a stream') post.stream();
        get.event(ANSWER);
        expect(await side.message()).to.deep.equal(ANSWER);
        await post.abandoned();
      }
      expect(side.lost.size).to.equal(0);
    });

    it('is waited for before anything else is sent', async () => {
      const { get, initialized } = await listening();
      let over = false;
      void initialized.then(() => (over = true));
      // A round trip on another connection: what was going to settle would have.
      const sent = side.send({ method: 'notifications/roots/list_changed' });
      (await peer.next('POST')).status(202);
      await sent;
      expect(over).to.equal(false);
      get.stream();
      await initialized;
    });

    it('is not waited for longer than the patience lasts', async () => {
      const { get, initialized } = await listening();
      await initialized;
      expect(get.response.headersSent).to.equal(false);
      get.stream().event(PROGRESS);
      expect(await side.message()).to.deep.equal(PROGRESS);
    });

    it('is opened again behind the last event when it ends', async () => {
      const get = await begin(peer, side);
      get.event(PROGRESS, { id: 'e-1' }).end();
      const again = await peer.next('GET');
      expect(again.headers).to.include({ 'last-event-id': 'e-1', 'mcp-session-id': 's-1' });
      again.stream().event(PROGRESS);
      expect(await side.message()).to.deep.equal(PROGRESS);
      expect(await side.message()).to.deep.equal(PROGRESS);
    });

    it('brings a request once, however often it comes', async () => {
      const [one, two] = [7, 8].map((id) => ({ jsonrpc: '2.0', id, method: 'roots/list' }));
      const get = await begin(peer, side);
      get.event(PROGRESS, { id: '1', retry: 0 }).event(one, { id: '2' }).end();
      // A server may count anew.
      const again = (await peer.next('GET')).stream();
      again.event(PROGRESS, { id: '1' }).event(one, { id: '2' }).event(two, { id: '2' });
      for (const message of [PROGRESS, one, PROGRESS, two])
        expect(await side.message()).to.deep.equal(message);
    });

    it('is opened again no sooner than the server asks', async () => {
      const get = await begin(peer, side);
      const asked = performance.now();
      get.event('', { id: 'e-1', retry: 1_300 }).end();
      const again = await peer.next('GET');
      // A lower bound only: without it, the stream is opened again within a second.
      expect(performance.now() - asked).to.be.at.least(1_295);
      expect(again.headers).to.include({ 'last-event-id': 'e-1' });
    }).timeout(5_000);

    it('is asked for less and less often where it ends at once and brings nothing', async () => {
      let get = await begin(peer, side);
      let endedAt = 0;
      for (let ends = 0; ends < 2; ends++) {
        get.end();
        endedAt = performance.now();
        get = (await peer.next('GET')).stream();
      }
      expect(performance.now() - endedAt).to.be.at.least(990);
    });

    it('is opened again after a cut, and after a server error', async () => {
      const get = await begin(peer, side);
      get.cut();
      (await peer.next('GET')).status(503);
      (await peer.next('GET')).stream().event(PROGRESS);
      expect(await side.message()).to.deep.equal(PROGRESS);
    }).timeout(5_000);

    it('tells of a gap that no event id bridges', async () => {
      const get = await begin(peer, side);
      get.end();
      (await peer.next('GET')).stream();
      expect(await side.told.take()).to.equal('missed');
    }).timeout(5_000);

    for (const status of [400, 404]) {
      it(`tells that the session is over when its place is taken by ${status}`, async () => {
        const get = await begin(peer, side);
        get.end();
        (await peer.next('GET')).status(status);
        expect(await side.told.take()).to.equal('forgotten');
      }).timeout(5_000);
    }

    it('is asked for once more, with better credentials, when the first ones are refused', async () => {
      side.credentials = async (challenge) => ({
        headers: challenge === undefined ? {} : { authorization: 'Bearer fresh' },
      });
      const { get } = await listening();
      get.status(401);
      const again = await peer.next('GET');
      expect(again.headers).to.include({ authorization: 'Bearer fresh' });
      again.stream().event(PROGRESS);
      expect(await side.message()).to.deep.equal(PROGRESS);
    });

    it('is not asked for again with the credentials that were refused', async () => {
      side.credentials = async () => ({ headers: { authorization: 'Bearer the-only-one' } });
      const { get, initialized } = await listening();
      get.status(401);
      await initialized;
      void side.send({ id: 7, method: 'ping' });
      (await peer.next('POST')).result();
      await side.message();
      expect(peer.log.filter((line) => line.startsWith('GET'))).to.have.length(1);
    });

    it('is opened again when credentials fail for a while', async () => {
      const get = await begin(peer, side);
      const failed = new Promise<void>((resolve) => {
        side.credentials = async () => {
          side.credentials = async () => ({ headers: {} });
          resolve();
          throw new Error('the sign-in is down');
        };
      });
      get.end();
      await failed;
      (await peer.next('GET')).stream();
    }).timeout(5_000);

    it('drops what is too large and goes on', async () => {
      side = await stage.side(openStreamable, peer.url, { maxMessageSize: 1_000 });
      const get = await begin(peer, side);
      get.event({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x'.repeat(5_000) } });
      get.event(PROGRESS);
      expect(await side.message()).to.deep.equal(PROGRESS);
    });
  });

  describe('resumption', () => {
    /** Takes a call at the server, whose stream then ends in the way given. */
    async function interrupted(by: (post: Arrival) => void): Promise<Arrival> {
      await begin(peer, side);
      void side.send(CALL);
      by((await peer.next('POST')).stream());
      return peer.next('GET');
    }

    it('takes a reply up behind its last event, in the same session', async () => {
      const get = await interrupted((post) => {
        post.event(PROGRESS, { id: 'e-1', retry: 10 });
        post.response.write(': more', () => post.cut());
      });
      expect(get.headers).to.include({
        accept: 'text/event-stream',
        'last-event-id': 'e-1',
        'mcp-session-id': 's-1',
        'mcp-protocol-version': '2025-11-25',
      });
      get.stream().event(ANSWER, { id: 'e-2' }).end();
      expect(await side.message()).to.deep.equal(PROGRESS);
      expect(await side.message()).to.deep.equal(ANSWER);
      expect(side.lost.size).to.equal(0);
    });

    it('does so when the server ends the stream properly (2025-11-25)', async () => {
      const get = await interrupted((post) => post.event('', { id: 'e-0', retry: 0 }).end());
      expect(get.headers).to.include({ 'last-event-id': 'e-0' });
      get.stream().event(ANSWER).end();
      expect(await side.message()).to.deep.equal(ANSWER);
    });

    it('asks again for an event of which only a part came', async () => {
      const get = await interrupted((post) => {
        post.event(PROGRESS, { id: 'e-1', retry: 0 });
        post.response.write('id: e-2\ndata: {"jsonrpc":"2.0","id":1,"res', () => post.cut());
      });
      expect(get.headers).to.include({ 'last-event-id': 'e-1' });
      get.stream().event(ANSWER, { id: 'e-2' }).end();
      await side.message();
      expect(await side.message()).to.deep.equal(ANSWER);
    });

    it('asks again for an event that lacks only its end, and hands it over once', async () => {
      const question = { jsonrpc: '2.0', id: 9, method: 'sampling/createMessage' };
      const get = await interrupted((post) => {
        post.event(PROGRESS, { id: 'e-1', retry: 0 });
        post.response.write(`id: e-2\ndata: ${JSON.stringify(question)}\n`, () => post.cut());
      });
      expect(get.headers).to.include({ 'last-event-id': 'e-1' });
      get.stream().event(question, { id: 'e-2' }).event(ANSWER, { id: 'e-3' }).end();
      expect(await side.message()).to.deep.equal(PROGRESS);
      expect(await side.message()).to.deep.equal(question);
      expect(await side.message()).to.deep.equal(ANSWER);
    });

    it('hands over once what the server brings again, and all that it brings under ids used before', async () => {
      const question = { jsonrpc: '2.0', id: 9, method: 'sampling/createMessage' };
      const news = (progress: number): object => ({ ...PROGRESS, params: { progress } });
      const get = await interrupted((post) => {
        post.event(news(1), { id: 'e-1', retry: 0 });
        post.event(news(2), { id: 'e-1' }).event(question, { id: 'e-2' }).end();
      });
      expect(get.headers).to.include({ 'last-event-id': 'e-2' });
      get.stream().event(news(1), { id: 'e-1' }).event(question, { id: 'e-2' }).event(news(3));
      get.event(news(4), { id: 'e-3' }).event(news(5), { id: 'e-3' }).event(ANSWER).end();
      for (const message of [news(1), news(2), question, news(3), news(4), news(5), ANSWER])
        expect(await side.message()).to.deep.equal(message);
    });

    it('gives ids back byte for byte', async () => {
      const get = await interrupted((post) => post.event('', { id: 'é☃', retry: 0 }).end());
      expect(Buffer.from(String(get.headers['last-event-id']), 'latin1').toString()).to.equal('é☃');
      get.stream().event(ANSWER).end();
      expect(await side.message()).to.deep.equal(ANSWER);
    });

    it('goes on for as long as ids come, and remembers the last one', async () => {
      let get = await interrupted((post) => post.event('', { id: '0', retry: 0 }).end());
      for (const poll of [1, 2, 3, 4, 5, 6, 7, 8]) {
        get
          .stream()
          .event('', { id: String(poll) })
          .end();
        get = await peer.next('GET');
        expect(get.headers).to.include({ 'last-event-id': String(poll) });
      }
      get.stream().end();
      get = await peer.next('GET');
      expect(get.headers).to.include({ 'last-event-id': '8' });
      get.stream().event(ANSWER).end();
      expect(await side.message()).to.deep.equal(ANSWER);
    });

    it('waits as long as the server asks', async () => {
      const get = await interrupted((post) => post.event('', { id: '0', retry: 60 }).end());
      const asked = performance.now();
      get.stream().end();
      const again = await peer.next('GET');
      // A lower bound only: a timer never fires early, give or take its resolution.
      expect(performance.now() - asked).to.be.at.least(55);
      again.stream().event(ANSWER).end();
      expect(await side.message()).to.deep.equal(ANSWER);
    });

    it('gives up when streams bring nothing time and again', async () => {
      let get = await interrupted((post) => post.event('', { id: '0', retry: 0 }).end());
      for (const _ of [1, 2, 3, 4]) {
        get.stream().end();
        get = await peer.next('GET');
      }
      get.stream().end();
      const { id, error } = await side.lost.take();
      expect(id).to.equal(1);
      expect(error).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
      expect(peer.arrivals.size).to.equal(0);
    });

    for (const status of [400, 404, 405]) {
      it(`gives up when the server answers ${status}`, async () => {
        const get = await interrupted((post) => post.event('', { id: '0', retry: 0 }).end());
        get.status(status);
        expect((await side.lost.take()).error).to.include({
          code: 'MCPC_CONNECTION_LOST',
          delivered: 'unknown',
        });
      });
    }

    it('tries again after 503, 429 and a cut', async () => {
      const get = await interrupted((post) => post.event('', { id: '0', retry: 0 }).end());
      get.status(503);
      (await peer.next('GET')).status(429);
      (await peer.next('GET')).cut();
      (await peer.next('GET')).stream().event(ANSWER).end();
      expect(await side.message()).to.deep.equal(ANSWER);
    });

    it('gives up when the server is gone for good', async () => {
      side = await stage.side(openStreamable, peer.url, { timeout: 50 });
      const get = await interrupted((post) => post.event('', { id: '0', retry: 10 }).end());
      get.cut();
      await peer.close();
      expect((await side.lost.take()).error).to.include({
        code: 'MCPC_CONNECTION_LOST',
        delivered: 'unknown',
      });
    });

    it('survives credentials that fail for a while', async () => {
      await begin(peer, side);
      side.credentials = async () => {
        side.credentials = async () => ({ headers: { authorization: 'Bearer two' } });
        throw new Error('the sign-in is down');
      };
      void side.send(CALL);
      (await peer.next('POST')).stream().event('', { id: '0', retry: 0 }).end();
      const get = await peer.next('GET');
      expect(get.headers).to.include({ authorization: 'Bearer two' });
      get.stream().event(ANSWER).end();
      expect(await side.message()).to.deep.equal(ANSWER);
    });

    it('does not follow an answer', async () => {
      await begin(peer, side);
      void side.send(CALL);
      const post = (await peer.next('POST')).stream();
      post.event(ANSWER, { id: 'e-1', retry: 0 });
      await side.message();
      post.cut();
      const sent = side.send({ id: 2, method: 'ping' });
      (await peer.next('POST')).result();
      await sent;
      expect(peer.arrivals.size).to.equal(0);
      expect(side.lost.size).to.equal(0);
    });

    it('ends when the transport is closed', async () => {
      const get = await interrupted((post) => post.event('', { id: '0', retry: 0 }).end());
      const closing = side.close();
      await get.abandoned();
      (await peer.next('DELETE')).status(200);
      await closing;
      expect(side.lost.size).to.equal(0);
    });
  });

  describe('back-pressure', () => {
    it('pauses the server while the client is busy, and loses nothing', async () => {
      let resume = (): void => undefined;
      side.pause = new Promise((resolve) => (resume = resolve));
      void side.send(CALL);
      const post = (await peer.next('POST')).stream();
      const text = 'x'.repeat(1_048_576);
      const count = 32;
      for (let index = 0; index < count; index++) {
        post.event({ jsonrpc: '2.0', method: 'notifications/message', params: { index, text } });
      }
      await side.message();
      expect(post.response.writableLength).to.be.above(8 * 1_048_576);
      // Round trips give the socket every chance to drain, which it must not take.
      for (const id of [2, 3, 4]) {
        void side.send({ id, method: 'ping' });
        (await peer.next('POST')).result();
        await side.messages.take((envelope) => envelope.id === id);
      }
      expect(post.response.writableLength).to.be.above(8 * 1_048_576);

      side.pause = undefined;
      resume();
      for (let index = 1; index < count; index++) {
        expect((await side.message()).params).to.include({ index });
      }
      post.event(ANSWER).end();
      expect(await side.message()).to.deep.equal(ANSWER);
    }).timeout(10_000);
  });

  describe('many large JSON bodies', () => {
    it('all arrive in the end, although the client was busy when they came', async () => {
      let resume = (): void => undefined;
      side.pause = new Promise((resolve) => (resume = resolve));
      const text = 'x'.repeat(4 * 1_048_576);
      const count = 32;
      const posts: Arrival[] = [];
      for (let id = 0; id < count; id++) {
        void side.send({ id, method: 'tools/list' });
        posts.push(await peer.next('POST'));
      }
      for (const post of posts) post.result({ text });
      await side.message();
      // Small answers go their way in the meantime.
      void side.send({ id: 100, method: 'ping' });
      (await peer.next('POST')).result();
      await side.messages.take((envelope) => envelope.id === 100);

      side.pause = undefined;
      resume();
      for (let n = 1; n < count; n++)
        expect(((await side.message()).result as { text: string }).text).to.equal(text);
      expect(side.lost.size).to.equal(0);
    }).timeout(20_000);
  });

  describe('a reply that is too large', () => {
    const LARGE = { jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(100_000) } };

    beforeEach(async () => {
      side = await stage.side(openStreamable, peer.url, { maxMessageSize: 10_000 });
    });

    for (const [name, reply] of [
      ['as JSON', (post: Arrival) => post.json(LARGE)],
      ['as an event', (post: Arrival) => post.stream().event(LARGE).end()],
    ] as const) {
      it(`fails its request and nothing else: ${name}`, async () => {
        void side.send(CALL);
        reply(await peer.next('POST'));
        const { id, error } = await side.lost.take();
        expect(id).to.equal(1);
        expect(error).to.include({ code: 'MCPC_TOO_LARGE', delivered: 'unknown' });
        expect(error.hint).to.include('--max-message-size');

        void side.send({ id: 2, method: 'ping' });
        (await peer.next('POST')).result();
        expect(await side.message()).to.include({ id: 2 });
        expect(side.lost.size).to.equal(0);
      });
    }

    for (const where of ['of the call', 'of notifications']) {
      it(`is refused where it is a request of the server, on the stream ${where}`, async () => {
        const get = await begin(peer, side);
        void side.send(CALL);
        const post = (await peer.next('POST')).stream();
        const stream = where === 'of the call' ? post : get;
        stream.event({ jsonrpc: '2.0', id: 'roots', method: 'roots/list', params: LARGE.result });
        const refused = await peer.next('POST');
        expect(refused.headers).to.include({ 'mcp-session-id': 's-1' });
        expect(refused.message).to.deep.include({ id: 'roots' });
        expect(refused.message.error!.data).to.include({ source: 'mcp-connect', code: 'MCPC_TOO_LARGE' });
        refused.status(202);
        post.event(ANSWER).end();
        expect(await side.message()).to.deep.equal(ANSWER);
        expect(side.lost.size).to.equal(0);
      });
    }

    it('fails its own request where it is an answer on another stream', async () => {
      const get = await begin(peer, side);
      void side.send(CALL);
      const post = (await peer.next('POST')).stream();
      get.event(LARGE);
      const { id, error } = await side.lost.take();
      expect(id).to.equal(1);
      expect(error).to.include({ code: 'MCPC_TOO_LARGE' });
      post.end();
    });

    it('costs only itself where it is a notification', async () => {
      void side.send(CALL);
      const post = (await peer.next('POST')).stream();
      post.event({ jsonrpc: '2.0', method: 'notifications/message', params: LARGE.result });
      post.event(ANSWER).end();
      expect(await side.message()).to.deep.equal(ANSWER);
      expect(side.lost.size).to.equal(0);
    });
  });
});
