import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOG_LEVELS } from '@mcp-connect/core';
import { expect } from 'chai';
import { ProxyProcess } from '../e2e/proxy-process.js';
import { FAULTS, LeakyServer } from './leaky.js';

/** What the user and the server tell in confidence, with characters that encodings change. */
const SECRETS = {
  token: 'to/ken+4f1c=',
  key: 'ke/y+77d0=',
  header: 'he/ader+51d2=',
  user: 'us/er+c0de',
  password: 'pa/ss+90ab%',
  query: 'que/ry+e3f4=',
  session: 'ses/sion+1b2c=',
  cookie: 'coo/kie+8d9e=',
  code: 'co/de+2a3b=',
  variable: 'var/iable+6c7d=',
} as const;

/** Every form in which a secret might be shown. */
const FORMS: readonly string[] = [
  ...Object.values(SECRETS).flatMap(formsOf),
  ...formsOf(`${SECRETS.user}:${SECRETS.password}`),
];

/** What servers and programs say aloud. */
const WORDS = FORMS.join(' ');

/** One more than the levels: everything that DEBUG can bring. */
const TALKATIVENESS = [
  ...LOG_LEVELS.map((level) => ({ name: level as string, flags: ['--log-level', level], env: {} })),
  { name: 'DEBUG=*', flags: [], env: { DEBUG: '*' } },
];

const BRISK = ['--timeout', '1', '--retry-delay', '10', '--max-message-size', '50000'];

describe('Secrets', function () {
  this.timeout(60_000);
  let server: LeakyServer;
  let folder: string;
  let proxy: ProxyProcess | undefined;

  beforeEach(async () => {
    server = await new LeakyServer({
      session: SECRETS.session,
      cookie: `id=${SECRETS.cookie}; code=${SECRETS.code}`,
    }).listen();
    server.words = WORDS;
    folder = await mkdtemp(join(tmpdir(), 'mcp-connect-secrets-'));
  });
  afterEach(async () => {
    await proxy?.stop();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Checks that a run has shown nothing: not on stdout, not on stderr, not in a file. */
  async function keepsQuiet({ lines, stderr }: ProxyProcess): Promise<void> {
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((entry) => entry.isFile())
      .map(async (entry) => `${entry.name}\n${await readFile(join(entry.parentPath, entry.name), 'utf8')}`);
    const places = { stdout: lines.join('\n'), stderr, files: (await Promise.all(texts)).join('\n') };
    for (const [place, text] of Object.entries(places)) {
      const shown = FORMS.filter((form) => text.includes(form));
      expect(shown, place).to.deep.equal([]);
    }
  }

  /** Starts mcp-connect in a home of its own. */
  function start(args: readonly string[], env: Readonly<Record<string, string>>): ProxyProcess {
    const home = {
      HOME: folder,
      XDG_CONFIG_HOME: folder,
      XDG_STATE_HOME: folder,
      XDG_CACHE_HOME: folder,
      TMPDIR: folder,
    };
    return new ProxyProcess(args, { ...home, ...env });
  }

  for (const { name, flags, env } of TALKATIVENESS) {
    for (const signedIn of [true, false]) {
      it(`stay secret ${signedIn ? 'with a token' : 'with a password'}, at ${name}`, async () => {
        const { token, key, header, user, password, query } = SECRETS;
        const given = ['--api-key', key, '--headers', `X-Custom: ${header}`];
        if (signedIn) given.push('--auth-token', token);
        const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
        const endpoint = `http://${login}@${server.host}/mcp?key=${encodeURIComponent(query)}&q=${query}`;
        proxy = start(['proxy', ...BRISK, ...flags, ...given, '--endpoint', endpoint], env);
        await proxy.initialize();
        for (const fault of Object.keys(FAULTS)) {
          await proxy.request(`call ${fault}`, 'tools/call', { name: fault, arguments: {} });
          await proxy.request(`read ${fault}`, 'resources/read', { uri: fault });
        }
        await server.close();
        expect((await proxy.request('gone', 'tools/call', { name: 'json' })).error).to.be.an('object');
        await proxy.end();
        await keepsQuiet(proxy);
        expect(server.strayed, 'another origin').to.deep.equal([]);
      });
    }

    it(`stay secret with a program that says them aloud, at ${name}`, async () => {
      const program = `
        const words = process.env.WORDS.replaceAll(' ', ' and ');
        const say = () => { console.error(words); console.log('Hello ' + words); };
        say();
        process.stdin.once('data', () => { say(); process.exit(3); });`;
      const variable = [
        '--stdio-env',
        `SECRET=${SECRETS.variable}`,
        '--stdio-env',
        `WORDS=${formsOf(SECRETS.variable).join(' ')}`,
      ];
      const command = [process.execPath, '-e', program, SECRETS.token];
      proxy = start(['proxy', ...BRISK, ...flags, ...variable, '--', ...command], env);
      expect((await proxy.request(1, 'tools/call')).error!.message).to.include('hidden');
      await proxy.end();
      await keepsQuiet(proxy);
    });
  }

  it('never reach another origin, whichever message is redirected', async () => {
    // Its notification stream and the end of its session are redirected too.
    proxy = start(
      ['proxy', ...BRISK, '--auth-token', SECRETS.token, '--endpoint', `http://${server.host}/`],
      {},
    );
    await proxy.initialize();
    for (const status of [301, 302, 303, 307, 308]) {
      const { error } = await proxy.request(status, 'tools/call', { name: `${status}` });
      // 303 shows where to look for what came of a request that may have been carried out.
      const expected =
        status === 303
          ? { code: 'MCPC_OUTCOME_UNKNOWN', executed: 'unknown' }
          : { code: 'MCPC_HTTP_STATUS', executed: 'no' };
      expect(error!.data).to.include(expected);
    }
    await proxy.end();
    expect(server.strayed).to.deep.equal([]);
  });
});

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const percent = encodeURIComponent(secret);
  return [
    ...new Set([secret, percent, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')]),
  ];
}
