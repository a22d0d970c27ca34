import { IncomingMessage, type IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { refusalOf } from './status.js';

function response(status: number, headers: IncomingHttpHeaders = {}): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  return Object.assign(message, { statusCode: status, statusMessage: 'As It Is', headers });
}

const CHALLENGE = { 'www-authenticate': 'Bearer realm="x"' };
const ASKED = { label: 'http://host/mcp', session: false, headers: { accept: 'application/json' } };
const LATER = { 'retry-after': '3' };

describe('refusalOf', () => {
  for (const [status, headers, session, code, delivered] of [
    [303, {}, true, 'MCPC_HTTP_STATUS', 'unknown'],
    [304, {}, true, 'MCPC_HTTP_STATUS', 'rejected'],
    [400, {}, true, 'MCPC_HTTP_STATUS', 'rejected'],
    [401, {}, false, 'MCPC_UNAUTHORIZED', 'rejected'],
    [401, CHALLENGE, true, 'MCPC_UNAUTHORIZED', 'rejected'],
    [403, {}, false, 'MCPC_HTTP_STATUS', 'rejected'],
    [403, CHALLENGE, false, 'MCPC_UNAUTHORIZED', 'rejected'],
    [404, {}, false, 'MCPC_HTTP_STATUS', 'rejected'],
    [404, {}, true, 'MCPC_SESSION_LOST', 'rejected'],
    [405, {}, true, 'MCPC_HTTP_STATUS', 'rejected'],
    [406, {}, true, 'MCPC_HTTP_STATUS', 'rejected'],
    [408, {}, true, 'MCPC_HTTP_STATUS', 'unknown'],
    [413, {}, true, 'MCPC_HTTP_STATUS', 'rejected'],
    [415, {}, true, 'MCPC_HTTP_STATUS', 'rejected'],
    [429, {}, false, 'MCPC_RATE_LIMITED', 'rejected'],
    [429, LATER, false, 'MCPC_RATE_LIMITED', 'rejected'],
    [500, LATER, false, 'MCPC_HTTP_STATUS', 'unknown'],
    [502, {}, false, 'MCPC_HTTP_STATUS', 'unknown'],
    [503, {}, false, 'MCPC_HTTP_STATUS', 'unknown'],
    [503, LATER, false, 'MCPC_RATE_LIMITED', 'rejected'],
    [504, {}, false, 'MCPC_HTTP_STATUS', 'unknown'],
    [520, {}, false, 'MCPC_HTTP_STATUS', 'unknown'],
    [524, {}, false, 'MCPC_HTTP_STATUS', 'unknown'],
  ] as const) {
    const facts = [...Object.keys(headers), ...(session ? ['a session'] : [])].join(' and ');
    it(`takes ${status}${facts && ` with ${facts}`} for ${code}, ${delivered}`, () => {
      const error = refusalOf(response(status, headers), { ...ASKED, session });
      expect(error).to.include({ code, delivered, status });
    });
  }

  for (const [status, headers] of [
    [401, {}],
    [401, CHALLENGE],
    [403, {}],
    [403, CHALLENGE],
  ] as const) {
    it(`tells credentials that are refused from none, by ${status}${headers === CHALLENGE ? ' and a challenge' : ''}`, () => {
      const hintFor = (fields: Record<string, string>): string | undefined =>
        refusalOf(response(status, headers), { ...ASKED, headers: fields }).hint;
      const none = hintFor({ 'mcp-param-key': 'a', 'x-trace': 'b' });
      expect(none).to.contain('--auth-token TOKEN');
      for (const name of ['authorization', 'X-API-Key', 'cookie', 'x-goog-api-key', 'PRIVATE-TOKEN'])
        expect(hintFor({ [name]: 'secret' }), name).not.to.equal(none);
    });
  }

  it('hands the challenge on', () => {
    expect(refusalOf(response(403, CHALLENGE), ASKED).challenge).to.deep.equal({
      status: 403,
      wwwAuthenticate: 'Bearer realm="x"',
    });
    expect(refusalOf(response(401), ASKED).challenge).to.deep.equal({ status: 401 });
    const nonce = { ...CHALLENGE, 'dpop-nonce': 'abc' };
    expect(refusalOf(response(401, nonce), ASKED).challenge).to.include({ nonce: 'abc' });
  });

  it('says when to come back, where the server does', () => {
    expect(refusalOf(response(429, LATER), ASKED).retryAfter).to.equal(3_000);
    expect(refusalOf(response(503, LATER), ASKED).retryAfter).to.equal(3_000);
    expect(refusalOf(response(429), ASKED).retryAfter).to.equal(undefined);
  });

  it('names the endpoint and the status', () => {
    expect(refusalOf(response(418), ASKED).message)
      .to.include('http://host/mcp')
      .and.include('418');
  });
});
