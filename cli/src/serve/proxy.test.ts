import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { MODES, type Mode } from '../command-line/modes.js';
import { parsePlain } from '../command-line/plain.js';
import { loadPlugins, mergeFlags } from '../plugins/load.js';
import { pluginPlaces } from '../plugins/resolve.js';
import { runProxy, type Surroundings } from './proxy.js';
import { readStatuses, type ProcessStatus } from './status.js';

const ECHO = fileURLToPath(new URL('../../fixtures/echo.js', import.meta.url));
const BUILT_IN = ['transport-tcp', 'transport-http', 'auth-header', 'strategy-fallback'].map(
  (name) => `@mcp-connect/${name}`,
);
const AUTHORITY = fileURLToPath(new URL('../../fixtures/authority.pem', import.meta.url));
const ASK = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n';

interface Running {
  readonly around: Surroundings & EventEmitter;
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
  /** All of stderr, once it has ended. */
  readonly log: Promise<string>;
  readonly exitCode: Promise<number>;
}

async function proxy(
  args: readonly string[],
  env: Record<string, string> = {},
  mode: Mode = MODES.proxy,
): Promise<Running> {
  const plugins = await loadPlugins([ECHO, ...BUILT_IN], pluginPlaces({}));
  const flags = mergeFlags(mode.flags, plugins);
  const values = parsePlain(args, flags, { env });
  if (values === undefined) throw new Error('the line is not plain');
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const around = Object.assign(new EventEmitter(), { stdin, stdout, stderr, env });
  const exitCode = runProxy(
    { mode, flags, plugins, values, args, words: [], variables: [], file: undefined, warnings: [] },
    around,
  );
  void exitCode.then(() => stderr.end());
  return { around, stdin, stdout, log: text(stderr), exitCode };
}

async function answer({
  stdin,
  stdout,
}: Running): Promise<{ result: Record<string, Record<string, unknown>> }> {
  stdin.write(ASK);
  const [line] = (await once(stdout, 'data')) as [Buffer];
  return JSON.parse(line.toString()) as Awaited<ReturnType<typeof answer>>;
}

/** Asks the one process that runs for its status, which it tells from its first answer on. */
async function statusOf(folder: string): Promise<ProcessStatus> {
  for (;;) {
    const [status] = await readStatuses(join(folder, 'run'));
    if (status !== undefined) return status;
    await nextTurn();
  }
}

describe('a proxy', () => {
  let folder: string;

  before(() => (folder = mkdtempSync(join(tmpdir(), 'mcpc-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('hands settings to the connector and each plugin its own values', async () => {
    const running = await proxy(
      [
        '--endpoint',
        'echo://here',
        '--timeout=5',
        '--retry-attempts=7',
        '--echo-word',
        '${WORD}',
        '--ca',
        AUTHORITY,
      ],
      { WORD: 'hello', MCP_CONNECT_STATE_DIR: folder },
    );
    const { result } = await answer(running);
    expect(result['options']).to.deep.equal({ 'echo-word': 'hello', 'echo-list': [], 'echo-loud': false });
    expect(result['settings']).to.include({
      timeout: 5000,
      retryAttempts: 7,
      retryDelay: 1000,
      stateDir: folder,
    });
    expect(result['settings']?.['tls']).to.have.property('ca').that.includes('BEGIN CERTIFICATE');
    running.stdin.end();
    expect(await running.exitCode).to.equal(0);
    expect(await running.log).to.equal('');
  });

  it('tells its status to whoever asks, and on stderr at SIGUSR2', async () => {
    const running = await proxy(['--endpoint', 'echo://here'], { MCP_CONNECT_STATE_DIR: folder });
    await answer(running);
    running.around.emit('SIGUSR2');
    const status = await statusOf(folder);
    expect(status).to.include({ command: 'proxy', pid: process.pid });
    expect(status.endpoints[0]).to.include({
      endpoint: 'echo://here',
      state: 'up',
      answered: 1,
      pending: 0,
    });
    running.stdin.end();
    await running.exitCode;
    expect(await running.log).to.include('echo://here');
    expect(await readStatuses(join(folder, 'run'))).to.deep.equal([]);
  });

  it('follows its file of endpoints, with SIGHUP too, and keeps them while the file is wrong', async () => {
    const file = join(folder, 'endpoints.txt');
    writeFileSync(file, '# ours\necho://one\n\necho://two\n');
    const env = { MCP_CONNECT_STATE_DIR: folder };
    const running = await proxy(
      ['--endpoints-file', file, '--log-level', 'info'],
      env,
      MODES['load-balance'],
    );
    await answer(running);
    const endpoints = async (): Promise<string[]> => {
      const status = await statusOf(folder);
      return status.endpoints.map(({ endpoint }) => endpoint);
    };
    expect(await endpoints()).to.deep.equal(['echo://one', 'echo://two']);
    writeFileSync(file, 'echo://two\necho://three\n');
    running.around.emit('SIGHUP');
    expect(await endpoints()).to.deep.equal(['echo://two', 'echo://three']);
    for (const wrong of ['', 'nowhere://x']) {
      writeFileSync(file, wrong);
      running.around.emit('SIGHUP');
      expect(await endpoints()).to.deep.equal(['echo://two', 'echo://three']);
    }
    running.stdin.end();
    expect(await running.exitCode).to.equal(0);
    expect((await running.log).match(/stay as they are/g)).to.have.length(2);
  });

  it('logs on stderr, without secrets', async () => {
    const running = await proxy(
      ['--endpoint', 'echo://here', '--debug', '--echo-loud', '--echo-secret', 'Bearer ${KEY}'],
      { KEY: 'open-sesame' },
    );
    await answer(running);
    running.stdin.end();
    await running.exitCode;
    const log = await running.log;
    expect(log).to.match(/^info mcp-connect:echo: asked ping, knowing .*\[hidden\]$/m);
    expect(log).not.to.include('sesame');
  });

  it('warns once of credentials that go nowhere', async () => {
    const running = await proxy(['--endpoint', 'tcp://127.0.0.1:9', '--headers', 'X-A: b']);
    running.stdin.end();
    expect(await running.exitCode).to.equal(0);
    expect((await running.log).match(/^warn .*--headers$/gm)).to.have.length(1);
  });

  it('takes a fallback for an endpoint that credentials may be for', async () => {
    const addresses = ['--endpoint', 'tcp://127.0.0.1:9', '--fallbacks', 'http://127.0.0.1:9/mcp'];
    const running = await proxy([...addresses, '--headers=X-A:b']);
    running.stdin.end();
    expect(await running.exitCode).to.equal(0);
    expect(await running.log).not.to.match(/^warn .*--headers$/m);
  });

  it('ends in order when a signal asks for it, and a second one does not hurry it', async () => {
    const running = await proxy(['--endpoint', 'echo://here']);
    await answer(running);
    running.around.emit('SIGTERM');
    running.around.emit('SIGINT');
    expect(running.around.listenerCount('SIGINT')).to.equal(0);
    expect(await running.exitCode).to.equal(0);
  });

  it('ends when nobody reads its answers any more', async () => {
    const running = await proxy(['--endpoint', 'echo://here']);
    await answer(running);
    running.stdout.destroy();
    expect(await running.exitCode).to.equal(0);
  });

  it('lives on when nobody reads its log any more', async () => {
    const running = await proxy(['--endpoint', 'echo://here', '--debug', '--echo-loud']);
    running.log.catch(() => undefined);
    running.around.stderr.destroy(new Error('EPIPE'));
    expect(await answer(running)).to.have.property('result');
    running.stdin.end();
    expect(await running.exitCode).to.equal(0);
  });

  it('does not touch stdin when it cannot start', async () => {
    const running = await proxy(['--endpoint', 'nothing://here']);
    expect(await running.exitCode).to.equal(2);
    expect(running.stdin.listenerCount('data')).to.equal(0);
    expect(running.stdin.readableFlowing).to.equal(null);
  });
});
