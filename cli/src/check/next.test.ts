import { commandEndpoint, parseEndpoint } from '@mcp-connect/core';
import { expect } from 'chai';
import type { Failure } from './failure.js';
import { nextCommand } from './next.js';

const next = (text: string, failure: Partial<Failure>, transport?: string): string =>
  nextCommand({
    endpoint: parseEndpoint(text, transport),
    failure: { code: 'MCPC_CONNECT', message: '', ...failure },
    timeout: 10,
  });

describe('the command to type next', () => {
  const URL = 'https://x.example/mcp';

  it('asks for what was missing', () => {
    expect(next(URL, { code: 'MCPC_UNAUTHORIZED' })).to.equal(
      `mcp-connect test --endpoint "${URL}" --auth-token TOKEN`,
    );
    expect(next(URL, { cause: 'DEPTH_ZERO_SELF_SIGNED_CERT' })).to.include('--ca FILE');
    expect(next(URL, { cause: 'ERR_TLS_CERT_ALTNAME_INVALID' })).to.include('--servername HOST');
  });

  it('asks for a certificate of ours where the server does, and for another where one was given', () => {
    for (const cause of [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    ]) {
      const typed = nextCommand({
        endpoint: parseEndpoint(URL),
        failure: { code: 'MCPC_CONNECT', message: '', cause },
        timeout: 10,
        tls: ['--ca "ca.pem"', '--cert "old.pem"', '--key "old.key"'],
      });
      expect(typed).to.include('--ca "ca.pem" --cert FILE --key FILE').and.not.include('old');
    }
    expect(next(URL, { cause: 'CERT_HAS_EXPIRED' })).to.include('--insecure');
  });

  it('signs in where the server says how', () => {
    const endpoint = parseEndpoint(URL);
    for (const code of ['MCPC_UNAUTHORIZED', 'MCPC_SIGN_IN'] as const) {
      const failure = { code, message: '' };
      const typed = nextCommand({ endpoint, failure, timeout: 10, oauth: true });
      expect(typed).to.equal(`mcp-connect login --endpoint "${URL}"`);
    }
  });

  it('allows more time only where time was short', () => {
    expect(next(URL, { code: 'MCPC_TIMEOUT' })).to.include('--timeout 30');
    expect(next(URL, { code: 'MCPC_TIMEOUT', attempts: 4 })).not.to.include('--timeout');
  });

  it('keeps the flags without which the next command fails elsewhere', () => {
    const tls = ['--ca "ca.pem"', '--insecure'];
    const endpoint = parseEndpoint(URL);
    const typed = (cause?: string): string =>
      nextCommand({
        endpoint,
        failure: { code: 'MCPC_CONNECT', message: '', ...(cause !== undefined && { cause }) },
        timeout: 10,
        tls,
      });
    expect(typed()).to.include('--ca "ca.pem" --insecure');
    expect(typed('SELF_SIGNED_CERT_IN_CHAIN')).to.include('--ca FILE').and.not.include('ca.pem');
    expect(typed('ERR_SSL_WRONG_VERSION_NUMBER')).not.to.include('--ca');
  });

  it('leaves TLS out where nobody speaks it', () => {
    expect(next(URL, { cause: 'ERR_SSL_WRONG_VERSION_NUMBER' })).to.include('"http://x.example/mcp"');
    expect(next('tls://x.example:9', { cause: 'ERR_SSL_WRONG_VERSION_NUMBER' })).to.include(
      '"tcp://x.example:9"',
    );
  });

  it('tries the usual path, unless it was that', () => {
    expect(next('https://x.example/', { code: 'MCPC_HTTP_STATUS' })).to.include(`"${URL}"`);
    expect(next(URL, { code: 'MCPC_HTTP_STATUS' })).to.include('--debug');
    expect(next(URL, { code: 'MCPC_HTTP_STATUS' }, 'sse')).to.equal(`mcp-connect test --endpoint "${URL}"`);
  });

  it('names the endpoint in a form that can be typed, without secrets', () => {
    expect(next('https://user:pass@x.example/mcp?key=abc', {})).to.equal(
      `mcp-connect test --endpoint "${URL}"`,
    );
    expect(next('localhost:9', {}, 'tcp')).to.equal(
      'mcp-connect test --endpoint "localhost:9" --transport tcp',
    );
    expect(next('unix:/run/x.sock', {})).to.equal('mcp-connect test --endpoint "unix:/run/x.sock"');
    expect(next('python s.py --key abc', {}, 'stdio')).to.equal(
      'mcp-connect test --endpoint "python …" --transport stdio',
    );
    const endpoint = commandEndpoint(['node', 's.js', 'abc']);
    expect(nextCommand({ endpoint, failure: { code: 'MCPC_CONNECT', message: '' }, timeout: 1 })).to.equal(
      'mcp-connect test -- node …',
    );
    expect(
      nextCommand({ endpoint, failure: { code: 'MCPC_BAD_RESPONSE', message: '' }, timeout: 1 }),
    ).to.equal('mcp-connect test --debug -- node …');
  });
});
