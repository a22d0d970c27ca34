import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, type LegStatus } from '@mcp-connect/core';
import { expect } from 'chai';
import { readStatuses, serveStatus, statusTable, type StatusServer } from './status.js';

const LEG: LegStatus = {
  endpoint: 'https://one.example/mcp',
  state: 'up',
  open: true,
  home: true,
  era: 'legacy',
  pending: 2,
  answered: 40,
  failed: 3,
  ejections: 1,
  quarantined: undefined,
  lastError: 'it broke the connection',
};

describe('the status of running processes', () => {
  let folder: string;
  let server: StatusServer | undefined;
  const said: string[] = [];
  const log = createLog({ level: 'debug', write: ({ text }) => void said.push(text) });
  const tell = () => ({ pid: process.pid, command: 'proxy', endpoints: [LEG] });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mcpc-'));
    said.length = 0;
  });
  afterEach(() => {
    server?.close();
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  it('is told to whoever of this user asks, in a folder that nobody else can enter', async () => {
    const dir = join(folder, 'run');
    server = serveStatus(dir, log, tell);
    expect(await readStatuses(dir)).to.deep.equal(JSON.parse(JSON.stringify([tell()])));
    expect(statSync(dir).mode & 0o777).to.equal(0o700);
  });

  it('is told nowhere that others can enter', async () => {
    chmodSync(folder, 0o755);
    server = serveStatus(folder, log, tell);
    expect(await readStatuses(folder)).to.deep.equal([]);
    expect(said.join()).to.include(folder);
  });

  it('clears away what a dead process has left, and nothing else', async () => {
    const dead = join(folder, '1.sock');
    const socket = createServer().listen(dead);
    await new Promise((resolve) => socket.once('listening', resolve));
    // Closing removes the socket; a process that is killed does not.
    const stale = join(folder, '2.sock');
    renameSync(dead, stale);
    await new Promise((resolve) => socket.close(resolve));
    writeFileSync(join(folder, 'notes.txt'), '');
    expect(existsSync(stale)).to.equal(true);
    expect(await readStatuses(folder)).to.deep.equal([]);
    expect(existsSync(stale)).to.equal(false);
    expect(existsSync(join(folder, 'notes.txt'))).to.equal(true);
  });

  it('is empty where none has ever run', async () => {
    expect(await readStatuses(join(folder, 'none'))).to.deep.equal([]);
  });

  it('is worded as a table, one line an endpoint', () => {
    const other = {
      ...LEG,
      home: false,
      state: 'ejected' as const,
      quarantined: 'the tool x',
      era: undefined,
    };
    const [title, head, first, second] = statusTable({ ...tell(), endpoints: [LEG, other] }).split('\n');
    expect(title).to.include('proxy').and.include(String(process.pid));
    expect(head!.trim().split(/ {2,}/)).to.deep.equal([
      'endpoint',
      'state',
      'era',
      'in flight',
      'answered',
      'failed',
      'ejected',
      'last error',
    ]);
    const cells = ['https://one.example/mcp', 'up, home', 'legacy', '2', '40', '3', '1', LEG.lastError];
    expect(first!.trim().split(/ {2,}/)).to.deep.equal(cells);
    expect(second).to.include('ejected, differs: the tool x');
  });
});
