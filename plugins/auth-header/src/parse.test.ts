import { expect } from 'chai';
import { checkValue, parseHeaders, secretsOf } from './parse.js';

describe('--headers', () => {
  const good: [text: string, headers: [string, string][]][] = [
    [
      'Authorization:Bearer token123,X-Custom:value',
      [
        ['authorization', 'Bearer token123'],
        ['x-custom', 'value'],
      ],
    ],
    [
      '  X-A :  one  ,  X-B:two ',
      [
        ['x-a', 'one'],
        ['x-b', 'two'],
      ],
    ],
    ['"Authorization: Bearer x"', [['authorization', 'Bearer x']]],
    [
      `'X-A: 1,X-B: 2'`,
      [
        ['x-a', '1'],
        ['x-b', '2'],
      ],
    ],
    [
      '"A: 1","B: 2"',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      `A: 1 , 'B: 2, 3', "C: 4"`,
      [
        ['a', '1'],
        ['b', '2, 3'],
        ['c', '4'],
      ],
    ],
    ['"Authorization: Bearer a:b,c=="', [['authorization', 'Bearer a:b,c==']]],
    ['X-List: a, b,c', [['x-list', 'a, b,c']]],
    ['X-Url: http://a/b?c=d:e', [['x-url', 'http://a/b?c=d:e']]],
    [
      'X-Urls: http://a,https://b,X-B: c',
      [
        ['x-urls', 'http://a,https://b'],
        ['x-b', 'c'],
      ],
    ],
    [
      'If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT',
      [['if-modified-since', 'Sat, 29 Oct 1994 19:43:31 GMT']],
    ],
    ['X-Times: 9:30,10:30', [['x-times', '9:30,10:30']]],
    ['X-Pair: {"a":1,"b":2}', [['x-pair', '{"a":1,"b":2}']]],
    ['Host: internal.example', [['host', 'internal.example']]],
    ['X-Etag: "abc"', [['x-etag', '"abc"']]],
  ];
  for (const [text, headers] of good) {
    it(`reads ${text}`, () => {
      expect(parseHeaders(text, {})).to.deep.equal(headers);
    });
  }

  it('takes what a variable holds as a value, whatever it looks like', () => {
    expect(parseHeaders('Authorization: Basic ${P}, X-B: 2', { P: 'abc,x-evil:1' })).to.deep.equal([
      ['authorization', 'Basic abc,x-evil:1'],
      ['x-b', '2'],
    ]);
  });

  it('names a variable that is not set', () => {
    expectUsage(() => parseHeaders('X-A: ${MISSING}', {}), 'MISSING', 'nothing secret');
  });

  const secret = 'hunter2';
  for (const text of [
    secret,
    '',
    ',',
    `: ${secret}`,
    `X A: ${secret}`,
    `"X-A: ${secret}`,
    `"X-A: 1","X-B: ${secret}`,
    `"X-A: 1, X-B: ${secret}", "X-C: 2"`,
    `'X-A: 1, X-B: ${secret}', 'X-C: 2'`,
    `X-A: ${secret}ü`,
    `X-A: ${secret}\r\nX-Evil: 1`,
    `X-A: ${secret},X-B:`,
    `${secret},X-B: 1`,
  ]) {
    it(`refuses ${JSON.stringify(text)}, naming the flag but no value`, () => {
      expectUsage(() => parseHeaders(text, {}), '--headers', secret);
    });
  }

  for (const name of [
    'Content-Length',
    'transfer-encoding',
    'Connection',
    'Mcp-Session-Id',
    'MCP-Protocol-Version',
    'Accept',
    'Content-Type',
  ]) {
    it(`leaves ${name} to the transport`, () => {
      expectUsage(() => parseHeaders(`X-A: 1, ${name}: ${secret}`, {}), name, secret);
    });
  }
});

describe('the value of a header', () => {
  it('is taken without the blanks around it', () => {
    expect(checkValue(' a b\n', 'api-key')).to.equal('a b');
  });

  for (const value of ['', ' ', 'hunter2\nx', 'hunter2ü']) {
    it(`is not ${JSON.stringify(value)}`, () => {
      expectUsage(() => checkValue(value, 'api-key'), '--api-key', 'hunter2');
    });
  }

  it('is hidden from logs whole and without its scheme', () => {
    expect(secretsOf('Bearer abc')).to.deep.equal(['Bearer abc', 'abc']);
    expect(secretsOf('abc')).to.deep.equal(['abc']);
  });
});

function expectUsage(run: () => unknown, named: string, hidden: string): void {
  expect(run)
    .to.throw()
    .that.satisfies((error: Error & { hint?: string }) => {
      expect(error).to.include({ code: 'MCPC_USAGE' });
      expect(error.message).to.contain(named).and.not.to.contain(hidden);
      expect(error.hint).not.to.contain(hidden);
      return true;
    });
}
