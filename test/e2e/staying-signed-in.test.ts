import { expect } from 'chai';
import { browse } from '../fixtures/browser.js';
import {
  serveProtected,
  type ProtectedServer,
  type ProtectedServerOptions,
} from '../fixtures/protected-server.js';
import { Desk } from './desk.js';
import { ProxyProcess, type Message } from './proxy-process.js';

const SECRET = 'a-secret-of-many-letters';
const MACHINE = {
  client_id: 'machine',
  client_secret: SECRET,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
};

describe('staying signed in', () => {
  let server: ProtectedServer;
  let desk: Desk;
  const running: ProxyProcess[] = [];

  afterEach(async () => {
    await Promise.all(running.splice(0).map((proxy) => proxy.stop()));
    await server.close();
    await desk.close();
  });

  async function serve(options: ProtectedServerOptions = {}): Promise<void> {
    desk = await Desk.open();
    server = await serveProtected(options);
  }

  function start(...flags: readonly string[]): ProxyProcess {
    const proxy = new ProxyProcess(['proxy', '--endpoint', server.url, '--auth-wait', ...flags], desk.env);
    running.push(proxy);
    return proxy;
  }

  /** Starts mcp-connect for a user who signs in at once. */
  async function startSignedIn(...flags: readonly string[]): Promise<ProxyProcess> {
    const proxy = start(...flags);
    const greeting = proxy.initialize();
    await browse(await desk.opened.next());
    expect((await greeting).error).to.equal(undefined);
    return proxy;
  }

  function call(proxy: ProxyProcess, id: string, name = 'echo'): Promise<Message> {
    const args = name === 'echo' ? { text: id } : { steps: 1 };
    return proxy.request(id, 'tools/call', { name, arguments: args });
  }

  /** What the authorization server was asked for since it got so many requests. */
  function askedSince(count: number): string[] {
    return server.authorization.requests
      .slice(count)
      .filter(({ path }) => path === '/token' || path === '/auth' || path === '/reg')
      .map(({ path, body }) => body.get('grant_type') ?? path);
  }

  it('a token is renewed before it ends, and no call notices', async () => {
    await serve({ accessTokenLife: 2 });
    const proxy = await startSignedIn();
    const asked = server.authorization.requests.length;
    for (let count = 0; server.tokens.length < 2; count++) {
      expect((await call(proxy, `call ${count}`)).error).to.equal(undefined);
    }
    expect(askedSince(asked)).to.deep.equal(['refresh_token']);
    expect(desk.tabs).to.have.length(1);
  });

  it('a token that was taken back is renewed in the middle of a call', async () => {
    await serve();
    const proxy = await startSignedIn();
    const asked = server.authorization.requests.length;
    await server.authorization.revoke(server.tokens.at(-1)!, 'token');
    expect((await call(proxy, 'one')).error).to.equal(undefined);
    expect(askedSince(asked)).to.deep.equal(['refresh_token']);
  });

  it('a sign-in that was taken back is asked for again, as the same client', async () => {
    await serve();
    const proxy = await startSignedIn();
    const asked = server.authorization.requests.length;
    await server.authorization.revoke(server.tokens.at(-1)!, 'sign-in');
    const answer = call(proxy, 'one');
    await browse(await desk.opened.next());
    expect((await answer).error).to.equal(undefined);
    expect(askedSince(asked)).to.deep.equal(['refresh_token', '/auth', 'authorization_code']);
  });

  it('a call that needs more rights asks for them beside those there are', async () => {
    await serve({ scopeFor: ({ params }) => (params?.name === 'count' ? 'mcp:write' : 'mcp:read') });
    const proxy = await startSignedIn();
    const answer = call(proxy, 'more', 'count');
    // The client was registered for fewer scopes: the server turns the first attempt down and the user sees nothing.
    await browse(await desk.opened.next());
    const address = new URL(await desk.opened.next());
    expect(address.searchParams.get('scope')!.split(' ')).to.include.members(['mcp:read', 'mcp:write']);
    await browse(address.href);
    expect((await answer).error).to.equal(undefined);
    expect((await call(proxy, 'as before')).error).to.equal(undefined);
  });

  it('logging out takes the tokens back, and the next start asks the user', async () => {
    await serve();
    const proxy = await startSignedIn();
    await proxy.end();
    const token = server.tokens.at(-1)!;
    const logout = new ProxyProcess(['logout', '--endpoint', server.url], desk.env);
    running.push(logout);
    expect(await logout.exit).to.include({ code: 0 });
    expect(await server.authorization.check(token, server.url)).to.equal(undefined);
    await startSignedIn();
    expect(desk.tabs).to.have.length(2);
  });

  it('works by a code on another device', async function () {
    // The server's own pace: it is asked every five seconds.
    this.timeout(30_000);
    await serve();
    const proxy = start('--oauth-grant', 'device-code');
    const greeting = proxy.initialize();
    await browse(await desk.opened.next());
    expect((await greeting).error).to.equal(undefined);
    expect((await call(proxy, 'one')).error).to.equal(undefined);
  });

  it('works without a person', async () => {
    await serve({ clients: [MACHINE] });
    const flags = ['--oauth-grant', 'client-credentials', '--oauth-client-id', 'machine'];
    const proxy = start(...flags, '--oauth-client-secret', SECRET);
    expect((await proxy.initialize()).error).to.equal(undefined);
    expect((await call(proxy, 'one')).error).to.equal(undefined);
    expect(askedSince(0)).to.deep.equal(['client_credentials']);
    expect(desk.tabs).to.deep.equal([]);
  });

  it('names what to check when a client is unknown', async () => {
    await serve();
    const flags = ['--oauth-grant', 'client-credentials', '--oauth-client-id', 'nobody'];
    const proxy = start(...flags, '--oauth-client-secret', SECRET);
    const { error } = await proxy.initialize();
    expect(error?.data).to.include({ code: 'MCPC_SIGN_IN' });
    expect(error?.data?.['hint']).to.include('--oauth-client-id');
    expect(JSON.stringify(error)).not.to.include(SECRET);
  });
});
