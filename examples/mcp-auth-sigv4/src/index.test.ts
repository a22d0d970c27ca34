import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Connector, createLog, Envelope, type JSONRPCMessage, type WebRequest } from '@mcp-connect/core';
import { testAuth } from '@mcp-connect/testing';
import http from '@mcp-connect/transport-http';
import { expect } from 'chai';
import sigv4 from './index.js';
import { signatureOf } from './sign.js';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const KEY = {
  region: 'us-east-1',
  service: 'execute-api',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: SECRET,
};
const OPTIONS = {
  'sigv4-region': KEY.region,
  'sigv4-access-key-id': KEY.accessKeyId,
  'sigv4-secret-access-key': SECRET,
  'sigv4-session-token': 'session-token-1234',
};

/** Checks a signature as the service does: from the request alone, and the key that it knows. */
function isSigned({ headers, ...request }: WebRequest): boolean {
  const { authorization, 'x-amz-date': time = '', 'x-amz-security-token': sessionToken, ...others } = headers;
  const iso = time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const key = { ...KEY, sessionToken, date: new Date(iso) };
  if (Math.abs(Date.now() - key.date.getTime()) > 300_000) return false;
  const names = /SignedHeaders=([^,]+)/.exec(authorization ?? '')?.[1]?.split(';') ?? [];
  const signed = Object.fromEntries(Object.entries(others).filter(([name]) => names.includes(name)));
  return signatureOf({ ...request, headers: signed }, key)['authorization'] === authorization;
}

describe('mcp-auth-sigv4 keeps the contract of a plugin that signs in', () => {
  testAuth(it, {
    plugin: sigv4,
    options: () => OPTIONS,
    accepts: isSigned,
    secrets: [SECRET, 'session-token-1234'],
  });
});

describe('the signature', () => {
  const key = { ...KEY, service: 'service', date: new Date('2015-08-30T12:36:00Z') };
  const sign = (
    method: string,
    path: string,
    headers: Record<string, string>,
    service = 'service',
  ): string => {
    const url = new URL(path, 'https://example.amazonaws.com');
    return signatureOf({ method, url, headers }, { ...key, service })['authorization']!;
  };

  // From the test suite that AWS publishes for Signature Version 4.
  for (const [name, method, path, signature] of [
    ['get-vanilla', 'GET', '/', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['post-vanilla', 'POST', '/', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'get-vanilla-query-order-key-case',
      'GET',
      '/?Param2=value2&Param1=value1',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
  ] as const) {
    it(`is that of ${name}`, () => {
      expect(sign(method, path, {})).to.equal(
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
      );
    });
  }

  it('is that of the example of the documentation', () => {
    const url = 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08';
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
    expect(sign('GET', url, headers, 'iam')).to.include(
      'Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    );
  });
});

describe('mcp-auth-sigv4 over HTTP', () => {
  let server: Server;
  let requests: WebRequest[];
  let url: string;

  beforeEach(async () => {
    requests = [];
    server = createServer((request, response) => {
      void buffer(request).then((body) => {
        requests.push(requestOf(request, body));
        if (body.length === 0) return response.writeHead(405).end();
        const { id } = JSON.parse(body.toString()) as { id?: number };
        if (id === undefined) return response.writeHead(202).end();
        const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} };
        return response
          .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'session-1' })
          .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/my%20stage/mcp?b=2&a=%C3%A9`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });

  function requestOf({ method, url: path, headers }: IncomingMessage, body: Buffer): WebRequest {
    const fields = headers as Record<string, string>;
    return { method: method!, url: new URL(path!, `http://${headers.host}`), headers: fields, body };
  }

  it('signs each request of a session, with its body and headers', async () => {
    const log = createLog({ level: 'error', write: () => undefined });
    const connector = new Connector({ log }).use(http).use(sigv4, OPTIONS);
    connector.endpoint(url);
    let answered: (message: JSONRPCMessage) => void;
    const pipeline = connector.connect({ deliver: ({ message }) => answered(message) });
    const ask = (id: number, method: string): Promise<JSONRPCMessage> => {
      const answer = new Promise<JSONRPCMessage>((resolve) => (answered = resolve));
      void pipeline.accept(Envelope.of({ jsonrpc: '2.0', id, method, params: { text: 'é' } }));
      return answer;
    };
    expect(await ask(0, 'initialize')).to.have.property('result');
    await pipeline.accept(Envelope.of({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    expect(await ask(1, 'tools/list')).to.have.property('result');
    await pipeline.close();

    expect(requests.map(({ method }) => method).sort()).to.deep.equal([
      'DELETE',
      'GET',
      'POST',
      'POST',
      'POST',
    ]);
    for (const request of requests) expect(isSigned(request), request.method).to.equal(true);
    const { authorization } = requests.at(-1)!.headers;
    expect(authorization).to.include('host;mcp-protocol-version;mcp-session-id;x-amz-date');
    expect(new Set(requests.map(({ headers }) => headers['authorization'])).size).to.be.greaterThan(2);
  });
});

describe('mcp-auth-sigv4 at start', () => {
  it('asks for the access key', () => {
    const log = createLog({ level: 'error', write: () => undefined });
    expect(() => new Connector({ log }).use(sigv4, { 'sigv4-region': 'us-east-1' }).start())
      .to.throw('access key')
      .with.property('code', 'MCPC_USAGE');
  });
});
