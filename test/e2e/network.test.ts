import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { Server as ForwardProxy } from 'proxy-chain';
import { generate } from 'selfsigned';
import { ProxyProcess } from './proxy-process.js';
import { freePort, serveFeaturesOverHttp, type HttpPeer } from './servers.js';

/** A name that only the forward proxy of these tests can look up. */
const NAME = 'mcp.test';
const FEATURES = { name: 'feature-server', version: '1.0.0' };

describe('a network with a proxy and an authority of its own', () => {
  let folder: string;
  let server: HttpPeer;
  let secureUrl: string;
  let proxy: ForwardProxy;
  const closing: (() => unknown)[] = [];

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'mcp-connect-'));
    server = await serveFeaturesOverHttp();
    proxy = new ForwardProxy({
      port: 0,
      host: '127.0.0.1',
      prepareRequestFunction: ({ username, password }) => ({
        requestAuthentication: `${username}:${password}` !== 'clerk:open-sesame',
        dnsLookup: ((_name: string, _options: object, done: (...found: unknown[]) => void) =>
          done(null, [{ address: '127.0.0.1', family: 4 }])) as never,
      }),
    });
    await proxy.listen();
    secureUrl = await withTls(new URL(server.url).port);
  });

  after(async () => {
    await proxy.close(true);
    await server.close();
    for (const close of closing) close();
    rmSync(folder, { recursive: true });
  });

  /** Puts TLS with a certificate of a private authority in front of the server. */
  async function withTls(port: string): Promise<string> {
    const ca = await generate([{ name: 'commonName', value: 'A private authority' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, critical: true },
      ],
    });
    const made = await generate([{ name: 'commonName', value: NAME }], {
      keyType: 'ec',
      algorithm: 'sha256',
      ca: { cert: ca.cert, key: ca.private },
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: NAME }] }],
    });
    writeFileSync(path.join(folder, 'ca.pem'), ca.cert);
    const front = createServer({ cert: made.cert, key: made.private }, (request, response) => {
      const { method, headers } = request;
      const behind = httpRequest({ port, host: '127.0.0.1', path: '/mcp', method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      behind.on('error', () => response.destroy());
      response.on('close', () => behind.destroy());
      request.pipe(behind);
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    closing.push(() => {
      front.closeAllConnections();
      front.close();
    });
    return `https://${NAME}:${(front.address() as AddressInfo).port}/mcp`;
  }

  /** Goes through the handshake; returns the server's name, or our error. */
  async function handshake(
    flags: readonly string[],
    env: Record<string, string>,
  ): Promise<{ seen: unknown; stderr: string }> {
    const running = new ProxyProcess(['proxy', ...flags, '--timeout', '5'], env);
    const { result, error } = await running.initialize();
    expect(await running.end()).to.deep.equal({ code: 0, signal: null });
    return { seen: result?.['serverInfo'] ?? error?.data, stderr: running.stderr };
  }

  it('is crossed by HTTPS_PROXY and --ca, stream of news and all', async () => {
    const tunnels = proxy.stats.connectRequestCount;
    const env = {
      HTTPS_PROXY: `http://clerk:open-sesame@127.0.0.1:${proxy.port}`,
      MCP_CONNECT_CA: path.join(folder, 'ca.pem'),
    };
    const { seen, stderr } = await handshake(['--endpoint', secureUrl, '--debug'], env);
    expect(seen).to.deep.equal(FEATURES);
    expect(proxy.stats.connectRequestCount).to.be.greaterThan(tunnels);
    expect(stderr).not.to.include('open-sesame');
    expect(new Set(server.requests.map(({ verb }) => verb))).to.deep.equal(
      new Set(['POST', 'GET', 'DELETE']),
    );
  });

  it('is crossed by HTTP_PROXY', async () => {
    const requests = proxy.stats.httpRequestCount;
    const env = { http_proxy: `clerk:open-sesame@127.0.0.1:${proxy.port}` };
    const url = server.url.replace('127.0.0.1', NAME);
    expect((await handshake(['--endpoint', url], env)).seen).to.deep.equal(FEATURES);
    expect(proxy.stats.httpRequestCount).to.be.greaterThan(requests);
  });

  it('is told apart from the server when the proxy asks for a password', async () => {
    const where = `http://127.0.0.1:${proxy.port}`;
    for (const [source, flags, env] of [
      ['HTTPS_PROXY', [], { HTTPS_PROXY: where }],
      ['--proxy', ['--proxy', where.replace('//', '//clerk:${GUESS}@')], { GUESS: 'wrong-word' }],
    ] as const) {
      const { seen } = await handshake(['--endpoint', secureUrl, ...flags], env);
      expect(seen).to.include({ code: 'MCPC_HTTP_STATUS', executed: 'no' });
      expect((seen as { hint: string }).hint).to.include(source);
      expect(JSON.stringify(seen)).to.include(where).and.not.include('wrong-word');
    }
  });

  it('does not come between us and this machine', async () => {
    const env = { ALL_PROXY: `http://127.0.0.1:${await freePort()}` };
    expect((await handshake(['--endpoint', server.url], env)).seen).to.deep.equal(FEATURES);
  });

  it('is trusted blindly with --insecure, which says so', async () => {
    const env = { HTTPS_PROXY: `http://clerk:open-sesame@127.0.0.1:${proxy.port}` };
    const { seen, stderr } = await handshake(['--endpoint', secureUrl, '--insecure'], env);
    expect(seen).to.deep.equal(FEATURES);
    expect(stderr).to.match(/^warn .*--insecure/m);
  });
});
