import { Connector, createLog, type FlagValues } from '@mcp-connect/core';
import { expect } from 'chai';
import { FLAGS, readConfig, type OAuthFlags } from './flags.js';
import oauth from './index.js';

const log = createLog({ level: 'error', write: () => undefined });
const DEFAULTS: OAuthFlags = {
  ...(Object.fromEntries(
    Object.entries(FLAGS).map(([name, flag]) => [name, flag.type === 'boolean' ? false : undefined]),
  ) as unknown as FlagValues<typeof FLAGS>),
  profile: 'default',
  'oauth-grant': 'authorization-code',
  'oauth-authorize-param': [],
};

describe('The flags of a sign-in', () => {
  it('settle nothing by themselves', () => {
    expect(readConfig(DEFAULTS)).to.deep.equal({
      grant: 'authorization-code',
      profile: 'default',
      asks: true,
      authorizeParams: {},
      idp: {},
      dpop: false,
    });
  });

  it('take scopes with blanks or commas, and parameters with equals signs', () => {
    const config = readConfig({
      ...DEFAULTS,
      'oauth-scopes': ' read, write admin',
      'oauth-authorize-param': ['audience=a=b', 'x='],
    });
    expect(config.scopes).to.deep.equal(['read', 'write', 'admin']);
    expect(config.authorizeParams).to.deep.equal({ audience: 'a=b', x: '' });
  });

  const wrong: [what: string, flags: Partial<OAuthFlags>][] = [
    ['a page without a token endpoint', { 'oauth-auth-url': 'https://as.example/authorize' }],
    ['a token endpoint that is no address', { 'oauth-token-url': 'as.example/token' }],
    ['a redirect URL of another kind', { 'oauth-redirect-url': 'myapp:/callback' }],
    ['a parameter without a value', { 'oauth-authorize-param': ['audience'] }],
    ['a client id with a line break', { 'oauth-client-id': 'a\nb' }],
    ['a token endpoint without a client', { 'oauth-token-url': 'https://as.example/token' }],
    ['a secret without a client', { 'oauth-client-secret': 'secret' }],
    ['a key without a client', { 'oauth-private-key': 'key.pem' }],
    ['a grant that needs a client', { 'oauth-grant': 'client-credentials' }],
  ];
  for (const [what, flags] of wrong) {
    it(`refuse ${what}, naming the flag`, () => {
      expect(() => readConfig({ ...DEFAULTS, ...flags }))
        .to.throw(/--oauth-/)
        .that.includes({ code: 'MCPC_USAGE' });
    });
  }

  it('need no client where an assertion speaks for itself', () => {
    const tokenUrl = 'https://as.example/token';
    const flags = { ...DEFAULTS, 'oauth-grant': 'workload-identity', 'oauth-token-url': tokenUrl } as const;
    expect(readConfig(flags)).to.include({ tokenUrl });
  });

  it('show no secret that cannot be used', () => {
    const connector = new Connector({ log }).use(oauth, {
      'oauth-client-id': 'me',
      'oauth-client-secret': 'hünter2',
    });
    expect(() => connector.start())
      .to.throw()
      .that.satisfies((error: unknown) => !JSON.stringify([error, String(error)]).includes('nter2'));
  });
});
