import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ProxyProcess, runCommand } from './proxy-process.js';
import { freePort, serveFeaturesOverHttp, type HttpPeer } from './servers.js';

const README = new URL('../../../cli/README.md', import.meta.url);
const STRAY = fileURLToPath(new URL('../../../cli/fixtures/stray.js', import.meta.url));

/** A folder that cannot be, wherever tests run and whoever runs them. */
const NOWHERE = '/dev/null/x';

interface Case {
  readonly line: string;
  readonly code: 0 | 1 | 2;
  readonly env?: Readonly<Record<string, string>>;
  /** What a client says. */
  readonly input?: string;
}

describe('exit codes', () => {
  let server: HttpPeer;
  let dead: string;
  let folder: string;

  before(async () => {
    server = await serveFeaturesOverHttp();
    dead = `http://127.0.0.1:${await freePort()}/mcp`;
    folder = mkdtempSync(join(tmpdir(), 'mcp-connect-'));
    const manifest = { name: 'mine', version: '1.0.0', type: 'module', exports: './index.js', oclif: {} };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(folder, 'index.js'), 'export default { name: "mine", apply() {} };\n');
  });

  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  /** One command line at least for every cell of the table; `UP`, `DOWN` and `FOLDER` stand for what is there. */
  const CASES: readonly Case[] = [
    { line: 'proxy --endpoint UP', code: 0 },
    {
      line: `proxy --plugin ${STRAY} --endpoint stray://here`,
      code: 1,
      input: '{"jsonrpc":"2.0","id":1,"method":"throw"}',
    },
    { line: 'proxy', code: 2 },
    { line: `proxy --endpoint UP --log-file ${NOWHERE}`, code: 2 },
    { line: 'proxy --endpoint UP', code: 2, env: { MCP_CONNECT_TIMEOUT: 'soon' } },
    { line: 'auth-proxy --endpoint UP --client-id me', code: 0 },
    {
      line: `auth-proxy --plugin ${STRAY} --endpoint stray://here`,
      code: 1,
      input: '{"jsonrpc":"2.0","id":1,"method":"throw"}',
    },
    { line: 'load-balance --endpoints UP,DOWN', code: 0 },
    {
      line: `load-balance --plugin ${STRAY} --endpoints stray://here`,
      code: 1,
      input: '{"jsonrpc":"2.0","id":1,"method":"throw"}',
    },
    { line: 'test --endpoint UP', code: 0 },
    { line: 'test --endpoint DOWN', code: 1 },
    { line: 'test --endpoint UP --args []', code: 2 },
    { line: 'test --endpoint UP --args {"text":"hi"}', code: 2 },
    { line: 'doctor --endpoint UP', code: 0 },
    { line: 'doctor --endpoint DOWN', code: 1 },
    { line: 'doctor --endpoint nowhere', code: 2 },
    { line: 'login --endpoint UP', code: 0 },
    { line: 'login --endpoint DOWN --timeout 1', code: 1 },
    { line: 'login --endpoint tcp://127.0.0.1:1', code: 2 },
    { line: 'logout --all', code: 0 },
    { line: 'logout', code: 2 },
    { line: 'whoami', code: 0 },
    { line: 'whoami --verify', code: 0 },
    { line: 'whoami --endpoint UP', code: 1 },
    { line: 'whoami --who', code: 2 },
    { line: 'status', code: 0 },
    { line: 'status now', code: 2 },
    { line: 'config claude-desktop --endpoint UP', code: 0 },
    { line: 'config claude-desktop --endpoint UP --auth-token secret', code: 2 },
    { line: `config claude-desktop --endpoint UP --write --file ${NOWHERE}`, code: 2 },
    { line: 'config schema', code: 0 },
    { line: 'config schema --plugin no-such-plugin', code: 2 },
    { line: 'config schema foo', code: 2 },
    { line: 'notification-demo', code: 0 },
    { line: 'notification-demo --count 0', code: 2 },
    { line: 'plugins', code: 0 },
    { line: 'plugins --plugin no-such-plugin', code: 2 },
    { line: 'plugins create mcp-mine --kind hook --dir FOLDER/new', code: 0 },
    { line: `plugins create mcp-mine --kind hook --dir ${NOWHERE}`, code: 2 },
    { line: 'plugins link FOLDER', code: 0 },
    { line: 'plugins uninstall no-such-plugin', code: 2 },
    { line: 'plugins inspect no-such-plugin', code: 2 },
    { line: 'plugins install mcp-x', code: 1, env: { MCP_CONNECT_NPM_REGISTRY: 'http://127.0.0.1:1' } },
    { line: 'plugins install', code: 2 },
    { line: 'autocomplete bash', code: 0 },
    { line: 'autocomplete bash', code: 2, env: { MCP_CONNECT_CACHE_DIR: NOWHERE } },
    { line: 'autocomplete fish', code: 2 },
    { line: 'help', code: 0 },
    { line: 'help nobody', code: 2 },
    { line: 'version', code: 0 },
    { line: 'version --jason', code: 2 },
  ];

  for (const { line, code, env = {}, input } of CASES) {
    const more = Object.entries(env).map(([name, value]) => `${name}=${value} `);
    it(`${code} for ${more.join('')}${line.replace(STRAY, 'stray.js')}`, async () => {
      const places = { UP: server.url, DOWN: dead, FOLDER: folder };
      const words = line
        .split(' ')
        .map((word) => word.replaceAll(/UP|DOWN|FOLDER/g, (name) => places[name as 'UP']));
      const own = {
        MCP_CONNECT_DATA_DIR: join(folder, '.data'),
        MCP_CONNECT_CACHE_DIR: join(folder, '.cache'),
        MCP_CONNECT_CONFIG_DIR: join(folder, '.config'),
      };
      const ended = await (input === undefined
        ? runCommand(words, { ...own, ...env })
        : conversation(words, input));
      expect(ended.code, ended.stderr).to.equal(code);
      // Whoever asks for a result by program gets none that is none.
      if (code === 2) expect(ended.stdout).to.equal('');
      if (code !== 0 && ended.stdout === '') expect(ended.stderr).to.match(/^mcp-connect: .+$/m);
    });
  }

  it('are all in the table of the README, and the table has no others', () => {
    const [, table = ''] = /<!-- exit codes -->([^]*?)<!-- end -->/.exec(readFileSync(README, 'utf8')) ?? [];
    const rows = table.trim().split('\n').slice(2);
    expect(rows).not.to.have.length(0);
    for (const row of rows) {
      const [names = '', ...cells] = row.replaceAll(/^\| | \|$/g, '').split(' | ');
      const [first = '', ...others] = [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
      const topic = first.includes(' ') ? `${first.split(' ', 1)[0]} ` : '';
      const commands = new Set([first, ...others.map((name) => topic + name)]);
      const seen = new Set(CASES.filter(({ line }) => commands.has(commandOf(line))).map(({ code }) => code));
      const told = ([0, 1, 2] as const).filter((code) => cells[code]?.trim() !== '–');
      expect([...seen], names).to.have.members(told);
    }
  });
});

/** Says one thing to a serving command and leaves it to end by itself. */
async function conversation(
  words: readonly string[],
  input: string,
): Promise<Awaited<ReturnType<typeof runCommand>>> {
  const proxy = new ProxyProcess(words);
  proxy.write(input);
  const { code } = await proxy.exit;
  return { code: code!, stdout: proxy.lines.join('\n'), stderr: proxy.stderr };
}

/** Commands that have commands below them. */
const TOPICS = new Set(['plugins', 'config']);

/** The words before the flags, without those that belong to the command. */
function commandOf(line: string): string {
  const [first = '', second = ''] = line.split(' ');
  return TOPICS.has(first) && /^[a-z]/.test(second) ? `${first} ${second}` : first;
}
