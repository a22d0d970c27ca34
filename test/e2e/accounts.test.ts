import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { serveProtected, type ProtectedServer } from '../fixtures/protected-server.js';
import { Desk } from './desk.js';
import { runCommand } from './proxy-process.js';
import { serveFeaturesOverHttp } from './servers.js';

interface Listed {
  readonly resource: string;
  readonly issuer: string;
  readonly profile: string;
  readonly clientId: string;
  readonly state: string;
  readonly verdict?: string;
  readonly revocation?: string;
}

describe('login, whoami and logout', () => {
  let server: ProtectedServer;
  let desk: Desk;

  before(async () => (server = await serveProtected()));
  after(() => server.close());
  beforeEach(async () => (desk = await Desk.open('browser')));
  afterEach(() => desk.close());

  const run = (...args: readonly string[]): ReturnType<typeof runCommand> => runCommand(args, desk.env);
  const here = (): string[] => ['--endpoint', server.url];

  async function listed(...args: readonly string[]): Promise<readonly Listed[]> {
    const { stdout } = await run(...args, '--json');
    return JSON.parse(stdout) as Listed[];
  }

  it('sign in once, list without secrets, verify, revoke', async () => {
    expect((await run('whoami', ...here())).code).to.equal(1);
    const first = await run('login', ...here());
    expect(first.code, first.stderr).to.equal(0);
    expect(first.stdout).to.contain(server.url).and.to.contain(server.authorization.issuer);

    const asked = server.authorization.requests.length;
    expect((await run('login', ...here())).code).to.equal(0);
    expect(server.authorization.requests).to.have.length(asked);

    const { code, stdout } = await run('whoami', ...here(), '--verify');
    expect(code).to.equal(0);
    for (const secret of server.tokens) expect(stdout).not.to.contain(secret);
    const [signIn, ...others] = await listed('whoami', '--verify');
    expect(others).to.deep.equal([]);
    expect(signIn).to.deep.include({
      resource: server.url,
      profile: 'default',
      state: 'valid',
      verdict: 'accepted',
    });

    const token = server.tokens.at(-1)!;
    expect(await listed('logout', ...here())).to.have.nested.property('[0].revocation', 'revoked');
    expect(await server.authorization.check(token, server.url)).to.equal(undefined);
    expect(await listed('whoami')).to.deep.equal([]);
  });

  it('take no given credentials for proven where a sign-in is there already', async () => {
    const first = JSON.parse((await run('login', ...here(), '--json')).stdout) as Listed;
    expect(first).to.include({ already: false });
    const given = ['--oauth-client-id', first.clientId, '--oauth-client-secret', 'wrong'];
    const asked = server.authorization.requests.length;
    const { code, stdout } = await run('login', ...here(), ...given, '--json');
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.include({ already: true });
    expect(server.authorization.requests).to.have.length(asked);
    const { stdout: told } = await run('login', ...here());
    expect(told).to.contain(`mcp-connect logout --endpoint ${server.url}`);
  });

  it('keep the accounts of one server apart by profile', async () => {
    await run('login', ...here());
    await run('login', ...here(), '--profile', 'work');
    const profiles = (await listed('whoami')).map(({ profile }) => profile);
    expect(profiles).to.have.members(['default', 'work']);
    await run('logout', ...here(), '--profile', 'work');
    expect((await listed('whoami')).map(({ profile }) => profile)).to.deep.equal(['default']);
    expect(await listed('logout', '--all')).to.have.length(1);
    expect(await listed('whoami')).to.deep.equal([]);
  });

  it('tell when a server no longer takes a sign-in', async () => {
    await run('login', ...here());
    await server.authorization.revoke(server.tokens.at(-1)!, 'sign-in');
    const { code, stdout } = await run('whoami', ...here(), '--verify', '--json');
    expect(JSON.parse(stdout)).to.have.nested.property('[0].verdict', 'refused');
    expect(code).to.equal(1);
  });

  it('say so when a server asks for no sign-in', async () => {
    const open = await serveFeaturesOverHttp();
    const { code, stdout } = await run('login', '--endpoint', open.url);
    expect(code).to.equal(0);
    expect(stdout).to.contain('no sign-in');
    await open.close();
  });

  for (const [what, args, advice] of [
    ['no endpoint', ['login'], '--endpoint'],
    ['no endpoint', ['logout'], '--all'],
    ['a server that is not on the web', ['login', '--endpoint', 'tcp://127.0.0.1:1'], 'https://'],
    [
      'a sign-in page without a token endpoint',
      ['auth-proxy', '--auth-url', 'https://as.example/a'],
      '--token-url',
    ],
    [
      'the addresses of an authorization server without a client',
      ['auth-proxy', '--auth-url', 'https://as.example/a', '--token-url', 'https://as.example/t'],
      '--client-id',
    ],
    ['a secret without a client', ['auth-proxy', '--client-secret', 'hunter2'], '--client-id'],
    ['a page that is no address', ['auth-proxy', '--auth-url', 'as.example'], 'https://'],
  ] as const) {
    it(`${args[0]} with ${what} names what to type`, async () => {
      const more = args[0] === 'auth-proxy' ? here() : [];
      const { code, stderr } = await run(...args, ...more);
      expect(code).to.equal(2);
      expect(stderr.trim().split('\n')).to.have.length(1);
      expect(stderr).to.contain(advice);
    });
  }

  it('leave nothing that others of this machine can read', async () => {
    await run('login', ...here());
    const names = await readdir(desk.signIns);
    expect((await stat(desk.signIns)).mode & 0o777).to.equal(0o700);
    for (const name of names) expect((await stat(join(desk.signIns, name))).mode & 0o777).to.equal(0o600);
  });

  it('move a file that is damaged aside, say so, and sign in anew', async () => {
    await run('login', ...here());
    const name = (await readdir(desk.signIns)).find((each) => each.endsWith('.json'))!;
    await writeFile(join(desk.signIns, name), 'half a fi');
    const { code, stderr } = await run('login', ...here());
    expect(code).to.equal(0);
    const aside = (await readdir(desk.signIns)).find((each) => each.endsWith('.corrupt'))!;
    expect(stderr).to.contain(aside);
    expect(await readFile(join(desk.signIns, aside), 'utf8')).to.equal('half a fi');
    expect(await listed('whoami')).to.have.length(1);
  });

  it('name a folder that cannot be written', async () => {
    // A file in the way stops even the one user who may write everywhere.
    await mkdir(dirname(desk.signIns), { recursive: true });
    await writeFile(desk.signIns, '');
    await chmod(desk.signIns, 0o400);
    const { code, stderr } = await run('login', ...here());
    expect(code).to.equal(1);
    expect(stderr).to.contain(desk.signIns).and.to.contain('MCP_CONNECT_STATE_DIR');
  });
});
