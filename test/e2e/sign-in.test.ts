import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect } from 'chai';
import { browse } from '../fixtures/browser.js';
import {
  serveProtected,
  type ProtectedServer,
  type ProtectedServerOptions,
} from '../fixtures/protected-server.js';
import { Desk } from './desk.js';
import { mcpConnect, ProxyProcess } from './proxy-process.js';
import { freePort } from './servers.js';

const MODERN = '2026-07-28';

describe('signing in', () => {
  let server: ProtectedServer;
  let desk: Desk;
  const running: ProxyProcess[] = [];

  beforeEach(async () => {
    desk = await Desk.open();
    server = await serveProtected();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((proxy) => proxy.stop()));
    await server.close();
    await desk.close();
  });

  /** Serves with other options than usual. */
  async function serve(options: ProtectedServerOptions): Promise<void> {
    await server.close();
    server = await serveProtected(options);
  }

  function start(...flags: readonly string[]): ProxyProcess {
    const command = flags[0]?.startsWith('--') === false ? [] : ['proxy'];
    const proxy = new ProxyProcess([...command, ...flags, '--endpoint', server.url], desk.env);
    running.push(proxy);
    return proxy;
  }

  async function toolsOf(proxy: ProxyProcess, id: string): Promise<string[]> {
    const { result } = await proxy.request(id, 'tools/list');
    const { tools = [] } = (result ?? {}) as { tools?: { name: string }[] };
    return tools.map(({ name }) => name);
  }

  async function echo(proxy: ProxyProcess, id: string): ReturnType<ProxyProcess['request']> {
    return proxy.request(id, 'tools/call', { name: 'echo', arguments: { text: id } });
  }

  it('happens when a server asks for it, without a flag; a second start opens no tab and asks nobody', async () => {
    const first = start('--auth-wait');
    const greeting = first.initialize();
    await browse(await desk.opened.next());
    expect((await greeting).result?.['serverInfo']).to.include({ name: 'feature-server' });
    expect((await echo(first, 'one')).error).to.equal(undefined);
    await first.end();

    const asked = server.authorization.requests.length;
    const second = start();
    expect((await second.initialize()).result?.['serverInfo']).to.include({ name: 'feature-server' });
    expect(await toolsOf(second, 'list')).to.include('echo');
    await second.end();
    expect(server.authorization.requests).to.have.length(asked);
    expect(desk.tabs).to.have.length(1);
    expect(server.tokens).to.have.length(1);
  });

  it('is not needed by whoever brings a token, even a wrong one', async () => {
    const proxy = start('--auth-token', 'of-my-own');
    const { error } = await proxy.initialize();
    expect(error?.data).to.include({ code: 'MCPC_UNAUTHORIZED' });
    expect(server.authorization.requests).to.deep.equal([]);
    expect(desk.tabs).to.deep.equal([]);
  });

  describe('while the user takes their time', () => {
    it('initialize is answered with the address; the session begins when the user is done', async () => {
      const proxy = start();
      const { result } = await proxy.initialize();
      const address = await desk.opened.next();
      expect(result?.['instructions']).to.contain(address);
      expect(proxy.stderr).to.contain(address);
      expect(result).to.deep.include({ protocolVersion: '2025-11-25' });
      expect(result?.['capabilities']).to.have.keys('tools', 'prompts', 'resources', 'logging');

      expect(await toolsOf(proxy, 'before')).to.deep.equal([]);
      expect((await proxy.request('r', 'resources/list')).result).to.deep.equal({ resources: [] });
      expect((await proxy.request('p', 'ping')).result).to.deep.equal({});
      const { error } = await echo(proxy, 'too early');
      expect(error?.code).to.equal(-32_603);
      expect(error?.data).to.include({ source: 'mcp-connect', code: 'MCPC_UNAUTHORIZED', executed: 'no' });
      expect(error?.data?.['hint']).to.contain(address);

      await browse(address);
      for (const list of ['tools', 'prompts', 'resources'])
        await proxy.message(({ method }) => method === `notifications/${list}/list_changed`);
      expect(await toolsOf(proxy, 'after')).to.include('echo');
      expect((await echo(proxy, 'now')).result?.['content']).to.deep.equal([{ type: 'text', text: 'now' }]);
      expect(await proxy.end()).to.deep.equal({ code: 0, signal: null });
    });

    it('a client of 2026-07-28 is told the same by discover and by errors, in one tab', async () => {
      const client = new Client(
        { name: 'modern', version: '1.0.0' },
        { versionNegotiation: { mode: { pin: MODERN } } },
      );
      const { command, args, env } = mcpConnect(['proxy', '--endpoint', server.url], desk.env);
      await client.connect(new StdioClientTransport({ command, args, env, stderr: 'ignore' }));
      const address = await desk.opened.next();
      expect(client.getInstructions()).to.contain(address);
      expect((await client.listTools()).tools).to.deep.equal([]);
      const error = await client
        .callTool({ name: 'echo', arguments: {} })
        .catch((failure: unknown) => failure);
      expect((error as Error).message).to.contain(address);
      // It starts the program twice, the first time only to see which revision it speaks.
      expect(desk.tabs).to.have.length(1);
      await browse(address);
      await client.close();
    });

    it('leaves as soon as the client does', async () => {
      const proxy = start();
      await proxy.initialize();
      expect(await proxy.end()).to.deep.equal({ code: 0, signal: null });
      expect(proxy.stderr)
        .to.include('the sign-in failed')
        .and.not.match(/[ \t]$/m);
    });
  });

  describe('that comes to nothing', () => {
    it('because the user said no, is told with what to type, and a call tries again', async () => {
      await serve({ consent: 'deny' });
      const proxy = start();
      await proxy.initialize();
      const refused = proxy.log(/the sign-in failed/);
      await browse(await desk.opened.next());
      await refused;
      const { error } = await echo(proxy, 'denied');
      expect(error?.data).to.include({ source: 'mcp-connect', code: 'MCPC_SIGN_IN' });
      expect(error?.data?.['hint']).to.be.a('string').and.not.equal('');
    });

    it('because the port is taken, names the port and the flag', async () => {
      const port = Number(new URL(server.url).port);
      const proxy = start('--callback-port', String(port));
      const { error } = await proxy.initialize();
      expect(error?.data).to.include({ code: 'MCPC_SIGN_IN' });
      expect(error?.message).to.contain(String(port));
      expect(error?.data?.['hint']).to.contain('--callback-port');
    });
  });

  it('shows no secret, whatever is logged', async () => {
    const proxy = new ProxyProcess(
      ['proxy', '--endpoint', server.url, '--auth-wait', '--log-level', 'trace'],
      {
        ...desk.env,
        DEBUG: '*',
      },
    );
    running.push(proxy);
    const greeting = proxy.initialize();
    const last = await browse(await desk.opened.next());
    await greeting;
    await echo(proxy, 'one');
    await proxy.end();
    const code = new URL(last).searchParams.get('code');
    const exchange = server.authorization.requests.find(({ path }) => path === '/token')!;
    const secrets = [code, exchange.body.get('code_verifier'), ...server.tokens];
    expect(secrets).to.have.length.above(2);
    for (const secret of secrets) {
      expect(secret).to.be.a('string');
      expect(proxy.stderr).not.to.contain(secret);
    }
  });

  describe('in five copies at once', () => {
    async function copies(): Promise<ProxyProcess[]> {
      const all = Array.from({ length: 5 }, () => start());
      await Promise.all(all.map((proxy) => proxy.initialize()));
      return all;
    }

    async function allSignedIn(proxies: readonly ProxyProcess[]): Promise<void> {
      await Promise.all(
        proxies.map((proxy) => proxy.message(({ method }) => method === 'notifications/tools/list_changed')),
      );
      for (const [at, proxy] of proxies.entries())
        expect((await echo(proxy, `copy ${at}`)).error).to.equal(undefined);
    }

    it('opens one tab, whose address all can tell, and all share one token', async function () {
      this.timeout(60_000);
      const all = await copies();
      const tab = await desk.opened.next();
      for (const [at, proxy] of all.entries())
        expect((await echo(proxy, `early ${at}`)).error?.data?.['hint']).to.contain(tab);
      await browse(tab);
      await allSignedIn(all);
      expect(desk.tabs).to.have.length(1);
      expect(server.tokens).to.have.length(1);
    });

    it('goes on with the next one when the first is killed after 200 ms', async function () {
      this.timeout(60_000);
      const [first, ...others] = Array.from({ length: 5 }, () => start());
      const greeted = [first!, ...others].map((proxy) => proxy.initialize().catch(() => undefined));
      await new Promise((resolve) => setTimeout(resolve, 200));
      await first!.signal('SIGKILL');
      await Promise.all(greeted);
      await browse(await desk.opened.next());
      await allSignedIn(others);
      expect(desk.tabs).to.have.length(1);
      expect(server.tokens).to.have.length(1);
    });

    it('lets the next one hear of the tab when its owner is killed', async function () {
      this.timeout(60_000);
      const all = await copies();
      const tab = await desk.opened.next();
      const owner = all.find(({ stderr }) => stderr.includes(tab))!;
      await owner.signal('SIGKILL');
      const others = all.filter((proxy) => proxy !== owner);
      await Promise.race(others.map((proxy) => proxy.log(/sign in at/)));
      await browse(tab);
      await allSignedIn(others);
      expect(desk.tabs).to.have.length(1);
      expect(server.tokens).to.have.length(1);
    });
  });

  it('by hand, as the manual shows it, looks nothing up', async () => {
    const redirect = `http://localhost:${await freePort()}/callback`;
    await serve({
      clients: [{ client_id: 'mine', client_secret: 'a-secret-of-mine', redirect_uris: [redirect] }],
    });
    const { issuer } = server.authorization;
    const line = `auth-proxy --client-id mine --client-secret a-secret-of-mine --auth-url ${issuer}/auth --token-url ${issuer}/token --redirect-url ${redirect} --scopes mcp:read,mcp:write --debug --auth-wait`;
    const proxy = start(...line.split(' '));
    const greeting = proxy.initialize();
    const address = new URL(await desk.opened.next());
    expect(Object.fromEntries(address.searchParams)).to.include({
      client_id: 'mine',
      redirect_uri: redirect,
      scope: 'mcp:read mcp:write',
    });
    await browse(address.href);
    expect((await greeting).result?.['serverInfo']).to.include({ name: 'feature-server' });
    const paths = server.authorization.requests.map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith('/.well-known') || path === '/reg')).to.deep.equal([]);
    expect(proxy.stderr).not.to.contain('a-secret-of-mine');
  });
});
