import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cut, inTurn, scriptedHttp, scriptedTcp } from '@mcp-connect/testing';
import { expect } from 'chai';
import { ProxyProcess, type Message } from './proxy-process.js';
import { fixture, serveFeaturesOverHttp, serveModernOverHttp } from './servers.js';

const isOurs = ({ method, params }: Message): boolean =>
  method === 'notifications/message' && params?.['logger'] === 'mcp-connect';

function sentBy(proxy: ProxyProcess): Message[] {
  return proxy.lines.map((line) => JSON.parse(line) as Message);
}

describe('the log', () => {
  const open: { close(): Promise<void> }[] = [];

  afterEach(() => Promise.all(open.splice(0).map((each) => each.close())));

  async function started<T extends { close(): Promise<void> }>(peer: Promise<T>): Promise<T> {
    open.push(await peer);
    return peer;
  }

  function proxyTo(endpoint: string, ...flags: readonly string[]): ProxyProcess {
    return new ProxyProcess(['proxy', '--endpoint', endpoint, ...flags]);
  }

  it('--debug: lines come to the client too, but none before it is ready', async () => {
    const { url } = await started(serveFeaturesOverHttp());
    const proxy = proxyTo(url, '--debug');
    await proxy.initialize();
    await proxy.message(isOurs);
    await proxy.end();
    const sent = sentBy(proxy);
    const answered = sent.findIndex(({ id }) => id === 'init');
    expect(answered).to.be.at.least(0);
    expect(sent.findIndex(isOurs)).to.be.greaterThan(answered);
    for (const { params } of sent.filter(isOurs)) {
      expect(params).to.have.keys('level', 'logger', 'data');
      expect(params?.['data'])
        .to.be.a('string')
        .that.does.not.include('\u001b')
        .and.not.match(/\d\d:\d\d:\d\d/);
    }
    expect(proxy.stderr).to.match(/^debug mcp-connect:/m);
  });

  it('--debug: the level that the client sets holds for our lines, and the server hears of it', async () => {
    const server = await started(serveFeaturesOverHttp());
    const proxy = proxyTo(server.url, '--debug');
    await proxy.initialize();
    await proxy.message(isOurs);
    await proxy.request(1, 'logging/setLevel', { level: 'error' });
    expect(server.requests.some(({ body }) => body.includes('logging/setLevel'))).to.equal(true);
    const before = proxy.lines.length;
    for (let id = 2; id < 6; id++) await proxy.request(id, 'ping');
    expect(sentBy(proxy).slice(before).filter(isOurs)).to.deep.equal([]);
    await proxy.end();
  });

  it('--debug: where the server does not log, logging is ours alone', async () => {
    const server = await started(scriptedHttp(() => undefined));
    const proxy = proxyTo(server.endpoint.url!.href, '--debug');
    const { result } = await proxy.initialize();
    expect(result?.['capabilities']).to.have.property('logging');
    await proxy.message(isOurs);
    expect((await proxy.request(1, 'logging/setLevel', { level: 'emergency' })).result).to.deep.equal({});
    expect((await proxy.request(2, 'logging/setLevel', { level: 'loud' })).error?.code).to.equal(-32_602);
    expect(server.executions('logging/setLevel')).to.equal(0);
    const before = proxy.lines.length;
    await proxy.request(3, 'ping');
    expect(sentBy(proxy).slice(before).filter(isOurs)).to.deep.equal([]);
    await proxy.end();
  });

  it('otherwise: warnings alone, and only to clients whose server logs', async () => {
    const { url } = await started(serveFeaturesOverHttp());
    const proxy = proxyTo(url, '--log-level', 'debug');
    await proxy.initialize();
    await proxy.request(1, 'ping');
    await proxy.end();
    expect(proxy.stderr).to.match(/^debug mcp-connect:/m);
    expect(sentBy(proxy).filter(isOurs)).to.deep.equal([]);

    const silent = await started(scriptedTcp(inTurn('tools/call', cut())));
    const other = proxyTo(silent.endpoint.url!.href);
    await other.initialize();
    await other.request(1, 'tools/call', { name: 'x' });
    await other.log(/^warn /m);
    await other.end();
    expect(sentBy(other).filter(isOurs)).to.deep.equal([]);
  });

  it('otherwise: a warning comes as a log message', async () => {
    // The program is killed by the call, which is what the warning is about.
    const proxy = new ProxyProcess(['proxy', '--', ...fixture('feature-stdio')]);
    await proxy.initialize();
    const { result } = await proxy.request(1, 'tools/call', { name: 'pid', arguments: {} });
    const [{ text }] = result!['content'] as [{ text: string }];
    process.kill(Number(text), 'SIGKILL');
    const { params } = await proxy.message(isOurs);
    expect(params?.['level']).to.equal('warning');
    await proxy.end();
  });

  it('2026-07-28: lines come for a request that asks for them, before its answer', async () => {
    const { url } = await started(serveModernOverHttp());
    const proxy = proxyTo(url, '--debug');
    const call = (id: number, more: object): Promise<Message> =>
      proxy.request(id, 'tools/call', {
        name: 'echo',
        arguments: { text: 'hi' },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
          ...more,
        },
      });
    await call(1, {});
    expect(sentBy(proxy).filter(isOurs)).to.deep.equal([]);
    await call(2, { 'io.modelcontextprotocol/logLevel': 'debug' });
    const sent = sentBy(proxy);
    expect(sent.findIndex(isOurs)).to.be.at.least(0);
    expect(sent.findLastIndex(isOurs)).to.be.lessThan(sent.findIndex(({ id }) => id === 2));
    await proxy.end();
  });

  it('a file gets it as well, as JSON with times, for its user alone and without secrets', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcpc-log-'));
    open.push({ close: () => rm(folder, { recursive: true }) });
    const { url } = await started(serveFeaturesOverHttp());
    const path = join(folder, 'mcp.log');
    const flags = ['--log-file', path, '--log-format', 'json', '--log-level', 'trace'];
    const proxy = proxyTo(url, ...flags, '--auth-token', 'tok-secret');
    await proxy.initialize();
    await proxy.end();
    const text = await readFile(path, 'utf8');
    for (const line of text.trimEnd().split('\n'))
      expect(JSON.parse(line)).to.have.keys('time', 'level', 'namespace', 'message');
    expect(text).not.to.include('tok-secret');
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(
      proxy.stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).to.not.be.empty;
  });

  it('DEBUG names what is logged, and no other package joins in', async () => {
    const { url } = await started(serveFeaturesOverHttp());
    const proxy = new ProxyProcess(['proxy', '--endpoint', url], { DEBUG: 'mcp-connect:line,express:*' });
    await proxy.initialize();
    await proxy.end();
    const namespaces = new Set([...proxy.stderr.matchAll(/^\w+ ([^ ]+): /gm)].map(([, name]) => name));
    expect([...namespaces]).to.deep.equal(['mcp-connect:line']);
  });

  it('a log file that cannot be written is told at start', async () => {
    const proxy = new ProxyProcess([
      'proxy',
      '--endpoint',
      'http://127.0.0.1:9/',
      '--log-file',
      '/no/such/x.log',
    ]);
    expect(await proxy.exit).to.deep.equal({ code: 2, signal: null });
    expect(proxy.stderr).to.match(/^mcp-connect: [^\n]*--log-file[^\n]*\n$/);
  });
});
