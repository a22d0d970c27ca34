import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { PassThrough } from 'node:stream';
import {
  commandEndpoint,
  ConnectorError,
  createLog,
  DEFAULT_SETTINGS,
  Envelope,
  type Settings,
  type Transport,
} from '@mcp-connect/core';
import { expect } from 'chai';
import { startProgram, type ProgramOptions } from './program.js';

const env = { PATH: process.env['PATH'] };

/** Answers every request with its params, and shouts on stderr first. */
const ECHO = `
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, params } = JSON.parse(line);
    console.log(JSON.stringify({ jsonrpc: '2.0', id, result: { params } }));
  });`;

/** Says a notification whose method is the result of \`expression\`, and waits for the end of its input. */
const says = (expression: string): string =>
  `console.log(JSON.stringify({ jsonrpc: '2.0', method: ${expression} })); process.stdin.resume();`;

interface Run {
  readonly transport: Transport;
  readonly lost: { id: unknown; error: ConnectorError }[];
  readonly logged: string[];
  /** Settles with the reason when the transport is closed. */
  readonly closed: Promise<ConnectorError | undefined>;
  readonly stderr: PassThrough;
  /** The next message of the program. */
  next(): Promise<Envelope>;
}

interface RunOptions extends Partial<ProgramOptions> {
  readonly settings?: Partial<Settings>;
  /** Holds the program back for as long as it has not settled. */
  readonly hold?: Promise<void>;
}

describe('a local program', () => {
  const open: Transport[] = [];

  async function run(script: string | readonly string[], options: RunOptions = {}): Promise<Run> {
    const { settings, hold, ...rest } = options;
    const messages = new PassThrough({ objectMode: true });
    const lost: Run['lost'] = [];
    const logged: string[] = [];
    const stderr = new PassThrough();
    const log = createLog({ level: 'warn', write: ({ text }) => logged.push(text) });
    log.hide('hunter2');
    let onclose!: (error?: ConnectorError) => void;
    const closed = new Promise<ConnectorError | undefined>((resolve) => (onclose = resolve));
    const transport = await startProgram(
      {
        endpoint: commandEndpoint(typeof script === 'string' ? [process.execPath, '-e', script] : script),
        settings: { ...DEFAULT_SETTINGS, ...settings },
        log,
        signal: new AbortController().signal,
        credentials: async () => ({ headers: {} }),
        onmessage(envelope) {
          messages.write(envelope);
          return hold;
        },
        onforgotten: () => undefined,
        onmissed: () => undefined,
        onlost: (id, error) => lost.push({ id, error }),
        onclose: (error) => onclose(error),
      },
      { env, cwd: process.cwd(), stderr, ...rest },
    );
    open.push(transport);
    const next = async (): Promise<Envelope> => {
      for (;;) {
        const envelope = messages.read() as Envelope | null;
        if (envelope !== null) return envelope;
        await once(messages, 'readable');
      }
    };
    return { transport, lost, logged, closed, stderr, next };
  }

  afterEach(() => Promise.all(open.splice(0).map((transport) => transport.close())));

  it('is asked and answers, in order', async () => {
    const program = await run(ECHO);
    for (let id = 0; id < 3; id++) ask(program, id, { id });
    for (let id = 0; id < 3; id++) expect((await program.next()).id).to.equal(id);
  });

  it('gets its exact words, the environment that we make and the directory that we name', async () => {
    const words = [process.execPath, '-e', says('JSON.stringify(process.argv.slice(1))'), 'a b', '"', ''];
    expect((await (await run(words)).next()).method).to.equal('["a b","\\"",""]');
    const withEnv = await run(says('process.env.A + process.env.MCP_CONNECT_X'), { env: { ...env, A: 'x' } });
    expect((await withEnv.next()).method).to.equal('xundefined');
    const cwd = realpathSync(tmpdir());
    expect((await (await run(says('process.cwd()'), { cwd })).next()).method).to.equal(cwd);
  });

  it('has its stderr passed on line by line, without secrets', async () => {
    const program = await run(`console.error('the password is hunter2'); ${says('"up"')}`);
    await program.next();
    await program.transport.close();
    expect(String(program.stderr.read())).to.equal('the password is [hidden]\n');
  });

  it('may write a message of many megabytes, and be sent one', async () => {
    const program = await run(ECHO);
    const text = 'ä'.repeat(4 * 1024 * 1024);
    ask(program, 1, { text });
    const { message } = await program.next();
    expect((message as unknown as { result: { params: { text: string } } }).result.params.text).to.equal(
      text,
    );
  });

  it('has lines dropped that are no messages, and goes on', async () => {
    const program = await run(`console.log('Server is listening!'); ${says('"after"')}`);
    expect((await program.next()).method).to.equal('after');
    expect(program.logged).to.have.length(1);
  });

  it('has an answer over the limit fail its request, and goes on', async () => {
    const program = await run(ECHO, { settings: { maxMessageSize: 1_000 } });
    ask(program, 1, { text: 'x'.repeat(2_000) });
    ask(program, 2, {});
    expect((await program.next()).id).to.equal(2);
    expect(program.lost).to.have.length(1);
    expect(program.lost[0]).to.deep.include({ id: 1 });
    expect(program.lost[0]!.error.code).to.equal('MCPC_TOO_LARGE');
  });

  it('gets an error for a request of its own over the limit', async () => {
    const script = `
      process.stdin.once('data', (data) => console.log(JSON.stringify(
        { jsonrpc: '2.0', method: JSON.parse(data).id + JSON.parse(data).error.data.code })));
      console.log(JSON.stringify({ jsonrpc: '2.0', id: 'q', method: 'roots/list', pad: 'x'.repeat(2000) }));`;
    const program = await run(script, { settings: { maxMessageSize: 1_000 } });
    expect((await program.next()).method).to.equal('qMCPC_TOO_LARGE');
  });

  it('is held back while its messages are not wanted', async () => {
    let release!: () => void;
    const hold = new Promise<void>((resolve) => (release = resolve));
    // It tells on stderr once all is written, which no pipe can hold.
    const script = `
      const text = JSON.stringify({ jsonrpc: '2.0', method: 'x', params: { pad: 'x'.repeat(1 << 20) } }) + '\\n';
      let left = 16, drained = true;
      (function write() {
        if (left-- > 0) return process.stdout.write(text, write);
        console.error('written');
      })();
      process.stdin.resume();`;
    const held = await run(script, { hold });
    let written = false;
    held.stderr.once('data', () => (written = true));
    await held.next();
    const free = await run(script);
    await once(free.stderr, 'data');
    expect(written).to.equal(false);
    release();
    await once(held.stderr, 'data');
  });

  it('asks for a pause while it does not read', async () => {
    const program = await run(`
      process.on('SIGUSR2', () => process.stdin.resume());
      console.log(JSON.stringify({ jsonrpc: '2.0', method: String(process.pid) }));
      setInterval(() => {}, 1e6);
      process.stdin.on('end', () => process.exit()).pause();`);
    const pid = Number((await program.next()).method);
    expect(program.transport.drain?.()).to.equal(undefined);
    ask(program, 1, { text: 'x'.repeat(4 * 1024 * 1024) });
    await new Promise(setImmediate);
    const drained = program.transport.drain?.();
    expect(drained).to.be.instanceOf(Promise);
    process.kill(pid, 'SIGUSR2');
    await drained;
    expect(program.transport.drain?.()).to.equal(undefined);
  });

  it('that exits is reported with its code and the end of its stderr', async () => {
    const program = await run(`console.error('no database'); process.exitCode = 3;`);
    const error = await program.closed;
    expect(error).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
    expect(error?.message).to.contain('code 3').and.to.contain('no database');
  });

  it('that dies of a signal is reported with it', async () => {
    const program = await run(`process.kill(process.pid, 'SIGKILL')`);
    expect((await program.closed)?.message).to.contain('SIGKILL');
  });

  it('that exits has its last messages delivered first', async () => {
    const program = await run(`process.stdout.write('{"jsonrpc":"2.0","method":"bye"}')`);
    await program.closed;
    expect((await program.next()).method).to.equal('bye');
  });

  it('that closes its stdout is ended and reported', async () => {
    const program = await run(`require('fs').closeSync(1); setInterval(() => {}, 1e6);`, { patience: 100 });
    expect(await program.closed).to.include({ code: 'MCPC_CONNECTION_LOST' });
  });

  it('takes nothing after its end', async () => {
    const program = await run('');
    await program.closed;
    expect(() => program.transport.send(request(1, {}), { headers: {} }))
      .to.throw(ConnectorError)
      .that.includes({ code: 'MCPC_CONNECTION_LOST', delivered: 'no' });
  });

  it('that cannot be started is an error at once', async () => {
    const error = await run(['/no/such/program']).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
  });

  describe('that is closed', () => {
    it('ends by itself at the end of its input, after what was sent', async () => {
      const program = await run(`${ECHO} process.stdin.on('end', () => console.error('bye'));`);
      ask(program, 1, {});
      await program.transport.close();
      expect((await program.next()).id).to.equal(1);
      expect(String(program.stderr.read())).to.equal('bye\n');
      expect(await program.closed).to.equal(undefined);
    });

    it('gets SIGTERM when it does not end', async () => {
      const program = await run(
        `process.on('SIGTERM', () => { console.error('term'); process.exit(); });
         setInterval(() => {}, 1e6); ${says('"up"')}`,
        { patience: 200 },
      );
      await program.next();
      await program.transport.close();
      expect(String(program.stderr.read())).to.equal('term\n');
    });

    it('gets SIGKILL when it ignores that too', async () => {
      const witness = await witnessed();
      const program = await run(witness.stubborn, { patience: 100 });
      await witness.started;
      await program.transport.close();
      await witness.gone();
    });

    it('may be closed again, with the same end', async () => {
      const program = await run(ECHO);
      expect(program.transport.close()).to.equal(program.transport.close());
      await program.closed;
      await program.transport.close();
    });

    for (const [how, crash, stop] of [
      ['when it is closed', '', (program: Run) => program.transport.close()],
      ['when it crashes', 'process.exit(1)', (program: Run) => program.closed],
    ] as const) {
      it(`takes the programs with it that it started, ${how}`, async () => {
        const witness = await witnessed();
        const program = await run(
          `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(witness.stubborn)}],
             { stdio: ['ignore', 'inherit', 'inherit'] }).unref();
           process.stdin.once('data', () => { ${crash} });`,
          { patience: 100 },
        );
        await witness.started;
        ask(program, 1, {});
        await stop(program);
        await witness.gone();
      });
    }
  });
});

interface Witness {
  /** A script that ignores SIGTERM and never ends. */
  readonly stubborn: string;
  /** Settles when the script ignores SIGTERM. */
  readonly started: Promise<unknown>;
  /** Settles when the script's process is no more. */
  gone(): Promise<void>;
}

/** Makes a script whose end shows for sure: the system closes the connections of a process that is gone. */
async function witnessed(): Promise<Witness> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const started = (async () => {
    const [socket] = (await once(server, 'connection')) as [Socket];
    socket.on('error', () => undefined).resume();
    return { gone: once(socket, 'close') };
  })();
  const { port } = server.address() as AddressInfo;
  return {
    stubborn: `process.on("SIGTERM", () => {}); require("net").connect(${port}, "127.0.0.1")`,
    started,
    async gone() {
      await (
        await started
      ).gone;
      server.close();
    },
  };
}

function ask({ transport }: Run, id: number, params: unknown): void {
  void transport.send(request(id, params), { headers: {} });
}

function request(id: number, params: unknown): Envelope {
  return Envelope.of({ jsonrpc: '2.0', id, method: 'echo', params: params as Record<string, unknown> });
}
