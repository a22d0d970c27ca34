import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ProxyProcess, runCommand } from './proxy-process.js';
import { serveFeaturesOverHttp, type HttpPeer } from './servers.js';

const PLUGIN = `export default {
  name: 'stamp',
  flags: { stamp: { type: 'string', env: 'STAMP_TEXT', summary: 'Text to stamp with.' } },
  apply({ hooks }, { stamp }) {
    hooks.authenticate.tap('stamp', ({ headers }) => void (headers['x-stamp'] = stamp ?? 'none'));
  },
};`;

describe('a configuration file on the command line', () => {
  let server: HttpPeer;
  let folder: string;
  let file: string;

  before(async () => {
    server = await serveFeaturesOverHttp();
    folder = mkdtempSync(join(tmpdir(), 'mcp-connect-'));
    file = join(folder, 'c.yaml');
    writeFileSync(join(folder, 'stamp.mjs'), PLUGIN);
    writeFileSync(
      file,
      `endpoint: ${server.url}
headers: { X-Tenant: of-the-file, X-Key: "\${KEY}" }
user-agent: of-the-file
log-file: ./log.txt
plugins:
  - name: ./stamp.mjs
    options: { stamp: of-the-file }
`,
    );
  });

  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  /** Runs `proxy` until the handshake is done, and returns the headers of its first request. */
  async function headersOf(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<HttpPeer['requests'][number]['headers']> {
    const before = server.requests.length;
    const proxy = new ProxyProcess(['proxy', ...args], env);
    const { result } = await proxy.initialize();
    expect(result, proxy.stderr).to.have.property('serverInfo');
    await proxy.end();
    return server.requests[before]!.headers;
  }

  it('gives the endpoint, headers, a plugin beside it and its options', async () => {
    expect(await headersOf(['--config', file], { KEY: 'k' })).to.include({
      'x-tenant': 'of-the-file',
      'x-key': 'k',
      'x-stamp': 'of-the-file',
      'user-agent': 'of-the-file',
    });
    expect(readFileSync(join(folder, 'log.txt'), 'utf8')).not.to.include('of-the-file');
  });

  it('yields to a variable, which yields to a flag', async () => {
    const env = {
      MCP_CONNECT_CONFIG: file,
      MCP_CONNECT_USER_AGENT: 'variable',
      STAMP_TEXT: 'variable',
      KEY: 'k',
    };
    expect(await headersOf([], env)).to.include({ 'user-agent': 'variable', 'x-stamp': 'variable' });
    const flags = ['--user-agent', 'flag', '--stamp', 'flag', '--headers', 'X-Other: flag'];
    expect(await headersOf(flags, env))
      .to.include({ 'user-agent': 'flag', 'x-stamp': 'flag', 'x-other': 'flag' })
      .and.not.have.property('x-tenant');
  });

  it('holds for commands that the command framework reads, and shows its plugins in help', async () => {
    const tested = await runCommand(['test', '--config', file, '--json'], { KEY: 'k' });
    expect(JSON.parse(tested.stdout)).to.include({ ok: true });
    const help = await runCommand(['proxy', '--help', '--config', file]);
    expect(help.stdout).to.include('--stamp');
  });

  it('is looked at by the doctor, with every server in it', async () => {
    const several = join(folder, 'several.yaml');
    writeFileSync(
      several,
      `servers:\n  good: { endpoint: "${server.url}" }\n  bad: { endpoint: "tcp://x" }\n`,
    );
    const { code, stdout } = await runCommand(['doctor', '--config', several, '--json']);
    const { findings } = JSON.parse(stdout) as { findings: { name: string; status: string }[] };
    const status = (name: string): string | undefined =>
      findings.find((each) => each.name.startsWith(name))?.status;
    expect([status('config file'), status('good'), status('server bad')]).to.deep.equal([
      'ok',
      'ok',
      'failed',
    ]);
    expect(code).to.equal(1);
    writeFileSync(several, 'endpont: x');
    const broken = await runCommand(['doctor', '--config', several, '--endpoint', server.url]);
    expect(broken.stdout).to.include(`${several}:1:1`).and.include(`✓ ${server.url}`);
    expect(broken.code).to.equal(1);
  });

  it('with a mistake ends the command: one line with the place, exit code 2, nothing on stdout', async () => {
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, 'plugins:\n  - name: ./stamp.mjs\n    options: { stmp: x }\n');
    for (const args of [
      ['--config', wrong],
      ['--config', join(folder, 'none.yaml')],
      ['--config='],
      ['--config', file, '--server', 'x'],
      ['--server', 'x'],
    ]) {
      const proxy = new ProxyProcess(['proxy', ...args], { KEY: 'k' });
      expect(await proxy.exit).to.deep.equal({ code: 2, signal: null });
      expect(proxy.lines).to.deep.equal([]);
      expect(proxy.stderr).to.match(/^mcp-connect: [^\n]+\n$/);
    }
    const { stderr } = await runCommand(['proxy', '--config', wrong]);
    expect(stderr).to.include(`${wrong}:3:16: `).and.include('Did you mean stamp?');
  });

  it('goes into the settings of a client, whose entry then works', async () => {
    const settings = join(folder, 'mcp.json');
    const words = ['config', 'cursor', '--name', 'mine', '--file', settings];
    const flags = ['--endpoint', server.url, '--auth-token', '${MY_TOKEN}', '--config', file];
    const dry = await runCommand([...words, ...flags, '--dry-run']);
    expect(dry.stdout).to.include('+').and.include('${env:MY_TOKEN}');
    const written = await runCommand([...words, ...flags, '--write', '--json']);
    expect(JSON.parse(written.stdout)).to.include({ name: 'mine', file: settings, written: true });
    const { mcpServers } = JSON.parse(readFileSync(settings, 'utf8')) as {
      mcpServers: { mine: { command: string; args: string[]; env: Record<string, string> } };
    };
    const { command, args, env } = mcpServers.mine;
    expect(command).to.equal(process.execPath);
    // As Cursor does.
    const token = env['MCP_CONNECT_AUTH_TOKEN']!.replace('${env:MY_TOKEN}', 'sesame');
    expect(
      await headersOf(args.slice(args.indexOf('proxy') + 1), { MCP_CONNECT_AUTH_TOKEN: token, KEY: 'k' }),
    ).to.include({ authorization: 'Bearer sesame', 'x-tenant': 'of-the-file' });
    expect(await runCommand([...words, ...flags, '--write'])).to.include({ code: 0 });
    const other = await runCommand([...words, '--endpoint', server.url, '--write']);
    expect(other).to.include({ code: 2, stdout: '' });
    const removed = await runCommand([...words, '--remove']);
    expect(removed.code, removed.stderr).to.equal(0);
    expect(JSON.parse(readFileSync(settings, 'utf8'))).to.deep.equal({ mcpServers: {} });
  });

  it('has a schema to print, which knows a plugin that is named', async () => {
    const { stdout } = await runCommand(['config', 'schema', '--plugin', join(folder, 'stamp.mjs')]);
    expect(JSON.parse(stdout)).to.have.nested.property('properties.endpoint');
    expect(stdout).to.include('"stamp"');
  });
});
