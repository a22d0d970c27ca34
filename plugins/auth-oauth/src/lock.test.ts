import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { withLock } from './lock.js';

const MODULE = new URL('lock.js', import.meta.url).href;

describe('withLock', () => {
  let folder: string;
  let path: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcpc-lock-'));
    path = join(folder, 'new', 'x.lock');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  /** Starts a process that runs `body` with the lock, and returns it when it has said that it holds it. */
  function start(body: string): ChildProcess {
    const code = `
      import { withLock } from ${JSON.stringify(MODULE)};
      import { appendFile } from 'node:fs/promises';
      const path = ${JSON.stringify(path)};
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      ${body}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }

  async function said(child: ChildProcess): Promise<string> {
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
    return line;
  }

  it('lets one in at a time, of this process and of others', async () => {
    const log = join(folder, 'log');
    const round = `for (let i = 0; i < 5; i++) await withLock(path, async () => {
      await appendFile(${JSON.stringify(log)}, '(');
      await pause(3);
      await appendFile(${JSON.stringify(log)}, ')');
    });`;
    const others = [start(round), start(round), start(round)].map((child) => once(child, 'close'));
    for (let i = 0; i < 5; i++) {
      await withLock(path, async () => {
        await appendFile(log, '(');
        await appendFile(log, ')');
      });
    }
    await Promise.all(others);
    expect(await readFile(log, 'utf8')).to.equal('()'.repeat(20));
  });

  it('is free again as soon as its owner is killed', async () => {
    const owner = start(`await withLock(path, async () => { console.log('mine'); await pause(1e6); });`);
    expect(await said(owner)).to.equal('mine');
    let killed = false;
    const next = withLock(path, async () => killed);
    owner.kill('SIGKILL');
    killed = true;
    expect(await next).to.equal(true);
  });

  it('is taken from an owner that shows no life, which then learns of it', async function () {
    this.timeout(20_000);
    const owner = start(`await withLock(path, (signal) => {
      console.log('mine');
      return new Promise((resolve) => signal.addEventListener('abort', () => { console.log('lost'); resolve(); }));
    });`);
    expect(await said(owner)).to.equal('mine');
    owner.kill('SIGSTOP');
    await withLock(path, async () => {
      owner.kill('SIGCONT');
      expect(await said(owner)).to.equal('lost');
    });
  });

  it('keeps no more than one small file', async () => {
    for (let i = 0; i < 5; i++) await withLock(path, async () => undefined);
    expect(await readdir(join(folder, 'new'))).to.have.length(1);
  });

  it('gives back the result or the error of the work, and is free after either', async () => {
    const failure = new Error('no');
    const failed = await withLock(path, () => Promise.reject(failure)).catch((error: unknown) => error);
    expect(failed).to.equal(failure);
    expect(await withLock(path, async () => 1)).to.equal(1);
  });

  it('ends the waiting, and tells the work, when its signal aborts', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    await withLock(path, async () => {
      const waiting = withLock(path, async () => 1, abort.signal).catch((error: unknown) => error);
      abort.abort(reason);
      const ended = (await waiting) as Error;
      expect([ended, ended.cause]).to.include(reason);
    });
    const during = new AbortController();
    await withLock(
      path,
      async (signal) => {
        during.abort(reason);
        expect(signal.reason).to.equal(reason);
      },
      during.signal,
    );
  });
});
