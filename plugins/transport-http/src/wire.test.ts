import { once } from 'node:events';
import { Agent } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ConnectorError } from '@mcp-connect/core';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { Stage, type Peer, type Side } from './peer.test.js';
import { openStreamable } from './streamable.js';

const LIST = { id: 1, method: 'tools/list' };

/** Makes a key and a certificate for the loopback address, signed by `ca` or by itself. */
async function certify(
  name: string,
  ca?: { cert: string; key: string },
): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...(ca && { ca }),
    extensions: ca
      ? [
          {
            name: 'subjectAltName',
            altNames: name === 'localhost' ? [{ type: 7, ip: '127.0.0.1' }] : [{ type: 2, value: name }],
          },
        ]
      : [
          { name: 'basicConstraints', cA: true, critical: true },
          { name: 'keyUsage', keyCertSign: true, critical: true },
        ],
  });
  return { cert: made.cert, key: made.private };
}

describe('The wire', () => {
  let stage: Stage;
  let peer: Peer;
  let side: Side;

  beforeEach(async () => {
    stage = new Stage();
    peer = await stage.peer();
    side = await stage.side(openStreamable, peer.url);
  });
  afterEach(() => stage.close());

  describe('redirects', () => {
    for (const status of [301, 302, 307, 308]) {
      it(`follows ${status} within the origin, message and headers and all`, async () => {
        void side.send(LIST, { authorization: 'Bearer one' });
        (await peer.next()).status(status, '', { location: '/v2/mcp?x=1' });
        const post = await peer.next();
        expect(post).to.include({ method: 'POST', path: '/v2/mcp?x=1' });
        expect(post.headers).to.include({ authorization: 'Bearer one', 'content-type': 'application/json' });
        expect(post.message).to.deep.equal({ jsonrpc: '2.0', ...LIST });
        post.result();
        expect(await side.message()).to.include({ id: 1 });
      });
    }

    for (const [status, path] of [
      [301, '/v2'],
      [302, '/mcp'],
      [307, '/mcp'],
      [308, '/v2'],
    ] as const) {
      it(`goes to ${path} after ${status}`, async () => {
        void side.send(LIST);
        (await peer.next()).status(status, '', { location: `${peer.origin}/v2` });
        (await peer.next()).result();
        await side.message();
        void side.send({ id: 2, method: 'ping' });
        const post = await peer.next();
        expect(post.path).to.equal(path);
        post.result();
      });
    }

    it('refuses another origin, and sends nothing there', async () => {
      const other = await stage.peer();
      const sent = side.refused(LIST);
      (await peer.next()).status(307, '', { location: `${other.origin}/mcp?token=secret` });
      const error = await sent;
      expect(error).to.include({ code: 'MCPC_HTTP_STATUS', status: 307, delivered: 'rejected' });
      expect(error.hint).to.include(`${other.origin}/mcp`).and.not.include('secret');
      expect(other.log).to.deep.equal([]);
      expect(peer.log).to.have.lengthOf(1);
    });

    it('refuses an address that is none, and a circle', async () => {
      const unreadable = side.refused(LIST);
      (await peer.next()).status(307, '', { location: 'http://' });
      expect(await unreadable).to.include({ code: 'MCPC_HTTP_STATUS', delivered: 'rejected' });

      const circle = side.refused(LIST);
      for (const _ of Array.from({ length: 6 })) (await peer.next()).status(307, '', { location: '/mcp' });
      expect(await circle).to.include({ code: 'MCPC_HTTP_STATUS', status: 307, delivered: 'rejected' });
      expect(peer.arrivals.size).to.equal(0);
    });

    it('takes one without an address for a refusal', async () => {
      const sent = side.refused(LIST);
      (await peer.next()).status(308);
      expect(await sent).to.include({ code: 'MCPC_HTTP_STATUS', status: 308, delivered: 'rejected' });
    });
  });

  describe('user and password of the endpoint', () => {
    it('become Basic credentials, and never show in errors or logs', async () => {
      side = await stage.side(openStreamable, `http://us%40er:p%C3%A4ss-word@127.0.0.1:${peer.port}/mcp`);
      const sent = side.refused(LIST);
      const post = await peer.next();
      expect(post.headers).to.include({
        authorization: `Basic ${Buffer.from('us@er:päss-word').toString('base64')}`,
      });
      post.status(401);
      const error = await sent;
      expect(`${error.message} ${error.hint} ${side.logged.join()}`).not.to.match(/p(ä|%C3%A4)ss-word/);
    });

    it('give way to other credentials', async () => {
      side = await stage.side(openStreamable, `http://user:pass@127.0.0.1:${peer.port}/mcp`);
      void side.send(LIST, { authorization: 'Bearer one' });
      const post = await peer.next();
      expect(post.headers).to.include({ authorization: 'Bearer one' });
      post.result();
    });

    it('may hold a bare percent sign', async () => {
      side = await stage.side(openStreamable, `http://user:50%@127.0.0.1:${peer.port}/mcp`);
      void side.send(LIST);
      const post = await peer.next();
      expect(post.headers).to.include({
        authorization: `Basic ${Buffer.from('user:50%').toString('base64')}`,
      });
      post.result();
    });
  });

  describe('connections', () => {
    it('that are refused leave the message unsent', async () => {
      await peer.close();
      const error = await side.refused(LIST);
      expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
      expect(error.hint).to.be.a('string');
    });

    it('that break behind the request leave the outcome open', async () => {
      const sent = side.refused(LIST);
      (await peer.next()).socket.resetAndDestroy();
      expect(await sent).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
    });

    it('that end behind the request leave the outcome open', async () => {
      const sent = side.refused(LIST);
      (await peer.next()).cut();
      expect(await sent).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
    });

    it('are made anew where the server has closed them', async () => {
      void side.send(LIST);
      const post = await peer.next();
      post.result();
      await side.message();
      const closed = once(post.socket, 'close');
      post.socket.end();
      await closed;
      void side.send({ id: 2, method: 'ping' });
      (await peer.next()).result();
      expect(await side.message()).to.include({ id: 2 });
    });

    it('are made anew also where the server closes them in this very moment', async () => {
      void side.send(LIST);
      const post = await peer.next();
      post.result();
      await side.message();
      const closed = once(post.socket, 'close');
      post.socket.destroy();
      await closed;
      // The end of the connection is there, but nobody here has read of it.
      void side.send({ id: 2, method: 'ping' });
      (await peer.next()).result();
      expect(await side.message()).to.include({ id: 2 });
    });

    it('carry a reply that is no HTTP to an error', async () => {
      const server = createServer((socket: Socket) =>
        socket.once('data', () => socket.end('220 smtp ready\r\n')),
      );
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      side = await stage.side(openStreamable, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      expect(await side.refused(LIST)).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
      server.close();
      await once(server, 'close');
    });

    it('are made by the pools of the settings, whose own errors are told as they are', async () => {
      const failure = new ConnectorError('MCPC_HTTP_STATUS', 'The proxy says no.', { status: 407 });
      const agent = new Agent();
      agent.createConnection = (_options, done) => {
        done?.(failure, undefined as never);
        return undefined;
      };
      const pools: [string, object][] = [];
      side = await stage.side(openStreamable, peer.url, {
        makeAgent: (url, options) => {
          pools.push([url.href, options]);
          return agent;
        },
      });
      expect(await side.refused(LIST)).to.equal(failure);
      expect(pools.map(([url]) => url)).to.deep.equal([peer.url, peer.url]);
    });

    it('are not kept where the server closes them within a second', async () => {
      const ports: (number | undefined)[] = [];
      for (const timeout of [60, 1, 60]) {
        const sent = side.send({ ...LIST, id: ports.length });
        const post = await peer.next();
        ports.push(post.socket.remotePort);
        post.result({}, { 'keep-alive': `timeout=${timeout}` });
        await sent;
        await side.message();
        await new Promise(setImmediate);
      }
      expect(ports[1]).to.equal(ports[0]);
      expect(ports[2]).not.to.equal(ports[1]);
    });

    for (const [where, settings] of [
      ['directly', {}],
      ['over the pools of the settings', { makeAgent: () => new Agent({ keepAlive: true }) }],
    ] as const) {
      it(`are not used again once they speak another protocol, ${where}`, async () => {
        side = await stage.side(openStreamable, peer.url, settings);
        const refused = side.refused(LIST);
        (await peer.next()).socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
        expect(await refused).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
        void side.send(LIST);
        (await peer.next()).result();
        expect(await side.message()).to.include({ id: LIST.id });
      });
    }

    it('that a request still waits for leave it to be taken back', async () => {
      side = await stage.side(openStreamable, peer.url, {
        makeAgent: () => new Agent({ keepAlive: true, maxSockets: 1 }),
      });
      for (const id of [1, 2, 3]) void side.send({ ...LIST, id });
      const post = await peer.next();
      expect([1, 2, 2].map((id) => side.withdraw(id))).to.deep.equal([false, true, false]);
      post.result();
      await side.message();
      const last = await peer.next();
      expect(last.message.id).to.equal(3);
      last.result();
      await side.message();
    });

    it('are given up when they are not made in time', async () => {
      // It takes the connection and never says a word of TLS.
      const sockets: Socket[] = [];
      const server = createServer((socket: Socket) => sockets.push(socket));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      side = await stage.side(openStreamable, `https://127.0.0.1:${port}/mcp`, { timeout: 100 });
      expect(await side.refused(LIST)).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
  });

  it('carries 300 requests at once', async () => {
    const count = 300;
    const ids = Array.from({ length: count }, (_, index) => index);
    void Promise.all(ids.map((id) => side.send({ id, method: 'tools/list' })));
    // The last ones wait for a connection; what is urgent does not.
    const held = await Promise.all(ids.slice(0, 256).map(() => peer.next()));
    const urgent = side.send({ method: 'notifications/roots/list_changed' });
    (await peer.arrivals.take(({ message }) => message.id === undefined)).status(202);
    await urgent;
    for (const post of held.toReversed()) post.result({ id: post.message.id });
    for (const _ of ids.slice(256)) {
      const post = await peer.next();
      post.result({ id: post.message.id });
    }
    const seen = new Set<unknown>();
    for (const _ of ids) {
      const { id, result } = await side.message();
      expect(result).to.deep.equal({ id });
      seen.add(id);
    }
    expect(seen.size).to.equal(count);
    expect(side.lost.size).to.equal(0);
  });

  describe('over TLS', () => {
    let ca: { cert: string; key: string };
    let server: { cert: string; key: string };

    before(async () => {
      ca = await certify('A private authority');
      server = await certify('localhost', ca);
    });

    it('trusts the authority that it is given', async () => {
      peer = await stage.peer(server);
      side = await stage.side(openStreamable, peer.url, { tls: { ca: ca.cert } });
      void side.send(LIST);
      const post = await peer.next();
      expect(post.socket).to.be.instanceOf(TLSSocket);
      post.result();
      expect(await side.message()).to.include({ id: 1 });
    });

    it('trusts no other one, sends nothing, and says what to do', async () => {
      peer = await stage.peer(server);
      side = await stage.side(openStreamable, peer.url);
      const error = await side.refused(LIST);
      expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no', lasting: true });
      expect(error.cause).to.include({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
      expect(error.hint).to.include('--ca');
      expect(peer.log).to.deep.equal([]);
    });

    it('refuses a certificate for another name, unless that name is given', async () => {
      peer = await stage.peer(await certify('inner.example', ca));
      side = await stage.side(openStreamable, peer.url, { tls: { ca: ca.cert } });
      const error = await side.refused(LIST);
      expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no', lasting: true });
      expect(error.cause).to.include({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
      expect(error.hint).to.include('--servername');

      side = await stage.side(openStreamable, peer.url, {
        tls: { ca: ca.cert, servername: 'inner.example' },
      });
      void side.send(LIST);
      (await peer.next()).result();
      expect(await side.message()).to.include({ id: 1 });
    });

    it('shows its own certificate', async () => {
      const client = await certify('client.example', ca);
      peer = await stage.peer({ ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true });
      side = await stage.side(openStreamable, peer.url, { tls: { ca: ca.cert, ...client } });
      void side.send(LIST);
      const post = await peer.next();
      expect((post.socket as TLSSocket).getPeerCertificate().subject).to.include({ CN: 'client.example' });
      post.result();
      expect(await side.message()).to.include({ id: 1 });
    });

    for (const [version, code] of [
      ['TLSv1.2', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'],
      ['TLSv1.3', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
    ] as const) {
      it(`knows that a server which misses our certificate carried nothing out (${version})`, async () => {
        const versions = { minVersion: version, maxVersion: version };
        peer = await stage.peer({
          ...server,
          ...versions,
          ca: ca.cert,
          requestCert: true,
          rejectUnauthorized: true,
        });
        side = await stage.side(openStreamable, peer.url, { tls: { ca: ca.cert } });
        const error = await side.refused(LIST);
        expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no', lasting: true });
        expect(error.cause).to.include({ code });
        expect(error.hint).to.include('--cert');
        expect(peer.log).to.deep.equal([]);
      });
    }

    it('says that a server without TLS may be one', async () => {
      side = await stage.side(openStreamable, `https://127.0.0.1:${peer.port}/mcp`);
      const error = await side.refused(LIST);
      expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no', lasting: true });
      expect(error.hint).to.include('http://');
    });
  });
});
