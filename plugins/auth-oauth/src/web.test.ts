import { once } from 'node:events';
import { createServer as createHttpServer, get } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createLog, DEFAULT_SETTINGS, agentFor, type Settings } from '@mcp-connect/core';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import type { AuthorizationServer, ClientIdentity } from './model.js';
import { guardedAgent } from './network.js';
import { TokenClient } from './tokens.js';
import { Web } from './web.js';

const log = createLog({ level: 'error', write: () => undefined });
const CLIENT: ClientIdentity = { id: 'us', authMethod: 'none', origin: 'registered' };

/** Makes a key and a certificate for the loopback address. */
async function certify(): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  return { cert: made.cert, key: made.private };
}

describe('Requests to authorization servers', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.close();
      await once(server, 'close');
    }
  });

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** Asks for metadata and for a token, which take different ways. Returns the replies. */
  async function ask(origin: string, settings: Partial<Settings>): Promise<unknown[]> {
    const web = new Web({
      endpoint: new URL('http://127.0.0.1/mcp'),
      settings: { ...DEFAULT_SETTINGS, ...settings },
      log,
    });
    const server: AuthorizationServer = {
      issuer: origin,
      source: 'metadata',
      tokenEndpoint: `${origin}/token`,
      namesItself: false,
      takesMetadataDocuments: false,
    };
    const tokens = new TokenClient({ web, server, client: CLIENT, log });
    return Promise.all([
      web.request(new URL(origin), { what: 'it' }).then(
        ({ status }) => status,
        (error: unknown) => error,
      ),
      tokens.grant('client_credentials', {}).then(
        ({ accessToken }) => accessToken,
        (error: unknown) => error,
      ),
    ]);
  }

  describe('over TLS', () => {
    let origin: string;
    let ours: { cert: string; key: string };
    let theirs: { cert: string; key: string };
    before(async () => {
      ours = await certify();
      theirs = await certify();
    });
    beforeEach(async () => {
      const server = createServer({ ...theirs, ca: ours.cert, requestCert: true, rejectUnauthorized: false });
      server.on('request', ({ socket }, response) => {
        const known = (socket as TLSSocket).authorized;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ access_token: known ? 'known' : 'unknown', token_type: 'Bearer' }));
      });
      origin = `https://localhost:${await listen(server)}`;
    });

    it('trust the authorities that the user named', async () => {
      expect(await ask(origin, { tls: { ca: theirs.cert } })).to.deep.equal([200, 'unknown']);
    });

    it('show the certificate that the user gave', async () => {
      expect(await ask(origin, { tls: { ca: theirs.cert, ...ours } })).to.deep.equal([200, 'known']);
    });

    it('trust nobody else', async () => {
      for (const error of await ask(origin, {})) expect(error).to.include({ code: 'MCPC_CONNECT' });
    });

    it('do not expect the name of the MCP server', async () => {
      const tls = { ca: theirs.cert, servername: 'mcp.example' };
      expect(await ask(origin, { tls })).to.deep.equal([200, 'unknown']);
    });
  });

  it('take the way through the network that everything takes', async () => {
    const server = createHttpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"abc"}');
    });
    const origin = `http://127.0.0.1:${await listen(server)}`;
    const asked: string[] = [];
    const makeAgent: Settings['makeAgent'] = (url) => {
      asked.push(url.href);
      return undefined;
    };
    expect(await ask(origin, { makeAgent })).to.deep.equal([200, 'abc']);
    expect(asked).to.have.members([`${origin}/`, `${origin}/token`]);
  });

  it('are stopped where a name leads out of bounds, at the moment of connecting', async () => {
    let reached = 0;
    const port = await listen(createHttpServer((_, response) => response.end(String(++reached))));
    const made = await agentFor(DEFAULT_SETTINGS, new URL('http://localhost'));
    const agent = guardedAgent(made, { allows: (reach) => reach !== 'loopback' });
    const [error] = (await once(get({ agent, port, host: 'localhost' }), 'error')) as [NodeJS.ErrnoException];
    expect(error.code).to.equal('ERR_OUT_OF_BOUNDS');
    expect(reached).to.equal(0);
  });
});
