import type { ConnectorError } from '@mcp-connect/core';
import { expect } from 'chai';
import type { Config } from './config.js';
import { accountAt, json, ScriptedServer, signed, type Answer, type Script } from './scripted.test.js';

const TOLD = { status: 401, wwwAuthenticate: 'Bearer' };
const missing: Answer = (response) => response.writeHead(404).end();

describe('Discovery', () => {
  let server: ScriptedServer;
  afterEach(() => server.close());

  /** Signs in and returns where it was looked, up to the registration. */
  async function searched(
    script: (origin: string) => Script,
    {
      endpoint = '/mcp',
      challenge = () => 'Bearer',
    }: { endpoint?: string; challenge?(origin: string): string } = {},
  ): Promise<string[]> {
    server = new ScriptedServer(({ origin }) => script(origin));
    await server.open();
    const { account, settled } = accountAt(server, { endpoint: server.origin + endpoint });
    await account.answer({ ...TOLD, wwwAuthenticate: challenge(server.origin) });
    expect(await signed(account)).to.equal('Bearer the-token');
    await settled();
    return server.paths.slice(0, server.paths.indexOf('/register'));
  }

  const serverMetadata =
    (origin: string, issuer: string): Answer =>
    (response) =>
      json(response, {
        issuer,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        registration_endpoint: `${origin}/register`,
        code_challenge_methods_supported: ['S256'],
      });

  it('follows the challenge', async () => {
    const paths = await searched(
      (origin) => ({
        answers: {
          '/elsewhere': (response) =>
            json(response, { resource: `${origin}/mcp`, authorization_servers: [origin] }),
        },
      }),
      { challenge: (origin) => `Bearer resource_metadata="${origin}/elsewhere"` },
    );
    expect(paths).to.deep.equal(['/elsewhere', '/.well-known/oauth-authorization-server']);
  });

  it('looks for a resource under its path and then at the root, whose metadata may stand for all', async () => {
    const paths = await searched(
      (origin) => ({
        answers: {
          '/.well-known/oauth-protected-resource': (response) =>
            json(response, { resource: origin, authorization_servers: [origin] }),
        },
      }),
      { endpoint: '/a/b' },
    );
    expect(paths.slice(0, 2)).to.deep.equal([
      '/.well-known/oauth-protected-resource/a/b',
      '/.well-known/oauth-protected-resource',
    ]);
    expect(server.forms('/token')[0]!.get('resource')).to.equal(server.origin);
  });

  it('looks for a server with a path in three places', async () => {
    const paths = await searched((origin) => ({
      resource: { authorization_servers: [`${origin}/tenant`] },
      response: { iss: `${origin}/tenant` },
      answers: { '/tenant/.well-known/openid-configuration': serverMetadata(origin, `${origin}/tenant`) },
    }));
    expect(paths.slice(1)).to.deep.equal([
      '/.well-known/oauth-authorization-server/tenant',
      '/.well-known/openid-configuration/tenant',
      '/tenant/.well-known/openid-configuration',
    ]);
  });

  it('looks for a server without a path in two places', async () => {
    const paths = await searched((origin) => ({
      answers: {
        '/.well-known/oauth-authorization-server': missing,
        '/.well-known/openid-configuration': serverMetadata(origin, origin),
      },
    }));
    expect(paths.slice(1)).to.deep.equal([
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
    ]);
  });

  it('takes the next authorization server when the first has nothing to say', async () => {
    const paths = await searched((origin) => ({
      resource: { authorization_servers: [`${origin}/gone`, origin] },
    }));
    expect(paths.at(-1)).to.equal('/.well-known/oauth-authorization-server');
  });

  it('takes a server without any metadata for one of 2025-03-26', async () => {
    await searched(() => ({
      answers: {
        '/.well-known/oauth-protected-resource/mcp': missing,
        '/.well-known/oauth-authorization-server': missing,
      },
    }));
    expect(server.paths).to.include.members(['/register', '/authorize', '/token']);
  });

  describe('where nothing says how one signs in', () => {
    const turnedAway: Answer = (response) => response.writeHead(401).end();

    async function hintFor(config: Partial<Config>, answers: Script['answers'] = {}): Promise<unknown> {
      server = new ScriptedServer(() => ({
        answers: {
          '/.well-known/oauth-protected-resource/mcp': turnedAway,
          '/.well-known/oauth-authorization-server': turnedAway,
          '/register': turnedAway,
          '/token': turnedAway,
          ...answers,
        },
      }));
      await server.open();
      const { account } = accountAt(server, { config });
      return account.answer(TOLD).catch((thrown: unknown) => (thrown as ConnectorError).hint);
    }

    for (const [what, config] of [
      ['a browser', {}],
      ['a device code', { grant: 'device-code' }],
      ['credentials', { grant: 'client-credentials', clientId: 'me', clientSecret: 'secret' }],
    ] as const) {
      it(`offers a plain token when a sign-in with ${what} fails`, async () => {
        expect(await hintFor(config)).to.contain('--auth-token TOKEN');
      });
    }

    it('offers none when the server knows what a registration is', async () => {
      const refused: Answer = (response) => json(response, { error: 'invalid_redirect_uri' }, 400);
      const hint = await hintFor({}, { '/register': refused });
      expect(hint).to.contain('--oauth-client-id').and.not.to.contain('--auth-token');
    });
  });

  it('says when a resource names a server that has no metadata', async () => {
    server = new ScriptedServer(() => ({ answers: { '/.well-known/oauth-authorization-server': missing } }));
    await server.open();
    const error = await accountAt(server)
      .account.answer(TOLD)
      .catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'MCPC_AUTH_SERVER' });
  });
});
