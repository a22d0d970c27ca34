import { commandEndpoint, createLog, parseEndpoint, type Endpoint } from '@mcp-connect/core';
import { expect } from 'chai';
import { readFallbacks } from './parse.js';

const web = parseEndpoint('http://remote-server:8080/mcp');

interface Given {
  readonly primary?: Endpoint | undefined;
  readonly command?: string;
}

/** Returns each fallback as `scheme address`, and each warning. */
function read(
  text: string,
  { primary = web, command }: Given = {},
): { fallbacks: string[]; warnings: string[] } {
  const warnings: string[] = [];
  const log = createLog({ level: 'warn', write: ({ text: line }) => warnings.push(line) });
  const endpoints = readFallbacks(text, { primary, command, log });
  return { fallbacks: endpoints.map(({ scheme, address }) => `${scheme} ${address}`), warnings };
}

describe('--fallbacks', () => {
  const good: [text: string, fallbacks: string[], given?: Given][] = [
    ['tcp', ['tcp remote-server:8080']],
    ['tls', ['tls remote-server:443'], { primary: parseEndpoint('https://remote-server/mcp') }],
    ['tcp', ['tcp [::1]:80'], { primary: parseEndpoint('http://[::1]/mcp') }],
    ['tls', ['tls localhost:9090'], { primary: parseEndpoint('localhost:9090', 'tcp') }],
    ['tcp', ['tcp localhost:9090'], { primary: parseEndpoint('tls://localhost:9090') }],
    ['sse', ['sse remote-server:8080/mcp']],
    [
      'http',
      ['http remote-server:8080/mcp'],
      { primary: parseEndpoint('http://remote-server:8080/mcp', 'sse') },
    ],
    [
      'STDIO, tcp',
      ['stdio python "my server.py"', 'tcp remote-server:8080'],
      { command: 'python "my server.py"' },
    ],
    ['tcp://h:9090,stdio:python server.py', ['tcp h:9090', 'stdio python server.py']],
    [
      'stdio:python server.py --tags a,b,tcp',
      ['stdio python server.py --tags a,b', 'tcp remote-server:8080'],
    ],
    ['https://a/x?y=1,2, unix:/run/x.sock', ['http a/x?y=1,2', 'unix /run/x.sock']],
  ];
  for (const [text, fallbacks, given] of good) {
    it(`reads ${text} beside ${given?.primary?.label ?? web.label}`, () => {
      expect(read(text, given)).to.deep.equal({ fallbacks, warnings: [] });
    });
  }

  const incomplete: [text: string, left: string[], given?: Given][] = [
    ['stdio,tcp', ['tcp remote-server:8080']],
    ['http', []],
    ['tcp', [], { primary: parseEndpoint('tcp://h:1') }],
    ['tcp', [], { primary: commandEndpoint(['node', 'server.js']) }],
    ['tcp', [], { primary: parseEndpoint('unix:/run/x.sock') }],
    ['sse', [], { primary: parseEndpoint('tcp://h:1') }],
  ];
  for (const [text, left, given] of incomplete) {
    it(`leaves out what lacks something in ${text} beside ${given?.primary?.label ?? web.label}, and says so`, () => {
      const { fallbacks, warnings } = read(text, given);
      expect(fallbacks).to.deep.equal(left);
      expect(warnings).to.have.length(1);
    });
  }

  for (const text of ['', 'stdio,tpc', 'carrier-pigeon', 'tcp,http://h:99999', 'tcp,']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => read(text, { command: 'x' }))
        .to.throw()
        .that.includes({ code: 'MCPC_USAGE' });
    });
  }
});
