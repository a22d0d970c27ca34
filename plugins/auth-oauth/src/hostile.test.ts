import { ConnectorError } from '@mcp-connect/core';
import { expect } from 'chai';
import {
  accountAt,
  json,
  ScriptedServer,
  signed,
  type Script,
  type ScriptedAccount,
} from './scripted.test.js';

/** Signs in at a server. Returns the header that came of it, or what went wrong. */
async function signIn(
  server: ScriptedServer,
  { challenge = 'Bearer', ...options }: ScriptedAccount & { readonly challenge?: string } = {},
) {
  const { account, settled } = accountAt(server, options);
  try {
    await account.answer({ status: 401, wwwAuthenticate: challenge });
    return await signed(account);
  } catch (error) {
    return error;
  } finally {
    await account.close();
    await settled();
  }
}

/** Less than any test may take, in milliseconds. */
const IMPATIENT = { patience: 300 };

const METADATA = '/.well-known/oauth-authorization-server';

/** Attacks, each with whether the code of the sign-in may have left for the token endpoint by then. */
const ATTACKS: readonly (readonly [
  what: string,
  sent: boolean,
  attack: (hostile: ScriptedServer) => Script,
])[] = [
  ['says that it is another issuer', false, ({ elsewhere }) => ({ server: { issuer: elsewhere } })],
  ['does not say who it is', false, () => ({ server: { issuer: undefined } })],
  ['answers in the name of another issuer', false, ({ elsewhere }) => ({ response: { iss: elsewhere } })],
  ['does not name itself in the answer, though it said so', false, () => ({ response: { iss: undefined } })],
  [
    'names itself wrongly, though it never said that it would',
    false,
    ({ elsewhere }) => ({
      server: { authorization_response_iss_parameter_supported: undefined },
      response: { iss: elsewhere },
    }),
  ],
  ['does not check PKCE', false, () => ({ server: { code_challenge_methods_supported: undefined } })],
  ['checks PKCE without hashes', false, () => ({ server: { code_challenge_methods_supported: ['plain'] } })],
  ['has a program for a page', false, () => ({ server: { authorization_endpoint: 'javascript:alert(1)' } })],
  ['has a file for a page', false, () => ({ server: { authorization_endpoint: 'file:///etc/passwd' } })],
  [
    'has a page without encryption',
    false,
    () => ({ server: { authorization_endpoint: 'http://example.com/a' } }),
  ],
  [
    'takes codes without encryption',
    false,
    () => ({ server: { token_endpoint: 'http://example.com/token' } }),
  ],
  [
    'has a password in an address',
    false,
    () => ({ server: { token_endpoint: 'https://a:b@example.com/token' } }),
  ],
  ['takes no codes', false, () => ({ server: { token_endpoint: undefined } })],
  ['is for another resource', false, ({ elsewhere }) => ({ resource: { resource: `${elsewhere}/mcp` } })],
  ['is for a resource beside', false, ({ origin }) => ({ resource: { resource: `${origin}/mc` } })],
  [
    'is reached without encryption',
    false,
    () => ({ resource: { authorization_servers: ['http://example.com'] } }),
  ],
  ['is reached by a file', false, () => ({ resource: { authorization_servers: ['file:///etc/passwd'] } })],
  [
    'redirects for ever',
    false,
    () => ({ answers: { [METADATA]: (response) => response.writeHead(302, { location: METADATA }).end() } }),
  ],
  [
    'redirects elsewhere',
    false,
    ({ elsewhere }) => ({
      answers: { [METADATA]: (response) => response.writeHead(302, { location: elsewhere }).end() },
    }),
  ],
  [
    'has 10 MB to say of itself',
    false,
    () => ({ answers: { [METADATA]: (response) => json(response, { issuer: 'x'.repeat(10_000_000) }) } }),
  ],
  ['registers nobody', false, () => ({ answers: { '/register': (response) => json(response, {}, 201) } })],
  [
    'sends the code on',
    true,
    ({ elsewhere }) => ({
      answers: { '/token': (response) => response.writeHead(307, { location: `${elsewhere}/token` }).end() },
    }),
  ],
  [
    'sends the registration on',
    false,
    ({ elsewhere }) => ({
      answers: { '/register': (response) => response.writeHead(308, { location: `${elsewhere}/r` }).end() },
    }),
  ],
  [
    'gives 10 MB for a token',
    true,
    () => ({ answers: { '/token': (response) => json(response, { access_token: 'x'.repeat(10_000_000) }) } }),
  ],
  [
    'gives a token that would break a header',
    true,
    () => ({
      answers: {
        '/token': (response) => json(response, { access_token: 'a\r\nHost: b', token_type: 'Bearer' }),
      },
    }),
  ],
  [
    'gives a token of a kind unheard of',
    true,
    () => ({
      answers: { '/token': (response) => json(response, { access_token: 'abc', token_type: 'mac' }) },
    }),
  ],
  ['gives a page for a token', true, () => ({ answers: { '/token': (response) => response.end('<html>') } })],
  ['gives nothing for a token', true, () => ({ answers: { '/token': (response) => json(response, {}) } })],
];

describe('An authorization server that', () => {
  let hostile: ScriptedServer;
  afterEach(() => hostile.close());

  for (const [what, sent, attack] of ATTACKS) {
    it(`${what} gets nothing, and the user is told`, async () => {
      hostile = new ScriptedServer(attack);
      await hostile.open();
      const error = await signIn(hostile);
      expect(error).to.be.instanceOf(ConnectorError).and.include({ code: 'MCPC_AUTH_SERVER' });
      expect((error as ConnectorError).hint).to.be.a('string');
      expect(hostile.strayed).to.deep.equal([]);
      if (!sent) expect(hostile.paths).not.to.include('/token');
      if (!sent) expect(hostile.sent).not.to.include('code_verifier');
    });
  }

  it('never ends an answer is given up', async () => {
    hostile = new ScriptedServer(() => ({
      answers: {
        [METADATA]: (response) => {
          response.writeHead(200, { 'content-type': 'application/json' }).write('{');
          const drip = setInterval(() => response.write(' '), 20);
          response.once('close', () => clearInterval(drip));
        },
      },
    }));
    await hostile.open();
    expect(await signIn(hostile, IMPATIENT)).to.include({ code: 'MCPC_TIMEOUT' });
  });

  it('never ends its answer with a token is given up', async () => {
    hostile = new ScriptedServer(() => ({
      answers: { '/token': (response) => response.writeHead(200).write('{') },
    }));
    await hostile.open();
    expect(await signIn(hostile, IMPATIENT)).to.include({ code: 'MCPC_TIMEOUT' });
  });

  it('refuses in the name of another is not quoted', async () => {
    hostile = new ScriptedServer(({ elsewhere }) => ({
      response: {
        code: undefined,
        iss: elsewhere,
        error: 'access_denied',
        error_description: 'Call 555-0100',
      },
    }));
    await hostile.open();
    const error = (await signIn(hostile)) as ConnectorError;
    expect(error).to.include({ code: 'MCPC_AUTH_SERVER' });
    expect(error.message).not.to.include('access_denied').and.not.to.include('555');
  });

  it('refuses is quoted without what would steer a terminal', async () => {
    hostile = new ScriptedServer(() => ({
      response: {
        code: undefined,
        error: 'access_denied',
        error_description: `no\u001b[2J\n${'x'.repeat(5_000)}`,
      },
    }));
    await hostile.open();
    const error = (await signIn(hostile)) as ConnectorError;
    expect(error).to.include({ code: 'MCPC_SIGN_IN' });
    expect(error.message)
      .to.include('access_denied')
      .and.not.match(/\p{Cc}/u);
    expect(error.message.length).to.be.below(400);
  });

  it('refuses with 200 is heard', async () => {
    hostile = new ScriptedServer(() => ({
      answers: { '/token': (response) => json(response, { error: 'invalid_grant' }) },
    }));
    await hostile.open();
    expect(await signIn(hostile)).to.include({ code: 'MCPC_SIGN_IN', error: 'invalid_grant' });
  });

  it('keeps its token endpoint elsewhere, and says so in its own metadata, is believed', async () => {
    hostile = new ScriptedServer(({ elsewhere }) => ({ server: { token_endpoint: `${elsewhere}/token` } }));
    await hostile.open();
    expect(await signIn(hostile)).to.equal('Bearer from-elsewhere');
    expect(hostile.paths).not.to.include('/token');
  });

  it('gets the secret of a client only at its token endpoint, and once', async () => {
    hostile = new ScriptedServer(() => ({ config: { clientId: 'me', clientSecret: 'hunter2' } }));
    await hostile.open();
    expect(await signIn(hostile)).to.equal('Bearer the-token');
    const basic = Buffer.from('me:hunter2').toString('base64');
    expect(hostile.sent.split(basic)).to.have.length(2);
    expect(hostile.sent).not.to.include('hunter2');
  });

  const inside: [what: string, metadata: (origin: string) => string][] = [
    ['this machine', (origin) => origin.replace('http:', 'https:')],
    ['this machine by name', () => 'https://localhost/m'],
    ['a private network', () => 'https://10.0.0.1/m'],
    ['a private network in other words', () => 'https://[::ffff:c0a8:1]/m'],
    ['the metadata of a cloud', () => 'https://169.254.169.254/latest/meta-data'],
  ];
  for (const [what, metadata] of inside) {
    it(`is public and leads to ${what} is not followed`, async () => {
      hostile = new ScriptedServer(() => ({}));
      await hostile.open();
      const challenge = `Bearer resource_metadata="${metadata(hostile.elsewhere)}"`;
      const error = await signIn(hostile, { endpoint: 'https://93.184.215.14/mcp', challenge });
      expect(error).to.include({ code: 'MCPC_AUTH_SERVER' });
      expect(hostile.strayed).to.deep.equal([]);
    });
  }
});
