import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ConnectorError } from './errors.js';
import { createLog } from './log.js';
import { outputOf } from './program.js';

const log = createLog({ level: 'error', write: () => undefined });
log.hide('hunter2');

function run(script: string, timeout = 10_000): Promise<string> {
  const words = [process.execPath, '-e', script];
  return outputOf(words, { source: '--some-command', code: 'MCPC_SIGN_IN', timeout, log });
}

async function failure(running: Promise<string>): Promise<ConnectorError> {
  try {
    await running;
  } catch (error) {
    expect(error).to.be.instanceOf(ConnectorError);
    expect(error).to.include({ code: 'MCPC_SIGN_IN', delivered: 'no' });
    expect((error as ConnectorError).message).to.include('--some-command');
    return error as ConnectorError;
  }
  throw new Error('it did not fail');
}

describe('A program run for its output', () => {
  it('is heard to its end, whatever it says beside', async () => {
    const script = `console.error('noise'); console.log('grüße'); setTimeout(() => console.log('two'), 20)`;
    expect(await run(script)).to.equal('grüße\ntwo\n');
  });

  it('gets its words as they are, and an empty stdin', async () => {
    const words = [
      process.execPath,
      '-e',
      'process.stdin.resume().on("end", () => console.log(process.argv[1]))',
      '$HOME; `x` "',
    ];
    const options = { source: 'x', code: 'MCPC_SIGN_IN', timeout: 10_000, log } as const;
    expect(await outputOf(words, options)).to.equal('$HOME; `x` "\n');
  });

  it('that fails is told with its exit code and the end of its stderr, without secrets or its output', async () => {
    const script = `console.log('half-token'); console.error('not logged in as hunter2'); process.exitCode = 3`;
    const { message } = await failure(run(script));
    expect(message).to.include('3').and.include('not logged in as [hidden]').and.not.include('half-token');
  });

  it('that does not exist is told so', async () => {
    const options = { source: '--some-command', code: 'MCPC_SIGN_IN', timeout: 10_000, log } as const;
    await failure(outputOf(['/no/such/program'], options));
    await failure(outputOf([], options));
  });

  it('that never ends is ended with all that it started', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const grandchild = `require('net').connect(${port}, '127.0.0.1').resume(); setInterval(() => {}, 1000)`;
    const script = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' }); setInterval(() => {}, 1000)`;
    const failed = failure(run(script, 3_000));
    const [socket] = (await once(server, 'connection')) as [Socket];
    const gone = once(socket.on('error', () => undefined).resume(), 'close');
    expect((await failed).message).to.include('3 s');
    await gone;
    server.close();
  }).timeout(10_000);

  it('that prints without end is ended', async () => {
    await failure(run(`setInterval(() => process.stdout.write('x'.repeat(10000)), 1)`));
  });

  it('ends with its output although what it left running keeps its stdout open', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mcp-connect-'));
    const pidFile = path.join(folder, 'pid');
    const script = `
      const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit', detached: true });
      require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
      child.unref();
      console.log('token');`;
    try {
      expect(await run(script, 3_000)).to.equal('token\n');
    } finally {
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
      rmSync(folder, { recursive: true });
    }
  }).timeout(10_000);
});
