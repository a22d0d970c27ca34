import { expect } from 'chai';
import { parseChallenges, readChallenge } from './challenge.js';

describe('A WWW-Authenticate header', () => {
  const cases: [
    what: string,
    header: string,
    ...found: [scheme: string, params: Record<string, string>][],
  ][] = [
    ['one scheme alone', 'Bearer', ['bearer', {}]],
    ['quoted strings', 'Bearer realm="a, b", error="c"', ['bearer', { realm: 'a, b', error: 'c' }]],
    ['escaped quotes', 'Bearer realm="say \\"hi\\""', ['bearer', { realm: 'say "hi"' }]],
    [
      'several challenges in any order',
      'Basic realm="x", Bearer error="invalid_token", scope="a b", DPoP algs="ES256"',
      ['basic', { realm: 'x' }],
      ['bearer', { error: 'invalid_token', scope: 'a b' }],
      ['dpop', { algs: 'ES256' }],
    ],
    [
      'schemes without parameters',
      'Negotiate, Bearer, Basic',
      ['negotiate', {}],
      ['bearer', {}],
      ['basic', {}],
    ],
    [
      'a token of another scheme',
      'Negotiate YIIJvw==, Bearer scope="a"',
      ['negotiate', {}],
      ['bearer', { scope: 'a' }],
    ],
    ['no commas between parameters', 'Bearer error="a" scope="b"', ['bearer', { error: 'a', scope: 'b' }]],
    [
      'bare addresses',
      'Bearer resource_metadata=https://a/b?c',
      ['bearer', { resource_metadata: 'https://a/b?c' }],
    ],
    ['blanks around equals signs', 'Bearer scope = "a"', ['bearer', { scope: 'a' }]],
    ['names in capitals', 'BEARER Scope="a"', ['bearer', { scope: 'a' }]],
    [
      'words inside a description',
      'Bearer error_description="scope=x"',
      ['bearer', { error_description: 'scope=x' }],
    ],
    ['an open quote', 'Bearer scope="a', ['bearer', {}], ['scope', {}]],
    ['nothing', ''],
  ];
  for (const [what, header, ...found] of cases) {
    it(`is read with ${what}`, () => {
      expect(parseChallenges(header).map(({ scheme, params }) => [scheme, params])).to.deep.equal(found);
    });
  }

  it('is read in time that grows with its length', () => {
    for (const part of ['a ', 'a=', '"\\', 'a,', 'a="b" ']) {
      const header = `Bearer ${part.repeat(16_384 / part.length)}`;
      expect(parseChallenges(header)).to.be.an('array');
    }
  });

  it('tells what the server asks for, whichever scheme says it', () => {
    const header =
      'Basic scope="none of it", DPoP error="invalid_token", Bearer scope="b  a b", resource_metadata="m"';
    expect(readChallenge(header)).to.deep.equal({
      error: 'invalid_token',
      scopes: ['b', 'a'],
      resourceMetadata: 'm',
    });
  });

  it('may be missing', () => {
    expect(readChallenge(undefined)).to.deep.equal({});
  });
});
