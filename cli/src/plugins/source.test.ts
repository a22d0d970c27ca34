import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkedSource, checkLinked } from './source.js';

const PACKAGES: Readonly<Record<string, object>> = {
  'mcp-good': { keywords: ['mcp-connect-plugin'], oclif: {} },
  'mcp-bare': { keywords: ['mcp-connect-plugin'] },
  other: { keywords: ['something'] },
};

describe('what is to be installed', function () {
  this.timeout(20_000);
  let server: Server;
  let registry: string;
  let data: string;

  before(async () => {
    data = mkdtempSync(join(tmpdir(), 'mcp-connect-source-'));
    server = createServer((request, response) => {
      const name = decodeURIComponent(request.url!.slice(1));
      const manifest = PACKAGES[name];
      const version = { name, version: '1.0.0', ...manifest };
      response.writeHead(manifest === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(data, { recursive: true });
  });

  async function codeOf(source: string, from = registry): Promise<unknown> {
    return checkedSource(source, { data, registry: from }).catch(
      (error: unknown) => (error as { code: unknown }).code,
    );
  }

  it('is a plugin of the registry', async () => {
    expect(await codeOf('mcp-good')).to.equal('mcp-good');
    for (const source of ['mcp-bare', 'other', '@acme/missing', 'mcp-good@9'])
      expect(await codeOf(source), source).to.equal('MCPC_USAGE');
  });

  it('is told from a registry that cannot be reached', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    expect(await codeOf('mcp-good', `http://127.0.0.1:${port}/`)).to.equal('MCPC_CONNECT');
  });

  it('is a local package by its path, and whatever else npm takes', async () => {
    const tarball = join(data, 'x.tgz');
    writeFileSync(tarball, '');
    expect(await codeOf(`file:${tarball}`)).to.equal(`file:${tarball}`);
    expect(await codeOf(tarball)).to.equal(`file:${tarball}`);
    expect(await codeOf('./none.tgz')).to.equal('MCPC_USAGE');
    expect(await codeOf('git+https://git.example/a/b.git')).to.equal('git+https://git.example/a/b.git');
  });

  it('is not linked without a package', () => {
    expect(() => checkLinked(data))
      .to.throw(data)
      .with.property('code', 'MCPC_USAGE');
  });
});
