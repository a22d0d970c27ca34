import { Envelope, type Credentials } from '@mcp-connect/core';
import { expect } from 'chai';
import {
  encodeHeaderValue,
  modernHeaders,
  modernVersion,
  retryAfter,
  sessionHeaders,
  signedHeaders,
} from './headers.js';

const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };

function request(method: string, params?: object): Envelope {
  return Envelope.of({ jsonrpc: '2.0', id: 1, method, ...(params && { params: { ...params } }) });
}

describe('encodeHeaderValue', () => {
  for (const [value, encoded] of [
    ['us-west1', 'us-west1'],
    ['', ''],
    ['two words', 'two words'],
    ['~ !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}', '~ !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}'],
    ['日本語', '=?base64?5pel5pys6Kqe?='],
    ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
    ['é', '=?base64?w6k=?='],
    [' padded ', '=?base64?IHBhZGRlZCA=?='],
    [' leading', '=?base64?IGxlYWRpbmc=?='],
    ['trailing ', '=?base64?dHJhaWxpbmcg?='],
    ['trailing\t', '=?base64?dHJhaWxpbmcJ?='],
    ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
    ['line1\r\nline2', '=?base64?bGluZTENCmxpbmUy?='],
    ['\u007f', '=?base64?fw==?='],
    ['\0', '=?base64?AA==?='],
    ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
    ['=?base64??=', '=?base64?PT9iYXNlNjQ/Pz0=?='],
    ['=?base64?not closed', '=?base64?not closed'],
    ['=?BASE64?YQ==?=', '=?BASE64?YQ==?='],
  ] as const) {
    it(`writes ${JSON.stringify(value)} as ${encoded}`, () =>
      expect(encodeHeaderValue(value)).to.equal(encoded));
  }
});

describe('modernVersion', () => {
  it('reads the version that a request or notification carries', () => {
    expect(modernVersion(request('tools/list', { _meta: META }))).to.equal('2026-07-28');
    const notification = { jsonrpc: '2.0', method: 'notifications/x', params: { _meta: META } } as const;
    expect(modernVersion(Envelope.of(notification))).to.equal('2026-07-28');
  });

  for (const [name, params] of [
    ['no parameters', undefined],
    ['other metadata', { _meta: { progressToken: 1 } }],
    ['the key elsewhere', { arguments: META }],
    ['a version that is no text', { _meta: { 'io.modelcontextprotocol/protocolVersion': 1 } }],
    ['metadata that is no object', { _meta: 'io.modelcontextprotocol/protocolVersion' }],
  ] as const) {
    it(`finds none in a request with ${name}`, () => {
      expect(modernVersion(request('tools/call', params))).to.equal(undefined);
    });
  }

  it('finds none in an answer', () => {
    expect(
      modernVersion(Envelope.of({ jsonrpc: '2.0', id: 1, result: { params: { _meta: META } } })),
    ).to.equal(undefined);
  });
});

describe('modernHeaders', () => {
  for (const [method, params, name] of [
    ['tools/call', { name: 'add' }, 'add'],
    ['tools/call', { name: 'сумма' }, '=?base64?0YHRg9C80LzQsA==?='],
    ['prompts/get', { name: 'greet' }, 'greet'],
    ['resources/read', { uri: 'file:///a b' }, 'file:///a b'],
    ['tasks/get', { taskId: 't1' }, 't1'],
    ['tasks/update', { taskId: 't1' }, 't1'],
    ['tasks/cancel', { taskId: 't1' }, 't1'],
    ['tools/list', { name: 'add' }, undefined],
    ['resources/subscribe', { uri: 'file:///a' }, undefined],
    ['tools/call', { name: 5 }, undefined],
    ['tools/call', {}, undefined],
  ] as const) {
    it(`mirrors ${method} ${JSON.stringify(params)}`, () => {
      expect(modernHeaders(request(method, params), '2026-07-28')).to.deep.equal({
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(name !== undefined && { 'mcp-name': name }),
      });
    });
  }

  it('never lets a method out of its header', () => {
    const headers = modernHeaders(request('a\r\nx-evil: 1'), '2026-07-28');
    expect(headers['mcp-method']).to.match(/^=\?base64\?[\w+/=]+\?=$/);
  });
});

describe('sessionHeaders', () => {
  for (const [version, header] of [
    [undefined, undefined],
    ['2024-11-05', undefined],
    ['2025-03-26', undefined],
    ['2025-06-18', '2025-06-18'],
    ['2025-11-25', '2025-11-25'],
  ] as const) {
    it(`names the version ${version} as ${header}`, () => {
      expect(sessionHeaders('s1', version)).to.deep.equal({
        'mcp-session-id': 's1',
        ...(header !== undefined && { 'mcp-protocol-version': header }),
      });
    });
  }

  it('are none without a session', () => expect(sessionHeaders(undefined, undefined)).to.deep.equal({}));
});

describe('retryAfter', () => {
  for (const [value, milliseconds] of [
    ['0', 0],
    ['3', 3_000],
    [' 3 ', 3_000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
    ['9'.repeat(400), undefined],
  ] as const) {
    it(`reads ${JSON.stringify(value)?.slice(0, 40)} as ${milliseconds}`, () => {
      expect(retryAfter(value)).to.equal(milliseconds);
    });
  }

  it('reads a date to come', () => {
    const date = new Date(Date.now() + 20_000).toUTCString();
    expect(retryAfter(date)).to.be.within(10_000, 20_000);
  });
});

describe('signedHeaders', () => {
  const stream = { method: 'GET', url: new URL('https://host/mcp'), headers: { authorization: 'DPoP abc' } };

  it('are the headers of the request as they are', () => {
    expect(signedHeaders({ headers: {} }, stream)).to.deep.equal(stream.headers);
  });

  it('hold what has to be fresh for every request', () => {
    let count = 0;
    const credentials: Credentials = {
      headers: {},
      prove: ({ method, url }) => ({ dpop: `${method} ${url.href} ${++count}` }),
    };
    expect(signedHeaders(credentials, stream)['dpop']).to.equal('GET https://host/mcp 1');
    expect(signedHeaders(credentials, stream)).to.deep.equal({
      authorization: 'DPoP abc',
      dpop: 'GET https://host/mcp 2',
    });
    expect(stream.headers).not.to.have.property('dpop');
  });
});
