import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { startForwardProxy, type ForwardProxy } from '../fixtures/forward-proxy.js';
import { serveProtected } from '../fixtures/protected-server.js';
import { Desk } from './desk.js';
import { ProxyProcess, runCommand } from './proxy-process.js';
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
    proxy = await startForwardProxy({ user: 'clerk:open-sesame', name: NAME });
    secureUrl = await withTls(new URL(server.url).port);
  });

  after(async () => {
    await proxy.close();
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
    const before = proxy.requests.length;
    const env = {
      HTTPS_PROXY: `http://clerk:open-sesame@127.0.0.1:${proxy.port}`,
      MCP_CONNECT_CA: path.join(folder, 'ca.pem'),
    };
    const { seen, stderr } = await handshake(['--endpoint', secureUrl, '--debug'], env);
    expect(seen).to.deep.equal(FEATURES);
    expect(new Set(proxy.requests.slice(before))).to.deep.equal(
      new Set([`CONNECT ${new URL(secureUrl).host}`]),
    );
    expect(stderr).not.to.include('open-sesame');
    expect(new Set(server.requests.map(({ verb }) => verb))).to.deep.equal(
      new Set(['POST', 'GET', 'DELETE']),
    );
  });

  it('is crossed by HTTP_PROXY', async () => {
    const before = proxy.requests.length;
    const env = { http_proxy: `clerk:open-sesame@127.0.0.1:${proxy.port}` };
    const url = server.url.replace('127.0.0.1', NAME);
    expect((await handshake(['--endpoint', url], env)).seen).to.deep.equal(FEATURES);
    expect(proxy.requests.slice(before)).to.include.members([`POST ${url}`, `DELETE ${url}`]);
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

  it('is crossed by a sign-in, from its first question to its token', async () => {
    const [desk, guarded] = [await Desk.open('browser'), await serveProtected()];
    closing.push(
      () => desk.close(),
      () => guarded.close(),
    );
    const before = proxy.requests.length;
    const flags = ['--endpoint', guarded.url, '--proxy', `http://clerk:open-sesame@127.0.0.1:${proxy.port}`];
    const { code, stderr } = await runCommand(['login', ...flags], desk.env);
    expect(code, stderr).to.equal(0);
    const paths = proxy.requests.slice(before).map((request) => new URL(request.split(' ')[1]!).pathname);
    // What is not among them is what the browser asks for.
    const ours = guarded.authorization.requests
      .map(({ path: asked }) => asked)
      .filter((asked) => !/^\/(auth|interaction)/.test(asked));
    expect(ours).to.include.members(['/reg', '/token']);
    expect(paths).to.include.members(['/mcp', ...ours]);
  });

  it('is named when it is not there, and the server is not', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const flags = ['--endpoint', secureUrl, '--proxy', dead.replace('//', '//clerk:open-sesame@'), '--json'];
    const { code, stdout } = await runCommand(['test', ...flags]);
    expect(code).to.equal(1);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string; hint: string } };
    expect(error.code).to.equal('MCPC_CONNECT');
    expect(error.message).to.include(dead);
    expect(error.hint).to.include('--proxy').and.include(`--no-proxy ${NAME}`);
    expect(stdout).not.to.include('open-sesame');
  });

  it('is left aside for the hosts of NO_PROXY', async () => {
    const before = proxy.requests.length;
    const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: 'other.test, .test' };
    const url = server.url.replace('127.0.0.1', NAME);
    const { code, stdout } = await runCommand(['test', '--endpoint', url, '--json'], env);
    expect(code).to.equal(1);
    // Nobody but the proxy can look the name up.
    expect(JSON.parse(stdout)).to.have.nested.property('steps[0].name', 'resolve');
    expect(proxy.requests).to.have.length(before);
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
