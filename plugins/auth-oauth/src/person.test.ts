import { PassThrough } from 'node:stream';
import { createLog, type Log } from '@mcp-connect/core';
import { expect } from 'chai';
import type { Callback, CallbackRequest } from './model.js';
import type { Terminal } from './paste.js';
import { LocalPerson } from './person.js';

const PAGE = new URL('https://as.example/authorize?state=right');

describe('LocalPerson', () => {
  let lines: string[];
  let log: Log;
  let typed: PassThrough;
  let shown: string;
  let closed: number;
  const callbacks: Callback[] = [];
  const never = new AbortController().signal;

  beforeEach(() => {
    lines = [];
    shown = '';
    closed = 0;
    log = createLog({ level: 'warn', write: ({ text }) => void lines.push(text) });
    typed = new PassThrough();
  });
  afterEach(() => Promise.all(callbacks.splice(0).map((callback) => callback.close())));

  function terminal(): Terminal {
    const output = new PassThrough();
    output.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    return { input: typed, output, close: () => void closed++ };
  }

  async function begin(
    request: CallbackRequest,
    open: () => Terminal | undefined = terminal,
  ): Promise<Callback> {
    const person = new LocalPerson({ browser: false, log, env: {}, platform: 'linux', openTerminal: open });
    const callback = await person.begin(request);
    callbacks.push(callback);
    return callback;
  }

  it('shows the address and hears of the redirect', async () => {
    const callback = await begin({}, () => undefined);
    await callback.show(PAGE);
    expect(lines.join()).to.contain(PAGE.href);
    const answer = callback.answer('right', never);
    await fetch(`${callback.redirectUri}?code=x&state=right`);
    expect((await answer).get('code')).to.equal('x');
  });

  it('hears of a redirect that comes before anyone waits for it', async () => {
    const callback = await begin({}, () => undefined);
    await callback.show(PAGE);
    await fetch(`${callback.redirectUri}?code=x&state=right`);
    expect((await callback.answer('right', never)).get('code')).to.equal('x');
  });

  it('takes the address of the redirect from the terminal', async () => {
    const callback = await begin({});
    await callback.show(PAGE);
    const answer = callback.answer('right', never);
    typed.write(
      `nonsense\n${callback.redirectUri}?code=y&state=wrong\nhttps://evil.example/callback?code=z&state=right\n`,
    );
    typed.write(`  ${callback.redirectUri}?code=x&state=right \n`);
    expect((await answer).get('code')).to.equal('x');
    expect(shown).to.contain(`begins with ${callback.redirectUri}`);
    await callback.close();
    expect(closed).to.equal(1);
  });

  it('needs no port for a redirect to another machine, whose address is pasted', async () => {
    const redirectUrl = new URL('https://app.example/done');
    const callback = await begin({ redirectUrl });
    expect(callback.redirectUri).to.equal('https://app.example/done');
    await callback.show(PAGE);
    typed.write('https://app.example/done?code=x&state=right\n');
    expect((await callback.answer('right', never)).get('code')).to.equal('x');
  });

  it('stops waiting when the signal says so', async () => {
    const callback = await begin({});
    const abort = new AbortController();
    const answer = callback.answer('right', abort.signal).catch((error: unknown) => error);
    abort.abort(new Error('late'));
    expect(await answer).to.have.property('message', 'late');
  });

  it('shows a code to be typed elsewhere', async () => {
    const person = new LocalPerson({ browser: false, log, env: {}, platform: 'linux' });
    await person.showCode({ page: new URL('https://as.example/device'), code: 'ABCD-EFGH' });
    expect(lines.join()).to.contain('https://as.example/device').and.to.contain('ABCD-EFGH');
  });

  it('says so when a browser was to be opened and there is none', async () => {
    const person = new LocalPerson({
      browser: true,
      log,
      env: {},
      platform: 'linux',
      openTerminal: () => undefined,
    });
    const callback = await person.begin({});
    callbacks.push(callback);
    await callback.show(PAGE);
    expect(lines).to.have.length(2);
    expect(lines[0]).to.contain(PAGE.href);
  });
});
