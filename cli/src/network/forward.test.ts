import { expect } from 'chai';
import { forwardProxyFor, secretsOf } from './forward.js';

interface Given {
  readonly proxy?: string;
  readonly noProxy?: string;
  readonly [variable: string]: string | undefined;
}

function labelFor(url: string, { proxy, noProxy, ...env }: Given): string | undefined {
  return forwardProxyFor(new URL(url), { proxy, noProxy, env })?.label;
}

describe('the proxy for an address', () => {
  const cases: [url: string, given: Given, label: string | undefined][] = [
    ['https://a.example/mcp', {}, undefined],
    ['https://a.example/mcp', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
    ['https://a.example/mcp', { https_proxy: 'p:1', HTTPS_PROXY: 'http://q:2' }, 'http://p:1'],
    ['https://a.example/mcp', { https_proxy: '', HTTPS_PROXY: 'http://q:2' }, undefined],
    ['https://a.example/mcp', { HTTP_PROXY: 'http://p:1' }, undefined],
    ['http://a.example/mcp', { HTTP_PROXY: 'http://p:1', HTTPS_PROXY: 'http://q:2' }, 'http://p:1'],
    ['http://a.example/mcp', { ALL_PROXY: 'socks5h://p:1' }, 'socks5h://p:1'],
    ['https://a.example/mcp', { all_proxy: 'https://p' }, 'https://p'],
    ['https://a.example/mcp', { proxy: 'http://u:s@p:1', HTTPS_PROXY: 'http://q:2' }, 'http://p:1'],
    ['http://127.0.0.1:8080/mcp', { ALL_PROXY: 'http://p:1' }, undefined],
    ['http://[::1]:8080/mcp', { HTTP_PROXY: 'http://p:1' }, undefined],
    ['http://localhost/mcp', { HTTP_PROXY: 'http://p:1' }, undefined],
    ['http://localhost/mcp', { proxy: 'http://p:1' }, 'http://p:1'],
    ['http://localhost/mcp', { proxy: 'http://p:1', NO_PROXY: 'localhost' }, undefined],
  ];
  for (const [url, given, label] of cases) {
    it(`is ${label ?? 'none'} for ${url} with ${JSON.stringify(given)}`, () => {
      expect(labelFor(url, given)).to.equal(label);
    });
  }

  const lists: [list: string, url: string, exempt: boolean][] = [
    ['*', 'https://a.example', true],
    ['a.example', 'https://a.example', true],
    ['A.EXAMPLE', 'https://a.example.', true],
    ['example', 'https://a.example', true],
    ['.a.example', 'https://b.a.example', true],
    ['*.a.example', 'https://b.a.example', true],
    ['a.example', 'https://ba.example', false],
    ['b.example a.example', 'https://a.example', true],
    ['b.example, a.example', 'https://a.example', true],
    ['a.example:8443', 'https://a.example:8443', true],
    ['a.example:8443', 'https://a.example', false],
    ['a.example:443', 'https://a.example', true],
    ['10.0.0.0/8', 'http://10.1.2.3', true],
    ['10.0.0.0/8', 'http://11.1.2.3', false],
    ['10.1.2.3', 'http://10.1.2.3:8080', true],
    ['10.1.2.3:80', 'http://10.1.2.3:8080', false],
    ['10.0.0.0/99', 'http://10.1.2.3', false],
    ['fe80:0:0::1', 'http://[fe80::1]', true],
    ['[fe80::1]:80', 'http://[fe80::1]', true],
    ['fe80::/10', 'http://[fe80::1]', true],
    ['', 'https://a.example', false],
    [',', 'https://a.example', false],
    ['.', 'https://a.example', false],
  ];
  for (const [list, url, exempt] of lists) {
    it(`${exempt ? 'is none' : 'remains'} for ${url} when the exceptions are "${list}"`, () => {
      const label = exempt ? undefined : 'http://p:1';
      expect(labelFor(url, { HTTP_PROXY: 'p:1', HTTPS_PROXY: 'p:1', NO_PROXY: list })).to.equal(label);
      expect(labelFor(url, { proxy: 'p:1', noProxy: list, NO_PROXY: '*' })).to.equal(label);
    });
  }

  for (const [text, what] of [
    ['ftp://hunter2@p:1', 'ftp://'],
    ['http://p:99999', 'address'],
    ['http://u:hunter2@', 'address'],
    ['http://u:hunter2%@p:1', 'percent'],
  ] as const) {
    it(`is refused when it is ${text}, naming where it was given and no secret`, () => {
      expect(() => labelFor('https://a.example', { HTTPS_PROXY: text }))
        .to.throw('HTTPS_PROXY')
        .that.satisfies(({ message, code }: Error & { code: string }) => {
          expect(code).to.equal('MCPC_USAGE');
          expect(message).to.include(what).and.not.include('hunter2');
          return true;
        });
    });
  }

  it('keeps its user and password to itself', () => {
    const rules = { proxy: 'http://us%40er:p%C3%A4ss@p:1', noProxy: undefined, env: {} };
    const proxy = forwardProxyFor(new URL('https://a.example'), rules)!;
    expect(proxy.label).to.equal('http://p:1');
    expect(secretsOf(proxy)).to.include.members(['us%40er', 'us@er', 'p%C3%A4ss', 'päss']);
  });
});
