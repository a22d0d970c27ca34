import { expect } from 'chai';
import * as fc from 'fast-check';
import { commandEndpoint, parseEndpoint } from './endpoint.js';
import { ConnectorError } from './errors.js';

function refused(text: string, transport?: string): ConnectorError {
  try {
    parseEndpoint(text, transport);
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('parseEndpoint', () => {
  const FORMS: readonly [
    text: string,
    transport: string | undefined,
    scheme: string,
    address: string,
    label: string,
  ][] = [
    ['https://example.com/mcp', undefined, 'http', 'example.com/mcp', 'https://example.com/mcp'],
    ['http://127.0.0.1:3000/mcp', 'http', 'http', '127.0.0.1:3000/mcp', 'http://127.0.0.1:3000/mcp'],
    ['HTTPS://Example.com', undefined, 'http', 'Example.com', 'https://example.com/'],
    ['https://example.com/sse', 'sse', 'sse', 'example.com/sse', 'https://example.com/sse'],
    ['tcp://localhost:9090', undefined, 'tcp', 'localhost:9090', 'tcp://localhost:9090'],
    ['tcp://[::1]:9090', 'tcp', 'tcp', '[::1]:9090', 'tcp://[::1]:9090'],
    ['tls://host:443', undefined, 'tls', 'host:443', 'tls://host:443'],
    ['unix:/run/mcp.sock', undefined, 'unix', '/run/mcp.sock', 'unix:/run/mcp.sock'],
    ['unix:relative.sock', 'unix', 'unix', 'relative.sock', 'unix:relative.sock'],
    [
      'stdio:python server.py --key s3cret',
      undefined,
      'stdio',
      'python server.py --key s3cret',
      'stdio:python',
    ],
    ['stdio:node fetch.js https://a.b/c', undefined, 'stdio', 'node fetch.js https://a.b/c', 'stdio:node'],
    ['python server.py', 'stdio', 'stdio', 'python server.py', 'stdio:python'],
    ['localhost:9090', 'tcp', 'tcp', 'localhost:9090', 'tcp:localhost:9090'],
    ['/run/mcp.sock', 'unix', 'unix', '/run/mcp.sock', 'unix:/run/mcp.sock'],
    ['\\\\.\\pipe\\mcp', undefined, 'unix', '\\\\.\\pipe\\mcp', 'unix:\\\\.\\pipe\\mcp'],
    ['//./pipe/mcp', 'unix', 'unix', '\\\\.\\pipe\\mcp', 'unix:\\\\.\\pipe\\mcp'],
    ['C:\\bin\\server.cmd --x', 'stdio', 'stdio', 'C:\\bin\\server.cmd --x', 'stdio:C:\\bin\\server.cmd'],
    ['stdio:C:/bin/server.exe', undefined, 'stdio', 'C:/bin/server.exe', 'stdio:C:/bin/server.exe'],
    ['ws://host/path', undefined, 'ws', 'host/path', 'ws://host/path'],
    ['  https://example.com/mcp\n', undefined, 'http', 'example.com/mcp', 'https://example.com/mcp'],
  ];
  for (const [text, transport, scheme, address, label] of FORMS) {
    it(`reads ${JSON.stringify(text)}${transport ? ` with --transport ${transport}` : ''}`, () => {
      const endpoint = parseEndpoint(text, transport);
      expect(endpoint).to.include({ scheme, address, label });
      expect(endpoint.url !== undefined).to.equal(text.includes('://') && scheme !== 'stdio');
    });
  }

  const REFUSED: readonly [text: string, transport?: string][] = [
    [''],
    ['   '],
    ['localhost:9090'],
    ['localhost:9090', 'http'],
    ['python server.py'],
    ['C:\\bin\\server.cmd'],
    ['\\\\.\\pipe\\mcp', 'tcp'],
    ['example.com/mcp', 'sse'],
    ['https://'],
    ['https://host/mcp --debug'],
    ['http://one/mcp http://two/mcp'],
    ['stdio:'],
    ['https://host:99999/'],
    ['tcp://host:0x1'],
    ['https://example.com', 'tcp'],
    ['tcp://host:1', 'http'],
    ['stdio:cmd', 'tcp'],
  ];
  for (const [text, transport] of REFUSED) {
    it(`refuses ${JSON.stringify(text)}${transport ? ` with --transport ${transport}` : ''} and says what to type`, () => {
      const error = refused(text, transport);
      expect(error.code).to.equal('MCPC_USAGE');
      expect(error.hint).to.be.a('string').that.is.not.empty;
    });
  }

  it('names what an endpoint lacks that only begins like one', () => {
    const lacking = { host: ['http://', 'HTTPS:', 'http:/x', 'tcp:'], path: ['unix:'], command: ['stdio:'] };
    for (const [what, texts] of Object.entries(lacking))
      for (const text of texts)
        expect(() => parseEndpoint(text), text)
          .to.throw(ConnectorError, what)
          .with.property('code', 'MCPC_USAGE');
  });

  it('tells a transport that is written in another case, or that no built-in plugin brings', () => {
    const hintOf = (transport: string): string | undefined => {
      try {
        parseEndpoint('http://x.example/mcp', transport);
      } catch (error) {
        return (error as ConnectorError).hint;
      }
      return undefined;
    };
    expect(hintOf('HTTP')).to.match(/--transport http\b/);
    expect(hintOf('ws')).to.include('--plugin').and.include('stdio');
    expect(hintOf('tcp')).not.to.include('--plugin');
  });

  it('hints at the transports that a bare host and port may mean', () => {
    expect(refused('localhost:9090').hint).to.include('tcp://localhost:9090');
  });

  it('shows no user, password, query or fragment in its label, and names them all as secrets', () => {
    const endpoint = parseEndpoint('https://us%40er:p%2Fw0rd@host/mcp?token=a%2Fb%2Bc&k=v4lue#frag');
    expect(endpoint.label).to.equal('https://host/mcp');
    expect(endpoint.secrets).to.include.members([
      'us%40er',
      'us@er',
      'p%2Fw0rd',
      'p/w0rd',
      'a/b+c',
      'a%2Fb%2Bc',
      'v4lue',
    ]);
  });

  it('shows no secret in any error', () => {
    const secret = 'S3CRET';
    for (const [text, transport] of [
      [`https://u:${secret}@host:99999/x?t=${secret}`],
      [`https://u:p@${secret}@host:99999/`],
      [`https://u:${secret}@host/x?t=${secret}`, 'tcp'],
      [`host/mcp?token=${secret}`],
      [`python server.py --token ${secret}`],
    ] as const) {
      const error = refused(text, transport);
      expect(`${error.message} ${error.hint}`, text).not.to.include(secret);
    }
  });

  it('never lets a secret of a well-formed URL reach the label', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9._~!$&'()*+,;=-]{8,16}$/).map((text) => `Zq${text}`);
    fc.assert(
      fc.property(
        fc.constantFrom('https', 'tcp', 'ws'),
        word,
        word,
        word,
        (scheme, user, password, token) => {
          const { label, secrets } = parseEndpoint(
            `${scheme}://${user}:${password}@host:1/p?t=${encodeURIComponent(token)}`,
          );
          for (const secret of [user, password, token]) expect(label).not.to.include(secret);
          expect(secrets).to.include(token);
        },
      ),
    );
  });
});

describe('commandEndpoint', () => {
  it('keeps the exact words and shows only the program', () => {
    const argv = ['node', 'my server.js', '--key', 's3cret'];
    expect(commandEndpoint(argv)).to.deep.include({
      scheme: 'stdio',
      argv,
      label: 'stdio:node',
      secrets: [],
    });
  });
});
