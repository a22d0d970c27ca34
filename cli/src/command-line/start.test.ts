import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import { expect } from 'chai';

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const BUNDLE = fileURLToPath(new URL('../../dist/start', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const fixture = (name: string): string => `${FIXTURES}/${name}.js`;

const ECHO = ['proxy', '--plugin', fixture('echo'), '--endpoint', 'echo://here'];
const ASK = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n';

const INHERITED = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !name.startsWith('MCP_CONNECT_') && name !== 'NODE_EXTRA_CA_CERTS' && name !== 'DEBUG',
  ),
);

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the program as a client would, with nothing on its stdin. */
async function mcpConnect(
  args: readonly string[],
  env: Record<string, string> = {},
  nodeArgs: readonly string[] = [],
): Promise<Outcome> {
  const child = started(args, env, nodeArgs);
  child.stdin.end();
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, out, err };
}

function started(
  args: readonly string[],
  env: Record<string, string> = {},
  nodeArgs: readonly string[] = [],
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [...nodeArgs, RUN, ...args], {
    cwd: FIXTURES,
    env: { ...INHERITED, ...env },
  });
}

async function answer(child: ChildProcessWithoutNullStreams): Promise<{ result: Record<string, unknown> }> {
  child.stdin.write(ASK);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return JSON.parse(line) as { result: Record<string, unknown> };
}

/** Has the first two files of the bundle take each other's code, as that of another build would be. */
function swapNames(file: string): void {
  const bytes = readFileSync(file);
  const end = 4 + bytes.readUInt32LE();
  const index = JSON.parse(bytes.toString('utf8', 4, end)) as [string, number][];
  [index[0]![0], index[1]![0]] = [index[1]![0], index[0]![0]];
  // The file holds all of it twice.
  for (const from of [0, bytes.length / 2]) bytes.write(JSON.stringify(index), from + 4);
  writeFileSync(file, bytes);
}

describe('bad input', () => {
  const url = ['--endpoint', 'http://127.0.0.1:9/mcp'];
  const cases: [what: string, args: string[], named: string[], env?: Record<string, string>][] = [
    ['no endpoint', ['proxy'], ['--endpoint', 'https://']],
    ['an empty endpoint', ['proxy', '--endpoint', ''], ['--endpoint', 'https://']],
    ['an endpoint of no known form', ['proxy', '--endpoint', 'nowhere'], ['--endpoint', 'https://']],
    ['a port out of range', ['proxy', '--endpoint', 'http://localhost:99999/mcp'], ['--endpoint', '65535']],
    ['an endpoint and a command', ['proxy', ...url, '--', 'node'], ['--endpoint', '--']],
    ['a port that cannot be', ['proxy', '--endpoint', 'http://localhost:0/mcp'], ['--endpoint', '65535']],
    [
      'an address without a port',
      ['proxy', '--endpoint', 'tcp://localhost'],
      ['--endpoint', 'tcp://host:port'],
    ],
    [
      'a fallback without a port',
      ['proxy', ...url, '--fallbacks', 'tcp://x'],
      ['--fallbacks', 'tcp://host:port'],
    ],
    ['an empty transport', ['proxy', ...url, '--transport', ''], ['--transport']],
    ['a scheme without slashes', ['proxy', '--endpoint', 'echo:here'], ['--endpoint', 'echo://']],
    ['a value where none belongs', ['proxy', ...url, '--debug=true'], ['--debug takes no value']],
    [
      'a variable that is neither yes nor no',
      ['proxy', ...url],
      ['MCP_CONNECT_DEBUG'],
      { MCP_CONNECT_DEBUG: 'maybe' },
    ],
    [
      'a variable with a wrong value',
      ['proxy', ...url],
      ['--timeout', 'MCP_CONNECT_TIMEOUT'],
      { MCP_CONNECT_TIMEOUT: '5s' },
    ],
    [
      'a variable with a mistake that is found later',
      ['proxy'],
      ['--endpoint', 'MCP_CONNECT_ENDPOINT'],
      { MCP_CONNECT_ENDPOINT: 'nowhere' },
    ],
    ['both kinds of addresses', ['proxy', ...url, '--ipv4', '--ipv6'], ['--ipv4', '--ipv6']],
    ['a proxy that cannot be used', ['proxy', ...url, '--proxy', 'ftp://x'], ['--proxy', 'socks5://']],
    ['an unknown command', ['prxy'], ['prxy', 'Did you mean mcp-connect proxy?']],
    ['help for an unknown command', ['help', 'prxy'], ['prxy', 'Did you mean mcp-connect proxy?']],
    ['an unknown command that is like no other', ['sing'], ['sing', 'mcp-connect --help']],
    [
      'an unknown command below another',
      ['plugins', 'instal'],
      ['Did you mean mcp-connect plugins install?'],
    ],
    ['a word too few', ['plugins', 'create'], ['NAME']],
    ['a flag that a command does not have', ['status', '--jsn'], ['Did you mean --json?']],
    ['a word where none belongs', ['version', 'now'], ['1 word', '--help']],
    ['a shell that is none', ['autocomplete', 'fisch'], ['zsh', 'bash', 'powershell']],
    ['a flag without its value', ['proxy', '--endpoint'], ['--endpoint', '--help']],
    [
      'a value that is nearly one',
      ['proxy', ...url, '--log-level', 'debg'],
      ['Did you mean --log-level debug?'],
    ],
    [
      'a value that is none of those allowed',
      ['load-balance', '--affinity', 'sticky'],
      ['auto, session, none'],
    ],
    ['a number that is none', ['proxy', ...url, '--timeout', '5s'], ['--timeout', '1 to', 'seconds']],
    ['an unknown transport', ['proxy', '--endpoint', 'x:1', '--transport', 'pigeon'], ['pigeon', '--plugin']],
    ['a transport that does not suit', ['proxy', ...url, '--transport', 'tcp'], ['--transport tcp']],
    ['an unknown flag', ['proxy', '--endpont', 'x'], ['--endpont', 'Did you mean --endpoint?']],
    ['a flag of a plugin that is not loaded', ['proxy', ...url, '--zebra=1'], ['--zebra', '--plugin']],
    [
      'an address without its flag',
      ['proxy', 'http://127.0.0.1:9/mcp'],
      ['1 word', 'Write --endpoint before'],
    ],
    ['a flag without its command', ['--debug'], ['--debug', 'mcp-connect proxy']],
    ['a web address without its scheme', ['proxy', '--endpoint', 'a.example/mcp'], ['https://a.example/mcp']],
    ['a flag without its value', ['proxy', '--timeout'], ['--timeout', 'value']],
    ['a number out of range', ['proxy', ...url, '--timeout', '0'], ['--timeout', '1']],
    ['a wrong option', ['proxy', ...url, '--log-level', 'loud'], ['--log-level', 'debug']],
    ['a wrong environment variable', ['proxy', ...url], ['--retry-delay'], { MCP_CONNECT_RETRY_DELAY: 'x' }],
    ['a bad header', ['proxy', ...url, '--headers', 'no colon'], ['--headers']],
    ['an unset variable', ['proxy', ...url, '--headers', 'A: ${UNSET_HERE}'], ['--headers', 'UNSET_HERE']],
    ['a CA file without a certificate', ['proxy', ...url, '--ca', `${FIXTURES}/echo.js`], ['--ca', 'PEM']],
    [
      'a certificate without its key',
      ['proxy', ...url, '--cert', `${FIXTURES}/authority.pem`],
      ['--cert', '--key'],
    ],
    ['a time too long for any clock', ['proxy', ...url, '--timeout', '3000000'], ['--timeout']],
    ['an unreadable CA file', ['proxy', ...url, '--ca', 'missing.pem'], ['--ca', 'missing.pem']],
    [
      'a command that is not found',
      ['proxy', '--', 'no-such-command-here'],
      ['no-such-command-here', 'PATH'],
    ],
    ['a missing plugin', ['proxy', ...url, '--plugin', 'no-such-plugin'], ['npm install no-such-plugin']],
    ['a missing plugin file', ['proxy', ...url, '--plugin', './none.js'], ['--plugin', 'none.js']],
    [
      'a plugin that cannot be loaded',
      ['proxy', ...url, '--plugin', './thrower.js'],
      ['thrower.js', 'on purpose'],
    ],
    ['a plugin that fails', ['proxy', ...url, '--plugin', './failing.js'], ['no luck']],
    ['a plugin whose flag is taken', ['proxy', ...url, '--plugin', './clash.js'], ['clash', '--timeout']],
    ['a plugin for another core', ['proxy', ...url, '--plugin', './future.js'], ['future', '^99.0.0']],
    ['no endpoints', ['load-balance'], ['--endpoints']],
    [
      'a malformed one of several',
      ['load-balance', '--endpoints', 'http://a,tcp://b:99999'],
      ['--endpoints'],
    ],
  ];
  for (const [what, args, named, env] of cases) {
    it(`${what}: one line that helps, exit code 2, nothing on stdout`, async () => {
      const { code, out, err } = await mcpConnect(args, env);
      expect(err).to.match(/^mcp-connect: [^\n]+\n$/);
      for (const words of named) expect(err).to.include(words);
      expect(code).to.equal(2);
      expect(out).to.equal('');
    });
  }

  it('never shows what follows an unknown flag', async () => {
    const { err } = await mcpConnect(['proxy', ...url, '--auth-tokn=sesame-street', '--debug']);
    expect(err).to.include('--auth-tokn').and.not.include('sesame');
  });

  it('never shows what stands in one word with a flag or a command, as settings of clients have it', async () => {
    const lines = [
      ['proxy', ...url, '--auth-token sesame-street'],
      ['proxy', ...url, '--api-key: sesame-street'],
      ['proxy', '--endpoint', 'https://example.com/mcp --auth-token sesame-street'],
      ['proxy --auth-token sesame-street'],
      ['--auth-token sesame-street'],
    ];
    for (const { code, err } of await Promise.all(lines.map((line) => mcpConnect(line)))) {
      expect(code).to.equal(2);
      expect(err)
        .to.match(/^mcp-connect: [^\n]+\n$/)
        .and.not.include('sesame');
    }
  });

  it('never shows the token of a header that lacks its quotes', async () => {
    const { err } = await mcpConnect([
      'proxy',
      ...url,
      '--headers',
      'Authorization:',
      'Bearer',
      'sesame-street',
    ]);
    expect(err).to.include('2 words').and.include('quotes').and.not.include('sesame');
  });

  it('is told alike whatever NODE_ENV the host hands on', async () => {
    const { err } = await mcpConnect(['proxy', '--endpont', 'x'], { NODE_ENV: 'development' });
    expect(err).to.match(/^mcp-connect: [^\n]+\n$/);
  });
});

describe('the program', () => {
  it('serves, logs nothing, and ends when its stdin does', async () => {
    const child = started(ECHO);
    const log = text(child.stderr);
    expect(await answer(child)).to.have.nested.property('result.method', 'ping');
    child.stdin.end();
    expect(await once(child, 'close')).to.deep.equal([0, null]);
    expect(await log).to.equal('');
  });

  it('keeps what was compiled for the next start, and does without where that is no use', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-connect-cache-'));
    const run = async (env: Record<string, string> = {}): Promise<void> => {
      const child = started(ECHO, { MCP_CONNECT_CACHE_DIR: folder, ...env });
      const log = text(child.stderr);
      expect(await answer(child)).to.have.nested.property('result.method', 'ping');
      child.stdin.end();
      expect(await once(child, 'close')).to.deep.equal([0, null]);
      expect(await log).to.equal('');
    };
    const compiled = join(folder, 'compiled');
    try {
      await run({ NODE_DISABLE_COMPILE_CACHE: '1' });
      expect(existsSync(compiled)).to.equal(false);
      await run();
      const [name, ...others] = readdirSync(compiled);
      expect(others).to.deep.equal([]);
      const file = join(compiled, name!);
      const { mode, size } = statSync(file);
      expect(mode & 0o777).to.equal(0o600);
      expect(statSync(compiled).mode & 0o777).to.equal(0o700);
      for (const spoil of [
        () => truncateSync(file, Math.floor(size / 2)),
        () => writeFileSync(file, 'not at all what it should be'),
        () => writeFileSync(file, readFileSync(file).fill(0xff, 100_000, 101_000)),
        () => chmodSync(file, 0o666),
      ]) {
        spoil();
        await run();
        expect(statSync(file).mode & 0o777).to.equal(0o600);
        expect(statSync(file).size).to.be.greaterThan(size / 2);
      }
      // What is there is used as it is.
      const { ino } = statSync(file);
      await run();
      expect(statSync(file).ino).to.equal(ino);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('uses what the build has compiled, and keeps nothing then', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-connect-cache-'));
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"jsonrpc":"2.0","id":1,"result":{"method":"ping"}}');
      });
    }).listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const [name, ...others] = readdirSync(BUNDLE).filter((file) => file.endsWith('.bin'));
      expect(others).to.deep.equal([]);
      expect(name).to.include(process.version);
      // Whoever may run the bundle may read it, as in an image.
      expect(statSync(join(BUNDLE, name!)).mode).to.equal(statSync(join(BUNDLE, 'start.js')).mode);
      const url = `http://127.0.0.1:${port}/mcp`;
      const child = started(['proxy', '--endpoint', url], { MCP_CONNECT_CACHE_DIR: folder });
      expect(await answer(child)).to.have.nested.property('result.method', 'ping');
      child.stdin.end();
      expect(await once(child, 'close')).to.deep.equal([0, null]);
      expect(readdirSync(folder)).to.deep.equal([]);
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('starts in silence whatever becomes of what was compiled', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-connect-cache-'));
    const place = join(folder, 'place');
    mkdirSync(place);
    const run = async (env: Record<string, string>, nodeArgs: readonly string[] = []): Promise<void> => {
      const child = spawn(process.execPath, [...nodeArgs, RUN, ...ECHO], {
        cwd: place,
        env: { ...INHERITED, MCP_CONNECT_STATE_DIR: join(folder, 'state'), ...env },
      });
      const log = text(child.stderr);
      expect(await answer(child)).to.have.nested.property('result.method', 'ping');
      child.stdin.end();
      expect(await once(child, 'close')).to.deep.equal([0, null]);
      expect(await log).to.equal('');
    };
    const cache = { MCP_CONNECT_CACHE_DIR: join(folder, 'cache') };
    try {
      await Promise.all([run(cache), run(cache)]);
      const compiled = join(folder, 'cache', 'compiled');
      const [name, ...others] = readdirSync(compiled);
      expect(others).to.deep.equal([]);
      // Other flags of V8 make other code.
      await Promise.all([run(cache, ['--no-opt']), run({ ...cache, NODE_OPTIONS: '--stack-trace-limit=5' })]);
      swapNames(join(compiled, name!));
      await run(cache);
      // Where nothing can be kept, or only where no cache belongs.
      await Promise.all([
        run({ MCP_CONNECT_CACHE_DIR: '/dev/null' }),
        run({ XDG_CACHE_HOME: '/dev/null/none', LOCALAPPDATA: '/dev/null/none' }),
        run({ XDG_CACHE_HOME: 'relative', LOCALAPPDATA: 'relative' }),
        run({ XDG_CACHE_HOME: '', HOME: '' }),
        // Here Node.js itself would try for ever.
        run({ XDG_CACHE_HOME: '/proc/none', LOCALAPPDATA: '/proc/none' }),
        run({ XDG_CACHE_HOME: '', HOME: join(folder, 'no-home') }),
      ]);
      expect(readdirSync(place)).to.deep.equal([]);
      expect(existsSync(join(folder, 'no-home'))).to.equal(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('loads nothing for a plain start that only other starts need', async () => {
    const eager = new Set<string>();
    const look = async (name: string): Promise<void> => {
      if (eager.has(name)) return;
      eager.add(name);
      if (!name.startsWith('./')) return;
      const bundle = await readFile(new URL(`../../dist/start/${name}`, import.meta.url), 'utf8');
      const names = [...bundle.matchAll(/(?<!then\(\(\)=>)\brequire\("([^"]+)"\)/g)].map(
        ([, found]) => found!,
      );
      await Promise.all(names.map(look));
    };
    await look('./start.js');
    const foreign = [...eager].filter((name) => !name.startsWith('./'));
    expect(foreign.filter((name) => !name.startsWith('node:'))).to.deep.equal([]);
    expect(foreign).not.to.contain.oneOf(['node:http', 'node:tls', 'node:crypto', 'node:child_process']);
    expect([...eager].join()).not.to.match(/proxied|satisfies|status|legacy-to-modern|program/);
  });

  it('says what to set where the user has no home folder', async function () {
    // Only root may become a user that the system knows nothing of.
    if (process.getuid?.() !== 0) return this.skip();
    const { HOME: _, ...env } = INHERITED;
    for (const args of [ECHO, ['version']]) {
      const child = spawn(process.execPath, [RUN, ...args], { cwd: FIXTURES, env, uid: 54_321 });
      child.stdin.end();
      const [out, err, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ]);
      expect({ code, out }).to.deep.equal({ code: 2, out: '' });
      expect(err).to.match(/^mcp-connect: [^\n]+ HOME [^\n]+\n$/);
    }
  });

  it('outlives a rejection that nobody heard, and keeps what plugins print off stdout', async () => {
    const child = started(['proxy', '--plugin', fixture('stray'), '--endpoint', 'stray://here']);
    const out = text(child.stdout);
    child.stderr.resume();
    child.stdin.end('{"jsonrpc":"2.0","id":1,"method":"reject"}\n{"jsonrpc":"2.0","id":2,"method":"ping"}\n');
    expect(await once(child, 'close')).to.deep.equal([0, null]);
    const lines = (await out).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: number }).id)).to.deep.equal([1, 2]);
  });

  it('answers what it owes and exits with 1 when a plugin throws where nobody can catch it', async () => {
    const child = started(['proxy', '--plugin', fixture('stray'), '--endpoint', 'stray://here']);
    const out = text(child.stdout);
    child.stderr.resume();
    child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"throw"}\n');
    expect(await once(child, 'close')).to.deep.equal([1, null]);
    const { id, error } = JSON.parse(await out) as { id: number; error: { data: { code: string } } };
    expect([id, error.data.code]).to.deep.equal([1, 'MCPC_SHUTDOWN']);
  });

  it('tells no secret to a DEBUG that asks for everything, even when oclif reads the line', async () => {
    const secret = 'token-1234567';
    const { err, code } = await mcpConnect(
      ['proxy', '--endpoint', 'http://127.0.0.1:9/', '--auth-token', secret, '--bogus'],
      { DEBUG: '*' },
    );
    expect(code).to.equal(2);
    expect(err).not.to.include(secret);
  });

  for (const [route, more] of [
    ['read plainly', []],
    ['read by oclif', ['--echo-word=-x']],
  ] as const) {
    it(`hands a command after -- its words as they are, when the line is ${route}`, async () => {
      const words = ['-n', '1', '--', '1', '-m', '${HOME}', '--help', ''];
      const command = [process.execPath, fixture('argv-server'), ...words];
      const child = started(['proxy', '--plugin', fixture('echo'), ...more, '--', ...command]);
      child.stderr.resume();
      expect((await answer(child)).result['argv']).to.deep.equal(words);
      child.stdin.end();
      expect(await once(child, 'close')).to.deep.equal([0, null]);
    });
  }

  it('reads a line by oclif as it reads it plainly', async () => {
    const args = [...ECHO, '--echo-word', '${WORD}', '--timeout=7', '--echo-loud'];
    const env = { WORD: 'hello', MCP_CONNECT_RETRY_DELAY: '5' };
    const [plain, careful] = [started(args, env), started([...args, '--echo-list=-'], env)];
    const answers = await Promise.all([answer(plain), answer(careful)]);
    (answers[1].result['options'] as Record<string, unknown>)['echo-list'] = [];
    expect(answers[0]).to.deep.equal(answers[1]);
    for (const child of [plain, careful]) {
      child.stdin.end();
      expect(await once(child, 'close')).to.deep.equal([0, null]);
    }
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`ends in order on ${signal}`, async () => {
      const child = started(ECHO);
      child.stderr.resume();
      await answer(child);
      child.kill(signal);
      expect(await once(child, 'close')).to.deep.equal([0, null]);
    });
  }

  it('ends in order on a signal that comes while it is still loading', async () => {
    const child = started([
      'proxy',
      '--plugin',
      fixture('slow-to-load'),
      '--endpoint',
      'http://127.0.0.1:9/mcp',
    ]);
    await once(child.stderr, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).to.deep.equal([0, null]);
  });

  it('ends in order when nobody reads its stdout any more', async () => {
    const child = started(ECHO);
    child.stderr.resume();
    await answer(child);
    child.stdout.destroy();
    child.stdin.on('error', () => undefined);
    child.stdin.write(ASK);
    expect(await once(child, 'close')).to.deep.equal([0, null]);
  });

  it('ends on a signal although its client has stopped reading', async () => {
    const child = started([...ECHO, '--echo-word', 'x'.repeat(100_000)]);
    child.stderr.resume();
    await answer(child);
    child.stdout.pause();
    for (let id = 2; id < 40; id++) child.stdin.write(ASK.replace('1,', `${id},`));
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    child.stdout.destroy();
    expect(code).to.equal(0);
  }).timeout(10_000);

  it('answers a line that is not JSON and goes on', async () => {
    const child = started(ECHO);
    child.stdin.write('{oops\n');
    child.stdin.end(ASK);
    const [out] = await Promise.all([text(child.stdout), once(child, 'close')]);
    const [first, second] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(first).to.have.property('id', null);
    expect(first).to.have.nested.property('error.code', -32700);
    expect(second).to.have.property('id', 1);
  });

  it('shows the flags of all plugins in its help', async () => {
    const { code, out } = await mcpConnect(['proxy', '--help', '--plugin', './echo.js']);
    expect(code).to.equal(0);
    expect(out)
      .to.include('--endpoint')
      .and.include('--headers')
      .and.include('ECHO FLAGS')
      .and.include('--echo-word');
  });

  it('shows the same where help is asked for first', async () => {
    const [first, last] = await Promise.all([
      mcpConnect(['help', 'proxy', '--plugin', './echo.js']),
      mcpConnect(['proxy', '--plugin', './echo.js', '--help']),
    ]);
    expect(first).to.deep.equal(last);
    expect(first).to.include({ code: 0, err: '' });
  });

  it('lists its commands', async () => {
    const { code, out } = await mcpConnect(['--help']);
    expect(code).to.equal(0);
    expect(out).to.include('proxy').and.include('load-balance').and.include('autocomplete');
  });

  it('refuses an old Node.js in one sentence', async () => {
    const pretend =
      'data:text/javascript,Object.defineProperty(process, "versions", { value: { node: "18.20.0" } })';
    const { code, out, err } = await mcpConnect(['proxy'], {}, ['--import', pretend]);
    expect(err).to.equal('mcp-connect needs Node.js 20.19 or newer; this is 18.20.0.\n');
    expect({ code, out }).to.deep.equal({ code: 1, out: '' });
  });

  it('begins with a file that the oldest Node.js can read, so that it comes to that sentence', async () => {
    const { bin, type } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as {
      bin: Record<string, string>;
      type: string;
    };
    expect([bin, type]).to.deep.equal([{ 'mcp-connect': './bin/run.js' }, 'module']);
    const folder = JSON.parse(await readFile(new URL('../../bin/package.json', import.meta.url), 'utf8'));
    expect(folder).to.deep.equal({ type: 'commonjs' });
    const entry = parse(await readFile(RUN, 'utf8'), {
      ecmaVersion: 5,
      sourceType: 'script',
      allowHashBang: true,
    });
    // What newer syntax is in comes last, behind the check.
    expect(JSON.stringify(entry.body.at(-1))).to.include('"name":"require"');
  });
});
