import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scriptedHttp, type ScriptedServer } from '@mcp-connect/testing';
import { expect } from 'chai';
import { ProxyProcess } from './proxy-process.js';

describe('mcp-connect load-balance', () => {
  let servers: ScriptedServer[];
  let proxy: ProxyProcess;
  let folder: string;

  const begin = async (options: { sessions: boolean }): Promise<void> => {
    servers = await Promise.all([1, 2, 3].map(() => scriptedHttp(() => undefined, options)));
    const endpoints = servers.map(({ endpoint }) => endpoint.label).join();
    proxy = new ProxyProcess(['load-balance', '--endpoints', endpoints], { MCP_CONNECT_STATE_DIR: folder });
  };
  const end = async (): Promise<void> => {
    await proxy.stop();
    await Promise.all(servers.map((server) => server.close()));
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcpc-'));
    await begin({ sessions: true });
  });
  afterEach(async () => {
    await end();
    await rm(folder, { recursive: true });
  });

  const status = async (...args: string[]): Promise<string> => {
    const asking = new ProxyProcess(['status', ...args], { MCP_CONNECT_STATE_DIR: folder });
    expect((await asking.exit).code).to.equal(0);
    return asking.lines.join('\n');
  };

  it('begins one session on each server, spreads what is safe, and keeps tool calls on one', async () => {
    await proxy.initialize();
    await Promise.all(servers.map((server) => server.received(1, 'notifications/initialized')));
    for (let id = 0; id < 30; id++) await proxy.request(id, 'resources/read', { uri: 'x:1' });
    for (let id = 30; id < 40; id++) await proxy.request(id, 'tools/call', { name: 'act' });
    expect(servers.map((server) => server.executions('initialize'))).to.deep.equal([1, 1, 1]);
    for (const server of servers) expect(server.executions('resources/read')).to.be.within(8, 12);
    expect(servers.map((server) => server.executions('tools/call'))).to.have.members([0, 0, 10]);
  });

  it('spreads tool calls too where the servers keep no session', async () => {
    await end();
    await begin({ sessions: false });
    await proxy.initialize();
    await Promise.all(servers.map((server) => server.received(1, 'notifications/initialized')));
    for (let id = 0; id < 30; id++) await proxy.request(id, 'tools/call', { name: 'act' });
    for (const server of servers) expect(server.executions('tools/call')).to.be.within(8, 12);
  });

  it('goes on without a server that stops, and with it when it is back', async () => {
    await proxy.initialize();
    await Promise.all(servers.map((server) => server.received(1, 'notifications/initialized')));
    await servers[2]!.stop();
    for (let id = 0; id < 20; id++) {
      expect(await proxy.request(id, 'resources/read', { uri: 'x:1' })).to.have.property('result');
    }
    expect(await status()).to.match(/ejected/);
    await servers[2]!.start();
    // It is asked for a sign of life, and begins its session anew, before it gets a request.
    await servers[2]!.received(2, 'initialize');
    const before = servers[2]!.executions('resources/read');
    for (let id = 20; id < 40; id++) await proxy.request(id, 'resources/read', { uri: 'x:1' });
    expect(servers[2]!.executions('resources/read')).to.be.greaterThan(before);
  });

  it('tells what goes on', async () => {
    await proxy.initialize();
    await Promise.all(servers.map((server) => server.received(1, 'notifications/initialized')));
    const [text] = (await status('--json')).split('\n');
    const { command, endpoints } = JSON.parse(text!) as {
      command: string;
      endpoints: { endpoint: string }[];
    };
    expect(command).to.equal('load-balance');
    expect(endpoints.map(({ endpoint }) => endpoint)).to.deep.equal(
      servers.map(({ endpoint }) => endpoint.label),
    );
    expect((await status()).split('\n')).to.have.length(5);
  });
});
