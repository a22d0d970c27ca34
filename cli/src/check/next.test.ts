import bearer from '@mcp-connect/auth-bearer';
import header from '@mcp-connect/auth-header';
import { expect } from 'chai';
import { CHECKS } from '../command-line/modes.js';
import { cutLine, parsePlain } from '../command-line/plain.js';
import type { Values } from '../flags/flags.js';
import type { Failure } from './failure.js';
import { nextCommand } from './next.js';
import { typedLine } from './typed.js';

/** What `test` would propose for a line that failed like this. */
function nextOf(
  argv: readonly string[],
  failure: Partial<Failure>,
  { oauth = false, file }: { readonly oauth?: boolean; readonly file?: Values } = {},
): string {
  const { args, words } = cutLine(argv);
  const mode = CHECKS.test;
  const flags = { ...mode.flags, ...bearer.flags, ...header.flags };
  const values = parsePlain(args, flags, { env: {}, ...(file && { presets: file }) })!;
  const invocation = { mode, flags, plugins: [], values, args, words, variables: [], warnings: [] };
  const endpoint = mode.endpoints(values, words)[0]!;
  return nextCommand({
    endpoint,
    failure: { code: 'MCPC_CONNECT', message: '', ...failure },
    timeout: 10,
    line: typedLine({ ...invocation, file: file && 'file.yaml' }, endpoint),
    oauth,
  });
}

const next = (text: string, failure: Partial<Failure>, transport?: string): string =>
  nextOf(['--endpoint', text, ...(transport === undefined ? [] : ['--transport', transport])], failure);

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
      const old = ['--ca', 'ca.pem', '--cert', 'old.pem', '--key', 'old.key'];
      const typed = nextOf(['--endpoint', URL, ...old], { cause });
      expect(typed).to.include('--ca ca.pem --cert FILE --key FILE').and.not.include('old');
    }
    expect(next(URL, { cause: 'CERT_HAS_EXPIRED' })).to.include('--insecure');
  });

  it('signs in where the server says how', () => {
    for (const code of ['MCPC_UNAUTHORIZED', 'MCPC_SIGN_IN'] as const) {
      const typed = nextOf(['--endpoint', URL], { code }, { oauth: true });
      expect(typed).to.equal(`mcp-connect login --endpoint "${URL}"`);
    }
    const line = ['--endpoint', URL, '--call', 'echo', '--auth-token', 'old', '--ipv4'];
    expect(nextOf(line, { code: 'MCPC_UNAUTHORIZED' }, { oauth: true })).to.equal(
      `mcp-connect login --endpoint "${URL}" --ipv4`,
    );
  });

  it('allows more time only where time was short', () => {
    expect(next(URL, { code: 'MCPC_TIMEOUT' })).to.include('--timeout 30');
    expect(next(URL, { code: 'MCPC_TIMEOUT', attempts: 4 })).not.to.include('--timeout');
  });

  it('keeps the flags without which the next command fails elsewhere', () => {
    const typed = (cause?: string): string =>
      nextOf(
        ['--endpoint', URL, '--ca', 'ca.pem', '--insecure', '--ipv4'],
        cause === undefined ? {} : { cause },
      );
    expect(typed()).to.include('--ca ca.pem --insecure --ipv4');
    expect(typed('SELF_SIGNED_CERT_IN_CHAIN')).to.include('--ca FILE').and.not.include('ca.pem');
    expect(typed('ERR_SSL_WRONG_VERSION_NUMBER')).to.include('--ipv4').and.not.include('--ca');
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
      'mcp-connect test --endpoint "python s.py --key …" --transport stdio',
    );
    expect(next('stdio:python "my server.py"', {})).to.equal(
      `mcp-connect test --endpoint "python 'my server.py'" --transport stdio`,
    );
  });

  it('names a command behind -- as it was typed, quoted for a shell and without secrets', () => {
    const typed = (...words: string[]): string => nextOf(['--debug', '--', ...words], {});
    expect(typed('node', '-e', 'process.exit(3)')).to.equal(
      "mcp-connect test --debug -- node -e 'process.exit(3)'",
    );
    const random = 'x8Fq2LmZ0pRt7WvBn4KcYd';
    const words = ['node', 's.js', '--api-key', 'k1', '--token=t1', 'API_KEY=k2', 'http://u:p1@h/', random];
    expect(typed(...words)).to.equal('mcp-connect test --debug -- node s.js --api-key … … … … …');
  });

  it('keeps every flag as it was given, but of secrets only what they are', () => {
    const flags = ['--plugin', './my plugin.js', '--timeout=5', '--no-proxy', 'a,b', '--json'];
    expect(nextOf(['--endpoint', URL, ...flags], {})).to.equal(
      `mcp-connect test --endpoint "${URL}" --plugin './my plugin.js' --timeout 5 --no-proxy a,b --json`,
    );
    const secrets = ['--auth-token', 's1', '--headers', 'X-One: s2', '--proxy', 'http://u:s3@p:1'];
    expect(nextOf(['--endpoint', URL, ...secrets], {})).to.equal(
      `mcp-connect test --endpoint "${URL}" --auth-token TOKEN --headers 'X-One: VALUE' --proxy URL`,
    );
    const named = ['--auth-token', '${TOKEN}', '--headers', 'X-One: ${ONE}'];
    expect(nextOf(['--endpoint', URL, ...named], {})).to.include(
      "--auth-token '${TOKEN}' --headers 'X-One: ${ONE}'",
    );
  });

  it('leaves the endpoint to the configuration file where that names it', () => {
    const typed = nextOf(['--config', 'file.yaml', '--server', 'one'], {}, { file: { endpoint: URL } });
    expect(typed).to.equal('mcp-connect test --config file.yaml --server one');
  });
});
