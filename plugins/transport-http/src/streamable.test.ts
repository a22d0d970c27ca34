import { expect } from 'chai';
import {
  begin,
  LEGACY,
  modern,
  Stage,
  type Arrival,
  type Message,
  type Peer,
  type Side,
} from './peer.test.js';
import { openStreamable } from './streamable.js';

const LIST = { id: 1, method: 'tools/list' };
const INITIALIZE = { id: 0, method: 'initialize', params: { protocolVersion: LEGACY } };

describe('Streamable HTTP', () => {
  let stage: Stage;
  let peer: Peer;
  let side: Side;

  beforeEach(async () => {
    stage = new Stage();
    peer = await stage.peer();
    side = await stage.side(openStreamable, peer.url);
  });
  afterEach(() => stage.close());

  /** Sends a request and takes it at the server. */
  async function ask(message: Message = LIST): Promise<Arrival> {
    void side.send(message);
    return peer.next('POST');
  }

  describe('headers', () => {
    it('connects with the first message and no sooner', async () => {
      const post = await ask();
      expect(peer.log).to.deep.equal(['POST /mcp']);
      post.result();
      expect(await side.message()).to.include({ id: 1 });
    });

    it('accept both kinds of reply and name neither session nor version before there are any', async () => {
      const post = await ask(INITIALIZE);
      expect(post.headers).to.include({
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'content-length': String(post.body.length),
      });
      expect(post.headers).not.to.have.any.keys(
        'mcp-session-id',
        'mcp-protocol-version',
        'mcp-method',
        'origin',
      );
      expect(post.message).to.deep.equal({ jsonrpc: '2.0', ...INITIALIZE });
      post.result({ protocolVersion: LEGACY });
    });

    for (const [version, header] of [
      ['2025-03-26', undefined],
      ['2025-06-18', '2025-06-18'],
      ['2025-11-25', '2025-11-25'],
    ] as const) {
      it(`name the session, and the version ${header ?? 'never'}, in every message of ${version}`, async () => {
        const expected = {
          'mcp-session-id': 's-1',
          ...(header !== undefined && { 'mcp-protocol-version': header }),
        };
        const seen = (arrival: Arrival): object =>
          Object.fromEntries(
            ['mcp-session-id', 'mcp-protocol-version']
              .filter((name) => name in arrival.headers)
              .map((name) => [name, arrival.headers[name]]),
          );

        const initialize = side.send({ id: 0, method: 'initialize' });
        (await peer.next()).result({ protocolVersion: version }, { 'MCP-Session-Id': 's-1' });
        await initialize;

        const initialized = side.send({ method: 'notifications/initialized' });
        const notification = await peer.next('POST');
        expect(seen(notification)).to.deep.equal(expected);
        notification.status(202);

        const get = await peer.next('GET');
        expect(seen(get)).to.deep.equal(expected);
        expect(get.headers).to.include({ accept: 'text/event-stream' });
        get.status(405);
        await initialized;

        const post = await ask();
        expect(seen(post)).to.deep.equal(expected);
        post.result();

        const closing = side.close();
        const farewell = await peer.next('DELETE');
        expect(seen(farewell)).to.deep.equal(expected);
        farewell.status(405);
        await closing;
      });
    }

    it('carry the credentials of each message', async () => {
      void side.send(LIST, { authorization: 'Bearer one', 'user-agent': 'mine' });
      const post = await peer.next();
      expect(post.headers).to.include({ authorization: 'Bearer one', 'user-agent': 'mine' });
      post.result();
    });

    it('carry fresh credentials on messages of our own', async () => {
      side.credentials = async () => ({ headers: { authorization: 'Bearer own' } });
      const get = await begin(peer, side);
      expect(get.headers).to.include({ authorization: 'Bearer own' });
      const closing = side.close();
      const farewell = await peer.next('DELETE');
      expect(farewell.headers).to.include({ authorization: 'Bearer own' });
      farewell.status(200);
      await closing;
    });

    it('leave the session out of a second initialize', async () => {
      const get = await begin(peer, side);
      const post = await ask(INITIALIZE);
      await get.abandoned();
      expect(post.headers).not.to.have.any.keys('mcp-session-id', 'mcp-protocol-version');
      post.result({ protocolVersion: LEGACY }, { 'mcp-session-id': 's-2' });
      await side.message();
      expect((await ask()).headers).to.include({ 'mcp-session-id': 's-2' });
    });

    it('end the session that a second initialize replaces, and no other', async () => {
      await begin(peer, side);
      const sent = side.send({ id: 9, method: 'initialize' });
      const deleted = await peer.next('DELETE');
      expect(deleted.headers['mcp-session-id']).to.equal('s-1');
      deleted.status(200);
      (await peer.next('POST')).result({ protocolVersion: LEGACY }, { 'mcp-session-id': 's-2' });
      await sent;
      const refused = side.refused({ id: 10, method: 'tools/list' });
      (await peer.next('POST')).status(404);
      expect(await refused).to.include({ code: 'MCPC_SESSION_LOST' });
      const again = side.send({ id: 11, method: 'initialize' });
      (await peer.next('POST')).result();
      await again;
      expect(peer.log.filter((line) => line.startsWith('DELETE'))).to.have.lengthOf(1);
    });

    it('ignore a session id that is no visible ASCII', async () => {
      const initialize = side.send(INITIALIZE);
      (await peer.next()).result({ protocolVersion: LEGACY }, { 'mcp-session-id': 'a b' });
      await initialize;
      expect((await ask()).headers).not.to.have.property('mcp-session-id');
    });

    it('never show the session id in a log', async () => {
      await begin(peer, side, LEGACY, 'very-secret-session');
      (await ask()).status(404);
      expect(side.logged.join('\n')).not.to.include('very-secret-session');
    });
  });

  describe('modern messages', () => {
    it('are mirrored in headers, whatever their names are made of', async () => {
      const post = await ask(modern(1, 'tools/call', { name: '天気 ☀' }));
      expect(post.headers).to.include({
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': `=?base64?${Buffer.from('天気 ☀').toString('base64')}?=`,
      });
      post.result();
    });

    it('are notifications too that say nothing of themselves, behind a request that does', async () => {
      const sent = side.send({ method: 'notifications/custom', params: {} });
      const first = await peer.next('POST');
      expect(first.headers).not.to.have.any.keys('mcp-protocol-version', 'mcp-method');
      first.status(202);
      await sent;
      (await ask(modern(1, 'tools/list'))).result();
      await side.message();
      const told = side.send({ method: 'notifications/custom', params: {} });
      const second = await peer.next('POST');
      expect(second.headers).to.include({
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'notifications/custom',
      });
      second.status(202);
      await told;
    });

    it('know no session, even where the server gives one', async () => {
      (await ask(modern(1, 'server/discover'))).result({}, { 'mcp-session-id': 's-1' });
      await side.message();
      const post = await ask(modern(2, 'tools/list'));
      expect(post.headers).not.to.have.property('mcp-session-id');
      post.result();
      await side.message();
      await side.close();
      expect(peer.log).to.deep.equal(['POST /mcp', 'POST /mcp']);
    });

    it('are cancelled by closing the stream', async () => {
      const post = await ask(modern(1, 'tools/call', { name: 'slow' }));
      post.stream().event({ jsonrpc: '2.0', method: 'notifications/progress', params: {} });
      await side.message();
      await side.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
      await post.abandoned();
      expect(peer.log).to.deep.equal(['POST /mcp']);
      expect(side.lost.size).to.equal(0);
    });

    it('are cancelled before anything came back', async () => {
      const post = await ask(modern('a', 'tools/call', { name: 'slow' }));
      await side.send({ method: 'notifications/cancelled', params: { requestId: 'a' } });
      await post.abandoned();
      expect(peer.log).to.deep.equal(['POST /mcp']);
    });

    it('are lost with their stream, which is not resumed', async () => {
      const post = await ask(modern(1, 'tools/call', { name: 'slow' }));
      post.stream().event({ jsonrpc: '2.0', method: 'notifications/progress' }, { id: '5' });
      await side.message();
      post.cut();
      const { id, error } = await side.lost.take();
      expect(id).to.equal(1);
      expect(error).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
      expect(peer.log).to.deep.equal(['POST /mcp']);
    });
  });

  describe('replies', () => {
    it('come as JSON, byte for byte', async () => {
      const text = '{"result": {"n":1.0, "extra":"\\u00e9"},"id":1,  "jsonrpc":"2.0","more":[]}';
      (await ask()).status(200, text, { 'content-type': 'application/json' });
      expect((await side.messages.take()).bytes.toString()).to.equal(text);
    });

    it('come on one line, however the server wrote them', async () => {
      const answer = { jsonrpc: '2.0', id: 1, result: { a: [1, 2] } };
      (await ask()).status(200, JSON.stringify(answer, undefined, 2).replaceAll('\n', '\r\n'));
      const envelope = await side.messages.take();
      expect(envelope.bytes.toString()).not.to.match(/[\r\n]/);
      expect(envelope.message).to.deep.equal(answer);
    });

    it('may begin with a byte order mark', async () => {
      (await ask()).status(200, '\ufeff{"jsonrpc":"2.0","id":1,"result":{}}');
      expect(await side.message()).to.deep.include({ id: 1, result: {} });
    });

    it('may begin with one that is cut', async () => {
      const post = await ask();
      post.response.writeHead(200, { 'content-type': 'application/json' });
      for (const byte of Buffer.from('\ufeff'))
        await new Promise<void>((sent) => post.response.write(Buffer.of(byte), () => sent()));
      post.response.end('{"jsonrpc":"2.0","id":1,"result":{}}');
      expect(await side.message()).to.deep.include({ id: 1, result: {} });
    });

    for (const type of ['text/event-stream', 'text/event-stream; charset=utf-8', 'Text/Event-Stream']) {
      it(`come as ${type}, behind what belongs to them`, async () => {
        const post = (await ask()).stream({ 'content-type': type });
        post.event({ jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } });
        post.event({ jsonrpc: '2.0', id: 1, result: { ok: true } });
        expect(await side.message()).to.include({ method: 'notifications/progress' });
        expect(await side.message()).to.deep.include({ id: 1, result: { ok: true } });
        post.end();
      });
    }

    for (const id of [0, '', '1', -1, 1.5, '☃', Number.MAX_SAFE_INTEGER]) {
      it(`keep the id ${JSON.stringify(id)}`, async () => {
        const post = (await ask({ id, method: 'ping' })).stream();
        post.event({ jsonrpc: '2.0', id, result: {} }).end();
        expect(await side.message()).to.deep.include({ id, result: {} });
      });
    }

    it('come as a batch in JSON (2025-03-26)', async () => {
      (await ask()).json([
        { jsonrpc: '2.0', method: 'notifications/message', params: {} },
        { jsonrpc: '2.0', id: 1, result: {} },
      ]);
      expect(await side.message()).to.include({ method: 'notifications/message' });
      expect(await side.message()).to.deep.include({ id: 1, result: {} });
    });

    it('come as a batch in one event (2025-03-26)', async () => {
      (await ask())
        .stream()
        .event([
          { jsonrpc: '2.0', method: 'notifications/message', params: {} },
          { jsonrpc: '2.0', id: 1, result: {} },
        ])
        .end();
      expect(await side.message()).to.include({ method: 'notifications/message' });
      expect(await side.message()).to.deep.include({ id: 1, result: {} });
    });

    it('pass over comments, unknown events, empty data and events that are no message', async () => {
      const post = (await ask()).stream();
      post.response.write(': keep-alive\n\n');
      post.event('{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}', { event: 'ping' });
      post.event('', { id: '1' }).event('not JSON').event({ jsonrpc: '2.0', id: 1, result: {} }).end();
      expect(await side.message()).to.deep.include({ id: 1, result: {} });
      expect(side.messages.size).to.equal(0);
      expect(side.lost.size).to.equal(0);
    });

    it('may hold requests of the server, whose answers are posted', async () => {
      const post = (await ask())
        .stream()
        .event({ jsonrpc: '2.0', id: 'r1', method: 'sampling/createMessage' });
      expect(await side.message()).to.include({ id: 'r1', method: 'sampling/createMessage' });
      const answered = side.send({ id: 'r1', result: { role: 'assistant' } });
      const answer = await peer.next('POST');
      expect(answer.message).to.deep.include({ id: 'r1', result: { role: 'assistant' } });
      answer.status(202);
      await answered;
      post.event({ jsonrpc: '2.0', id: 1, result: {} }).end();
      expect(await side.message()).to.deep.include({ id: 1, result: {} });
    });

    it('give a stream up that the server leaves open behind the answer', async () => {
      const post = (await ask()).stream().event({ jsonrpc: '2.0', id: 1, result: {} });
      expect(await side.message()).to.include({ id: 1 });
      await post.abandoned();
      expect(side.lost.size).to.equal(0);
    });

    it('are taken on whichever stream they come', async () => {
      const one = (await ask({ id: 1, method: 'a' })).stream();
      const two = (await ask({ id: 2, method: 'b' })).stream();
      two.event({ jsonrpc: '2.0', id: 1, result: {} });
      expect(await side.message()).to.include({ id: 1 });
      await one.abandoned();
      two.event({ jsonrpc: '2.0', id: 2, result: {} }).end();
      expect(await side.message()).to.include({ id: 2 });
      expect(side.lost.size).to.equal(0);
    });
  });

  describe('messages without an answer', () => {
    it('are done with 202', async () => {
      const sent = side.send({ method: 'notifications/roots/list_changed' });
      (await peer.next()).status(202);
      await sent;
    });

    it('tell why they were refused', async () => {
      const sent = side.refused({ method: 'notifications/roots/list_changed' });
      (await peer.next()).status(500);
      expect(await sent).to.include({ code: 'MCPC_HTTP_STATUS', status: 500, delivered: 'unknown' });
    });

    it('let go of a connection whose reply to them does not end', async () => {
      const sent = side.send({ method: 'notifications/roots/list_changed' });
      const post = (await peer.next()).stream();
      await sent;
      await post.abandoned();
    });

    it('are given up where the server never says that it took them', async () => {
      side = await stage.side(openStreamable, peer.url, { timeout: 50 });
      const sent = side.refused({ method: 'notifications/roots/list_changed' });
      const post = await peer.next();
      expect(await sent).to.include({ code: 'MCPC_TIMEOUT', delivered: 'unknown' });
      await post.abandoned();
    });

    it('take up no more than so many connections, and all arrive', async () => {
      const count = 300;
      const steps = Array.from({ length: count }, (_, progress) => progress);
      const sent = Promise.all(
        steps.map((progress) => side.send({ method: 'notifications/progress', params: { progress } })),
      );
      const held: Arrival[] = [];
      while (held.length < 128) held.push(await peer.next());
      // A round trip on a connection of its own: whatever else was sent would have come.
      void side.send({ id: 1, method: 'ping' });
      (await peer.next()).result();
      await side.message();
      expect(peer.arrivals.size).to.equal(0);
      const seen: unknown[] = [];
      for (const _ of steps) {
        const post = held.shift() ?? (await peer.next());
        seen.push(post.message.params?.['progress']);
        post.status(202);
      }
      await sent;
      expect(seen).to.have.members(steps);
    });

    it('survive a refusal that is cut', async () => {
      const sent = side.refused({ method: 'notifications/roots/list_changed' });
      const post = await peer.next();
      post.response.writeHead(400, { 'content-length': '100' });
      post.response.write('{"jsonrpc"');
      expect(await sent).to.include({ code: 'MCPC_HTTP_STATUS', status: 400 });
      post.cut();
      (await ask()).result();
      expect(await side.message()).to.include({ id: 1 });
    });

    it('include cancellations of older revisions', async () => {
      const post = (await ask()).stream();
      const sent = side.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
      const cancelled = await peer.next('POST');
      expect(cancelled.message).to.deep.include({
        method: 'notifications/cancelled',
        params: { requestId: 1 },
      });
      cancelled.status(202);
      await sent;
      post.event({ jsonrpc: '2.0', id: 1, result: {} }).end();
      expect(await side.message()).to.include({ id: 1 });
    });
  });

  describe('refusals', () => {
    for (const [status, headers, expected] of [
      [401, { 'www-authenticate': 'Bearer' }, { code: 'MCPC_UNAUTHORIZED', delivered: 'rejected' }],
      [403, { 'www-authenticate': 'Bearer' }, { code: 'MCPC_UNAUTHORIZED', delivered: 'rejected' }],
      [403, {}, { code: 'MCPC_HTTP_STATUS', delivered: 'rejected' }],
      [404, {}, { code: 'MCPC_HTTP_STATUS', delivered: 'rejected' }],
      [413, {}, { code: 'MCPC_HTTP_STATUS', delivered: 'rejected' }],
      [429, { 'retry-after': '2' }, { code: 'MCPC_RATE_LIMITED', delivered: 'rejected', retryAfter: 2_000 }],
      [503, { 'retry-after': '2' }, { code: 'MCPC_RATE_LIMITED', delivered: 'rejected', retryAfter: 2_000 }],
      [500, {}, { code: 'MCPC_HTTP_STATUS', delivered: 'unknown' }],
      [502, {}, { code: 'MCPC_HTTP_STATUS', delivered: 'unknown' }],
      [503, {}, { code: 'MCPC_HTTP_STATUS', delivered: 'unknown' }],
    ] as const) {
      it(`of ${status} ${Object.keys(headers).join()} fail the sending: ${expected.code}, ${expected.delivered}`, async () => {
        const sent = side.refused(LIST);
        (await peer.next()).status(status, '<h1>no</h1>', headers);
        expect(await sent).to.include({ status, ...expected });
        expect(side.lost.size).to.equal(0);
      });
    }

    for (const status of [429, 503]) {
      it(`of ${status} with Retry-After ask for another attempt, whatever their body says`, async () => {
        const sent = side.refused(LIST);
        const error = { code: -32_000, message: 'slow down' };
        (await peer.next()).status(status, { jsonrpc: '2.0', id: 1, error }, { 'retry-after': '2' });
        expect(await sent).to.include({
          code: 'MCPC_RATE_LIMITED',
          delivered: 'rejected',
          retryAfter: 2_000,
        });
        expect(side.messages.size).to.equal(0);
      });
    }

    it('never carry the words of the server into errors or logs', async () => {
      const sent = side.refused(LIST);
      const { response } = await peer.next();
      response.writeHead(500, 'code=hush', { 'set-cookie': 'id=hush' }).end('<p>code=hush</p>');
      const { message, hint } = await sent;
      expect([message, hint, ...side.logged].join()).not.to.include('hush');
    });

    it('of 404 within a session end it', async () => {
      await begin(peer, side);
      const sent = side.refused(LIST);
      (await peer.next('POST')).status(404, {
        jsonrpc: '2.0',
        id: null,
        error: { code: -32_001, message: 'gone' },
      });
      expect(await sent).to.include({ code: 'MCPC_SESSION_LOST', delivered: 'rejected' });
    });

    it('of 401 are told before their body has ended', async () => {
      const sent = side.refused(LIST);
      (await peer.next()).response.writeHead(401).write('and so on');
      expect(await sent).to.include({ code: 'MCPC_UNAUTHORIZED' });
    });

    it('hand the challenge on', async () => {
      const sent = side.refused(LIST);
      (await peer.next()).status(401, '', { 'www-authenticate': 'Bearer scope="a"' });
      expect((await sent).challenge).to.deep.equal({ status: 401, wwwAuthenticate: 'Bearer scope="a"' });
    });

    for (const [status, code] of [
      [400, -32_602],
      [400, -32_020],
      [404, -32_601],
      [500, -32_603],
    ] as const) {
      it(`of ${status} with this request's JSON-RPC error ${code} are its answer`, async () => {
        const message = modern(1, 'tools/list');
        const sent = side.send(message);
        (await peer.next()).status(status, {
          jsonrpc: '2.0',
          id: 1,
          error: { code, message: 'm', data: [1] },
        });
        await sent;
        expect(await side.message()).to.deep.include({ id: 1, error: { code, message: 'm', data: [1] } });
      });
    }

    for (const id of [null, undefined]) {
      it(`of 400 with a JSON-RPC error under the id ${id} are the answer too`, async () => {
        const sent = side.send(LIST);
        (await peer.next()).status(400, { jsonrpc: '2.0', id, error: { code: -32_600, message: 'm' } });
        await sent;
        expect(await side.message()).to.deep.equal({
          jsonrpc: '2.0',
          id: 1,
          error: { code: -32_600, message: 'm' },
        });
      });
    }

    for (const [name, body] of [
      ['the error of another request', { jsonrpc: '2.0', id: 2, error: { code: 1, message: 'm' } }],
      ['a result under no id', { jsonrpc: '2.0', id: null, result: {} }],
      ['a notification', { jsonrpc: '2.0', method: 'x' }],
      ['JSON that is no message', { error: 'invalid_request' }],
      ['cut JSON', '{"jsonrpc":"2.0","id":1,"err'],
    ] as const) {
      it(`of 400 with ${name} are not`, async () => {
        const sent = side.refused(LIST);
        (await peer.next()).status(400, body);
        expect(await sent).to.include({ code: 'MCPC_HTTP_STATUS', status: 400, delivered: 'rejected' });
      });
    }

    for (const id of [1, null]) {
      it(`of 500 with a large error under the id ${id} that is malformed inside leave the outcome open`, async () => {
        const sent = side.refused(LIST);
        const error = `"error":{"message":"${'x'.repeat(20_000)}","data":,"code":1}`;
        (await peer.next()).status(500, `{"jsonrpc":"2.0","id":${id},${error}}`);
        expect(await sent).to.include({ code: 'MCPC_HTTP_STATUS', delivered: 'unknown' });
      });
    }

    it('of 500 with a JSON-RPC error under no id leave the outcome open', async () => {
      const sent = side.refused(LIST);
      (await peer.next()).status(500, { jsonrpc: '2.0', id: null, error: { code: -32_603, message: 'm' } });
      expect(await sent).to.include({ code: 'MCPC_HTTP_STATUS', delivered: 'unknown' });
    });
  });

  describe('replies without the answer', () => {
    for (const [name, reply, code] of [
      [
        'a web page',
        (post: Arrival) => post.status(200, '<html></html>', { 'content-type': 'text/html' }),
        'MCPC_BAD_RESPONSE',
      ],
      [
        'a large web page',
        (post: Arrival) => post.status(200, `<html>${'x'.repeat(50_000)}</html>`),
        'MCPC_BAD_RESPONSE',
      ],
      ['malformed JSON', (post: Arrival) => post.status(200, '{"jsonrpc":"2.0",'), 'MCPC_BAD_RESPONSE'],
      ['an empty body', (post: Arrival) => post.status(200), 'MCPC_NO_ANSWER'],
      ['202', (post: Arrival) => post.status(202), 'MCPC_NO_ANSWER'],
      ['an empty batch', (post: Arrival) => post.json([]), 'MCPC_NO_ANSWER'],
      [
        'the answer of another request',
        (post: Arrival) => post.json({ jsonrpc: '2.0', id: 2, result: {} }),
        'MCPC_NO_ANSWER',
      ],
      [
        'a result under no id',
        (post: Arrival) => post.json({ jsonrpc: '2.0', id: null, result: {} }),
        'MCPC_NO_ANSWER',
      ],
      [
        'a malformed event in a stream that stays open',
        (post: Arrival) => post.stream().event('{"id":1'),
        'MCPC_BAD_RESPONSE',
      ],
      ['an empty stream', (post: Arrival) => post.stream().end(), 'MCPC_NO_ANSWER'],
      [
        'a stream of malformed events',
        (post: Arrival) => post.stream().event('{"id":1').end(),
        'MCPC_BAD_RESPONSE',
      ],
      [
        'a body that is shorter than announced',
        (post: Arrival) => {
          post.response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
          post.response.write('{"jsonrpc":"2.0","id":1,"result":{}}', () => post.cut());
        },
        'MCPC_CONNECTION_LOST',
      ],
      [
        'chunks that are cut',
        (post: Arrival) => {
          post.response.writeHead(200, { 'content-type': 'application/json' });
          post.response.write('{"jsonrpc":"2.0","id":1,"result":{}}', () => post.cut());
        },
        'MCPC_CONNECTION_LOST',
      ],
      [
        'a cut stream without ids',
        (post: Arrival) => {
          post.stream().event({ jsonrpc: '2.0', method: 'notifications/progress' });
          post.response.write(': more', () => post.cut());
        },
        'MCPC_CONNECTION_LOST',
      ],
    ] as const) {
      it(`lose the request with ${code}: ${name}`, async () => {
        const post = await ask();
        reply(post);
        const { id, error } = await side.lost.take();
        expect(id).to.equal(1);
        expect(error).to.include({ code, delivered: 'unknown' });
        expect(side.lost.size).to.equal(0);
        expect(peer.log).to.deep.equal(['POST /mcp']);

        (await ask({ id: 2, method: 'ping' })).result();
        expect((await side.messages.take((envelope) => envelope.id === 2)).kind).to.equal('response');
      });
    }

    it('name the id of an answer that nobody asked for', async () => {
      (await ask()).json({ jsonrpc: '2.0', id: 'else', result: {} });
      expect((await side.lost.take()).error.message).to.include('"else"');
      void side.send({ id: 2, method: 'ping' });
      (await peer.next()).stream().event({ jsonrpc: '2.0', id: 'other', result: {} }).end();
      expect((await side.lost.take()).error.message).to.include('"other"');
    });

    it('are not waited for without end behind an answer under another id', async () => {
      side = await stage.side(openStreamable, peer.url, { timeout: 50 });
      const post = (await ask()).stream().event({ jsonrpc: '2.0', id: 'else', result: {} });
      const { id, error } = await side.lost.take();
      expect(id).to.equal(1);
      expect(error).to.include({ code: 'MCPC_NO_ANSWER', delivered: 'unknown' });
      await post.abandoned();
    });

    it('do not count where the right answer comes behind', async () => {
      const post = (await ask()).stream().event({ jsonrpc: '2.0', id: 'else', result: {} });
      expect(await side.message()).to.include({ id: 'else' });
      post.event({ jsonrpc: '2.0', id: 1, result: {} }).end();
      expect(await side.message()).to.include({ id: 1 });
      expect(side.lost.size).to.equal(0);
    });

    for (const how of ['as JSON', 'as an event']) {
      it(`survive a large one that is malformed inside: ${how}`, async () => {
        const text = `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":,"x":"${'x'.repeat(50_000)}"}}`;
        const post = await ask(INITIALIZE);
        if (how === 'as JSON') post.status(200, text);
        else post.stream().event(text).end();
        const { id, error } = await side.lost.take();
        expect(id).to.equal(0);
        expect(error).to.include({ delivered: 'unknown' });
      });
    }

    it('take no large answer for whole that was cut, where no length tells', async () => {
      const item = { type: 'text', text: 'x'.repeat(20_000) };
      const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [item], _meta: { a: {} } } });
      const post = await ask();
      const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n';
      post.socket.end(head + text.slice(0, -1));
      const { error } = await side.lost.take();
      expect(error).to.include({ code: 'MCPC_BAD_RESPONSE', delivered: 'unknown' });
    });

    it('take no large answer for whole whose length is counted in characters', async () => {
      const result = { content: [{ type: 'text', text: `é${'x'.repeat(20_000)}` }], _meta: { a: {} } };
      const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result });
      const post = await ask();
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`;
      post.socket.write(head + text);
      const { error } = await side.lost.take();
      expect(error).to.include({ code: 'MCPC_BAD_RESPONSE', delivered: 'unknown' });
    });

    it('keep an answer whose stream is cut before its blank line', async () => {
      const post = (await ask()).stream();
      post.response.write('data: {"jsonrpc":"2.0","id":1,"result":{}}', () => post.cut());
      expect(await side.message()).to.include({ id: 1 });
      expect(side.lost.size).to.equal(0);
    });
  });

  describe('close', () => {
    it('lets messages without an answer go first, and sends none behind it', async () => {
      const count = 300;
      const steps = Array.from({ length: count }, (_, progress) => progress);
      const tell = (progress: number): Promise<void> =>
        side.send({ method: 'notifications/progress', params: { progress } });
      const sent = Promise.allSettled(steps.map(tell));
      const closing = side.close();
      for (const _ of steps) (await peer.next()).status(202);
      await Promise.all([sent, closing]);
      expect(await side.refused({ method: 'notifications/progress' })).to.include({ delivered: 'no' });
      expect(peer.log).to.have.length(count);
    });

    it('ends the session at the server and gives running requests up', async () => {
      const get = await begin(peer, side);
      const post = (await ask()).stream();
      const closing = side.close();
      await Promise.all([get.abandoned(), post.abandoned()]);
      (await peer.next('DELETE')).status(200);
      await closing;
      expect(side.lost.size).to.equal(0);
    });

    it('says nothing to a server that gave no session', async () => {
      await begin(peer, side, LEGACY, null);
      await side.close();
      expect(peer.log.filter((line) => line.startsWith('DELETE'))).to.deep.equal([]);
    });

    it('is over at once where nothing was ever sent, and the second time', async () => {
      await Promise.all([side.close(), side.close()]);
      expect(await side.refused(LIST)).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'no' });
      expect(peer.log).to.deep.equal([]);
    });

    it('comes to its end where the server is gone', async () => {
      await begin(peer, side);
      await peer.close();
      await side.close();
    });
  });

  it('asks for a pause while a server takes nothing up, and ends it when it does', async () => {
    side = await stage.side(openStreamable, peer.url, { maxMessageSize: 1_000 });
    const large = { method: 'tools/call', params: { name: 'x', text: 'y'.repeat(900) } };
    const first = side.send({ id: 1, ...large });
    expect(side.drain()).to.equal(undefined);
    const second = side.send({ id: 2, ...large });
    const room = side.drain();
    expect(room).to.be.instanceOf(Promise);
    (await peer.next()).result({});
    await room;
    expect(side.drain()).to.equal(undefined);
    (await peer.next()).result({});
    await Promise.all([first, second]);
  });
});
