import { splitCommand } from '@mcp-connect/core';
import { expect } from 'chai';
import { ProxyProcess, runCommand } from './proxy-process.js';
import {
  fixture,
  serveFeaturesOverHttp,
  serveFeaturesOverSocket,
  type HttpPeer,
  type Peer,
} from './servers.js';

/** The headers that a server gets with every request. */
type Headers = Readonly<Record<string, string>>;

/** Lines that serve a client, as a manual shows them, and what the server is then shown. */
const SERVING: readonly (readonly [line: string, headers?: Headers])[] = [
  [
    `mcp-connect proxy --endpoint "https://mcp.context7.com/mcp" --auth-token "ctx7sk-your-api-key" --debug`,
    { authorization: 'Bearer ctx7sk-your-api-key' },
  ],
  [`mcp-connect proxy --endpoint "https://your-server.com/mcp" --debug --log-level "debug"`],
  [`mcp-connect proxy --endpoint "http://remote-server:8080/mcp" --debug`],
  [
    `mcp-connect proxy --endpoint "https://api.githubcopilot.com/mcp" --auth-token "your-bearer-token" --debug`,
    { authorization: 'Bearer your-bearer-token' },
  ],
  [
    `mcp-connect proxy --endpoint "https://api.example.com/mcp" --api-key "your-api-key" --debug`,
    { 'x-api-key': 'your-api-key' },
  ],
  [
    `mcp-connect auth-proxy --endpoint "https://oauth-server.com/mcp" --client-id "your-client-id" --client-secret "your-client-secret" --auth-url "https://oauth-server.com/oauth/authorize" --token-url "https://oauth-server.com/oauth/token" --redirect-url "http://localhost:8080/callback" --scopes "read,write" --debug`,
  ],
  [
    `mcp-connect proxy --endpoint "http://remote-server:8080/mcp" --headers "Authorization:Bearer token123,X-Custom:value" --debug`,
    { authorization: 'Bearer token123', 'x-custom': 'value' },
  ],
  [
    `mcp-connect proxy --endpoint "http://remote-server:8080/mcp" --fallbacks "stdio,tcp" --timeout 30 --retry-attempts 3 --retry-delay 1000 --debug`,
  ],
  [
    `mcp-connect load-balance --endpoints "http://server1:8080/mcp,http://server2:8080/mcp,http://server3:8080/mcp" --transport "http" --timeout 30 --retry-attempts 3 --auth-token "your-token" --debug`,
    { authorization: 'Bearer your-token' },
  ],
  [`mcp-connect proxy --endpoint "http://your-server:8080/mcp" --fallbacks "stdio,tcp"`],
  [`mcp-connect proxy --endpoint "http://host.docker.internal:8080/mcp"`],
  [`mcp-connect proxy --endpoint "http://localhost:8080/mcp" --debug --log-level "info"`],
];

/** Lines that run to their end. */
const CHECKING = [
  `mcp-connect test --endpoint "https://your-server.com/mcp"`,
  `mcp-connect test --endpoint "http://remote-server:8080/mcp" --transport "http"`,
  `mcp-connect test --endpoint "https://api.githubcopilot.com/mcp" --transport "http" --auth-token "your-token"`,
  `mcp-connect test --endpoint "localhost:9090" --transport "tcp"`,
  `mcp-connect test --endpoint "python my-server.py" --transport "stdio"`,
];

describe('every command of the manual', () => {
  let web: HttpPeer;
  let socket: Peer;

  before(async () => {
    [web, socket] = [await serveFeaturesOverHttp(), await serveFeaturesOverSocket()];
  });

  after(() => Promise.all([web.close(), socket.close()]));

  /** The words of a line, with the servers of this test in the place of those that it names. */
  function wordsOf(line: string): string[] {
    const [program, ...words] = splitCommand(line, { source: 'the manual', hint: '' });
    expect(program).to.equal('mcp-connect');
    return words.map((word, at) => {
      if (word === 'localhost:9090') return socket.args[1]!.replace('tcp://', '');
      if (word === 'python my-server.py') return fixture('feature-stdio').join(' ');
      return words[at - 1]?.startsWith('--endpoint') ? word.replaceAll(/https?:[^,]+/g, web.url) : word;
    });
  }

  for (const [line, headers = {}] of SERVING) {
    it(line, async () => {
      const before = web.requests.length;
      const proxy = new ProxyProcess(wordsOf(line));
      const { result } = await proxy.initialize();
      expect(result?.['serverInfo'], proxy.stderr).to.include({ name: 'feature-server' });
      const { result: tools } = await proxy.request(1, 'tools/list');
      expect(tools?.['tools']).not.to.have.length(0);
      expect(await proxy.end()).to.deep.equal({ code: 0, signal: null });
      for (const { headers: sent } of web.requests.slice(before)) expect(sent).to.include(headers);
    });
  }

  for (const line of CHECKING) {
    it(line, async () => {
      const { code, stderr } = await runCommand(wordsOf(line));
      expect(code, stderr).to.equal(0);
    });
  }
});
