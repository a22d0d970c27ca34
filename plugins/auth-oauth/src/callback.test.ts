import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { isLoopback, listen, type Listener, type ListenerOptions } from './callback.js';

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function visit(
  url: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const request = httpRequest(url, { agent: false, ...options });
  request.end();
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('the callback', () => {
  let listener: Listener;
  let taken: URLSearchParams[];
  let redirectUri: string;

  async function open(options: Partial<ListenerOptions> = {}): Promise<Listener> {
    const isOurs = (query: URLSearchParams): boolean => query.get('state') === 'right';
    return listen({ isOurs, take: (query) => void taken.push(query), ...options });
  }

  beforeEach(async () => {
    taken = [];
    listener = await open();
    ({ redirectUri } = listener);
  });
  afterEach(() => listener.close());

  it('takes the redirect of its sign-in and shows a page without the code', async () => {
    const { status, headers, body } = await visit(`${redirectUri}?code=secret-code&state=right`);
    expect(status).to.equal(200);
    expect(body)
      .to.match(/<h1>/)
      .and.not.match(/secret-code|right/);
    expect(headers).to.include({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    expect(headers['content-security-policy']).to.contain("default-src 'none'");
    expect(taken.map(String)).to.deep.equal(['code=secret-code&state=right']);
  });

  it('takes a refusal too, and does not show its text', async () => {
    const { body } = await visit(
      `${redirectUri}?error=access_denied&error_description=<b>evil</b>&state=right`,
    );
    expect(body).not.to.contain('evil');
    expect(taken[0]?.get('error')).to.equal('access_denied');
  });

  for (const [what, query] of [
    ['another state', 'code=x&state=wrong'],
    ['no state', 'code=x'],
    ['nothing', ''],
  ] as const) {
    it(`does not take a redirect with ${what}, and goes on waiting`, async () => {
      expect((await visit(`${redirectUri}?${query}`)).status).to.equal(400);
      expect(taken).to.deep.equal([]);
      await visit(`${redirectUri}?code=x&state=right`);
      expect(taken).to.have.length(1);
    });
  }

  for (const [what, status, options] of [
    ['a page of another site', 403, { headers: { origin: 'https://evil.example' } }],
    ['a page without an origin', 403, { headers: { origin: 'null' } }],
    ['a name of somebody else', 403, { headers: { host: 'evil.example' } }],
    ['another port in its name', 403, { headers: { host: '127.0.0.1:1' } }],
    ['POST', 405, { method: 'POST' }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const reply = await visit(`${redirectUri}?code=x&state=right`, options);
      expect(reply.status).to.equal(status);
      expect(taken).to.deep.equal([]);
    });
  }

  it('answers under no other path', async () => {
    const { origin } = new URL(redirectUri);
    for (const path of ['/', '/callback/', '/favicon.ico'])
      expect((await visit(`${origin}${path}?code=x&state=right`)).status).to.equal(404);
    expect(taken).to.deep.equal([]);
  });

  it('listens on the loopback interface alone', () => {
    expect(redirectUri).to.match(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  });

  it('frees its port at once, whoever is still connected', async () => {
    const port = Number(new URL(redirectUri).port);
    const idle = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(idle, 'connect');
    await listener.close();
    listener = await open({ port });
    expect(listener.redirectUri).to.equal(redirectUri);
    idle.destroy();
  });

  it('listens where a redirect URL says, and names it letter by letter', async () => {
    const { port } = new URL(redirectUri);
    await listener.close();
    const given = `http://localhost:${port}/oauth/back?from=here`;
    listener = await open({ redirectUrl: new URL(given) });
    expect(listener.redirectUri).to.equal(given);
    await visit(`http://127.0.0.1:${port}/oauth/back?from=here&code=x&state=right`);
    expect(taken).to.have.length(1);
  });

  describe('on a port that is taken', () => {
    const other = createServer();
    let port: number;
    before(async () => {
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      ({ port } = other.address() as AddressInfo);
    });
    after(() => other.close());

    it('moves to another one when it was only preferred', async () => {
      const moved = await open({ preferredPort: port });
      expect(new URL(moved.redirectUri).port).not.to.equal(String(port));
      await moved.close();
    });

    for (const [what, options] of [
      ['the port', (): Partial<ListenerOptions> => ({ port })],
      ['the redirect URL', () => ({ redirectUrl: new URL(`http://localhost:${port}/cb`) })],
    ] as const) {
      it(`fails with the port's number and what to type when the user gave ${what}`, async () => {
        const error = await open(options()).catch((failure: unknown) => failure);
        expect(error).to.include({ code: 'MCPC_SIGN_IN' });
        expect((error as Error).message).to.contain(String(port));
        expect((error as { hint: string }).hint).to.match(/--callback-port|--redirect-url/);
      });
    }
  });
});

describe('isLoopback', () => {
  for (const url of ['http://localhost:1/x', 'http://127.0.0.1/x', 'http://[::1]:9/'])
    it(`holds for ${url}`, () => expect(isLoopback(new URL(url))).to.equal(true));
  for (const url of [
    'https://localhost/x',
    'http://localhost.evil.example/',
    'http://example.com/',
    'app:/x',
  ])
    it(`does not hold for ${url}`, () => expect(isLoopback(new URL(url))).to.equal(false));
});
