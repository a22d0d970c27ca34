import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import { createServer as createTlsServer } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { hang, scriptedHttp, scriptedTcp, status, type Script } from '@mcp-connect/testing';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { createFeatureServer } from '../fixtures/feature-server.js';
import { serveProtected } from '../fixtures/protected-server.js';
import { Desk } from './desk.js';
import { ProxyProcess } from './proxy-process.js';
import {
  fixture,
  freePort,
  serveFeaturesOverHttp,
  serveFeaturesOverSocket,
  serveModernOverHttp,
  startEverything,
  type Peer,
} from './servers.js';

interface Report {
  readonly ok: boolean;
  readonly era?: string;
  readonly revisions?: readonly string[];
  readonly clients?: Readonly<Record<string, string>>;
  readonly server?: { readonly name: string };
  readonly tools?: readonly string[];
  readonly prompts?: readonly string[];
  readonly call?: { readonly content: readonly { readonly text: string }[] };
  readonly error?: { readonly code: string; readonly hint?: string };
  readonly next?: string;
  readonly steps: readonly { readonly name: string; readonly status: string; readonly text: string }[];
}

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const program = new ProxyProcess(args, env);
  const { code } = await program.exit;
  return { code, out: program.lines.join('\n'), err: program.stderr };
}

/** Runs `test` for its JSON, and compares the exit code with what the report says. */
async function check(...args: readonly string[]): Promise<Report> {
  const { code, out, err } = await run(['test', '--json', ...args]);
  expect(out, err).not.to.equal('');
  const report = JSON.parse(out) as Report;
  expect(code).to.equal(report.ok ? 0 : 1);
  return report;
}

const stepOf = (report: Report, name: string): Report['steps'][number] | undefined =>
  report.steps.find((step) => step.name === name);

describe('mcp-connect test', () => {
  const peers: { close(): Promise<void> }[] = [];
  const folders: string[] = [];

  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.close()));
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
  });

  async function started<T extends { close(): Promise<void> }>(peer: Promise<T>): Promise<T> {
    peers.push(await peer);
    return peer;
  }

  function isFeatureServer(report: Report): void {
    expect(report.server?.name).to.equal('feature-server');
    expect(report).to.include({ ok: true, era: 'legacy' });
    expect(report.tools).to.include.members(['echo', 'count']);
    expect(report.prompts).to.deep.equal(['travel']);
    for (const name of ['initialize', 'sign-in', 'era', 'ping', 'tools', 'resources', 'notifications'])
      expect(stepOf(report, name)?.status, name).to.equal('ok');
  }

  it('HTTP, as the manual shows it', async () => {
    const { url } = await started(serveFeaturesOverHttp());
    const report = await check('--endpoint', url, '--transport', 'http');
    isFeatureServer(report);
    expect(report.revisions).to.deep.equal(['2025-11-25']);
    expect(report.clients).to.deep.equal({
      '2024-11-05': 'as is',
      '2025-03-26': 'as is',
      '2025-06-18': 'as is',
      '2025-11-25': 'as is',
      '2026-07-28': 'translated',
    });
    expect(stepOf(report, 'notifications')?.text).to.equal('open');
  });

  it('HTTP with a token, which nothing shows', async () => {
    const { url, requests } = await started(serveFeaturesOverHttp());
    const { code, out, err } = await run([
      'test',
      '--endpoint',
      url,
      '--transport',
      'http',
      '--auth-token',
      'tok-secret',
      '--log-level',
      'trace',
    ]);
    expect(code).to.equal(0);
    expect(requests[0]?.headers.authorization).to.equal('Bearer tok-secret');
    expect(out).to.include('sent authorization');
    expect(out + err).not.to.include('tok-secret');
  });

  it('TCP, as host and port', async () => {
    const { args } = await started(serveFeaturesOverSocket());
    isFeatureServer(await check('--endpoint', args[1]!.replace('tcp://', ''), '--transport', 'tcp'));
  });

  it('a command over stdio, as one text and as words', async () => {
    isFeatureServer(await check('--endpoint', fixture('feature-stdio').join(' '), '--transport', 'stdio'));
    isFeatureServer(await check('--', ...fixture('feature-stdio')));
  });

  it('a unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcpc-'));
    folders.push(folder);
    const { args } = await started(serveFeaturesOverSocket(join(folder, 'mcp.sock')));
    isFeatureServer(await check(...args));
  });

  it('HTTP with SSE', async () => {
    const { args } = await started(startEverything('sse'));
    const report = await check(...args, '--transport', 'sse');
    expect(report).to.include({ ok: true, era: 'legacy' });
    expect(stepOf(report, 'notifications')?.text).to.equal('open');
  });

  it('TLS: an unknown authority is named as the reason, and --ca helps', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    const folder = await mkdtemp(join(tmpdir(), 'mcpc-'));
    folders.push(folder);
    await writeFile(join(folder, 'ca.pem'), cert);
    const server = createTlsServer({ cert, key }, (socket) => {
      void createFeatureServer().connect(new StdioServerTransport(socket, socket));
    });
    server.on('tlsClientError', () => undefined);
    await once(server.listen(0, 'localhost'), 'listening');
    peers.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    const endpoint = `tls://localhost:${(server.address() as AddressInfo).port}`;
    const refused = await check('--endpoint', endpoint);
    expect(refused.error?.code).to.equal('MCPC_CONNECT');
    expect(refused.next).to.include('--ca FILE');
    const trusted = await check('--endpoint', endpoint, '--ca', join(folder, 'ca.pem'));
    isFeatureServer(trusted);
    for (const name of ['resolve', 'connect', 'TLS']) expect(stepOf(trusted, name)?.status).to.equal('ok');
  });

  it('TLS: a server that asks for our certificate late is named, and --cert is the next to type', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    const folder = await mkdtemp(join(tmpdir(), 'mcpc-'));
    folders.push(folder);
    await writeFile(join(folder, 'ca.pem'), cert);
    const wanting = { cert, key, ca: cert, requestCert: true, minVersion: 'TLSv1.3' } as const;
    for (const server of [createHttpsServer(wanting), createTlsServer(wanting)]) {
      server.on('tlsClientError', () => undefined);
      await once(server.listen(0, 'localhost'), 'listening');
      peers.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
      const { port } = server.address() as AddressInfo;
      const endpoint =
        server instanceof HttpsServer ? `https://localhost:${port}/mcp` : `tls://localhost:${port}`;
      const refused = await check('--endpoint', endpoint, '--ca', join(folder, 'ca.pem'));
      expect(stepOf(refused, 'TLS')?.status).to.equal('ok');
      expect(refused.error).to.include({
        code: 'MCPC_CONNECT',
        cause: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
        attempts: 1,
      });
      expect(refused.next).to.include('--cert FILE --key FILE');
    }
  });

  it('TLS: a server that expects it is named where the endpoint asks for none', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }]);
    for (const server of [createHttpsServer({ cert, key }), createTlsServer({ cert, key })]) {
      server.on('tlsClientError', () => undefined);
      await once(server.listen(0, 'localhost'), 'listening');
      peers.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
      const where = `localhost:${(server.address() as AddressInfo).port}`;
      const [plain, secure] =
        server instanceof HttpsServer
          ? [`http://${where}/mcp`, `https://${where}/mcp`]
          : [`tcp://${where}`, `tls://${where}`];
      const refused = await check('--endpoint', plain, '--timeout', '1');
      expect(refused.ok).to.equal(false);
      expect(refused.next).to.equal(`mcp-connect test --endpoint "${secure}" --json --timeout 1`);
    }
  });

  for (const wire of ['http', 'stdio'] as const) {
    it(`a server of 2026-07-28 alone over ${wire}`, async () => {
      const args =
        wire === 'http'
          ? (await started(serveModernOverHttp())).args
          : ['--', ...fixture('modern-stdio', '--modern-only')];
      const report = await check('--call', 'echo', '--args', '{"text":"hi"}', ...args);
      expect(report).to.include({ ok: true, era: 'modern' });
      expect(report.revisions).to.deep.equal(['2026-07-28']);
      expect(report.clients).to.include({ '2024-11-05': 'translated', '2026-07-28': 'as is' });
      expect(report.server?.name).to.equal('modern-server');
      expect(report.tools).to.include('echo');
      expect(report.call?.content[0]?.text).to.equal('hi');
      expect(stepOf(report, 'initialize')?.status).to.equal('skipped');
      expect(stepOf(report, 'notifications')).to.include({ status: 'ok', text: 'open' });
    });
  }

  it('calls a tool, and fails when the tool does', async () => {
    const words = fixture('feature-stdio');
    const good = await check('--call', 'echo', '--args', '{"text":"hello"}', '--', ...words);
    expect(good.call?.content[0]?.text).to.equal('hello');
    const bad = await check('--call', 'echo', '--args', '{}', '--', ...words);
    expect(bad.ok).to.equal(false);
    expect(stepOf(bad, 'call echo')?.status).to.equal('failed');
    expect(bad.error?.hint).to.include('{"text":"…"}');
    expect(bad.next).to.include(`--call echo --args '{"text":"…"}' -- `);
    const asking = await check('--call', 'ask-model', '--', ...words);
    expect(stepOf(asking, 'call ask-model')?.status).to.equal('failed');
    expect(asking.error?.hint).to.not.include('--args');
    expect(asking.next).to.include('--call ask-model --debug -- ');
  });

  for (const [era, words] of [
    ['legacy', fixture('feature-stdio')],
    ['modern', fixture('modern-stdio', '--modern-only')],
  ] as const) {
    it(`names the tools there are, the nearest first, where one is mistyped (${era})`, async () => {
      const { error, next } = await check('--call', 'ehco', '--', ...words);
      expect(error?.hint).to.match(/ehco: .*: echo, \w+/);
      expect(next).to.include(`--call echo --args '{"text":"…"}' -- `);
      const far = await check('--call', 'no-such-tool', '--', ...words);
      expect(far.error?.hint).to.include('echo');
      expect(far.next).to.include('--call TOOL -- ');
    });
  }

  describe('a failing endpoint: the reason, and the command to type next', () => {
    async function scripted(script: Script): Promise<string> {
      const server = await started(scriptedHttp(script));
      return server.endpoint.url!.href;
    }

    it('nobody listens', async () => {
      const url = `http://127.0.0.1:${await freePort()}/mcp`;
      const report = await check('--endpoint', url);
      expect(report.error?.code).to.equal('MCPC_CONNECT');
      expect(report.next).to.equal(`mcp-connect test --endpoint "${url}" --json`);
    });

    it('a token is asked for', async () => {
      const url = await scripted(() => status(401, { headers: { 'www-authenticate': 'Basic realm="x"' } }));
      const report = await check('--endpoint', url);
      expect(report.error?.code).to.be.oneOf(['MCPC_SIGN_IN', 'MCPC_UNAUTHORIZED']);
      expect(stepOf(report, 'sign-in')?.text).to.include('401').and.include('Basic');
      expect(report.next).to.include('--auth-token TOKEN');
    });

    it('a sign-in is asked for', async () => {
      // Whoever looks there for the authorization server finds nobody.
      const metadata = `http://127.0.0.1:${await freePort()}/`;
      const headers = { 'www-authenticate': `Bearer resource_metadata="${metadata}"` };
      const url = await scripted(() => status(401, { headers }));
      const report = await check('--endpoint', url);
      expect(report.error?.code).to.be.oneOf(['MCPC_SIGN_IN', 'MCPC_UNAUTHORIZED']);
      expect(stepOf(report, 'sign-in')?.text).to.include('OAuth');
      expect(report.next).to.equal(`mcp-connect login --endpoint "${url}" --json`);
    });

    it('a sign-in is asked for by a server that has one: nobody is bothered, and login is all it takes', async () => {
      const [desk, guarded] = [await Desk.open('browser'), await started(serveProtected())];
      try {
        const line = ['test', '--json', '--endpoint', guarded.url];
        const first = await run(line, desk.env);
        const report = JSON.parse(first.out) as Report;
        expect(first.code).to.equal(1);
        expect(report.error?.code).to.equal('MCPC_UNAUTHORIZED');
        expect(report.next).to.equal(`mcp-connect login --endpoint "${guarded.url}" --json`);
        expect(guarded.authorization.requests).to.deep.equal([]);

        expect(await run(['login', '--endpoint', guarded.url], desk.env)).to.include({ code: 0 });
        const second = JSON.parse((await run(line, desk.env)).out) as Report;
        expect(second).to.include({ ok: true });
        expect(stepOf(second, 'sign-in')?.text).to.include('authorization');
      } finally {
        await desk.close();
      }
    });

    it('the path is wrong', async () => {
      const url = await scripted(() => status(404));
      const report = await check('--endpoint', new URL('/elsewhere', url).href);
      expect(report.error?.code).to.equal('MCPC_HTTP_STATUS');
      expect(report.next).to.include(new URL('/mcp', url).href);
    });

    it('the server has moved to another origin', async () => {
      const there = `http://127.0.0.1:${await freePort()}/new`;
      const url = await scripted(() => status(308, { headers: { location: `${there}?token=secret` } }));
      const { error, next } = await check('--endpoint', url, '--ipv4');
      expect(error?.code).to.equal('MCPC_HTTP_STATUS');
      expect(next).to.equal(`mcp-connect test --endpoint "${there}" --json --ipv4`);
    });

    it('the server fails at the usual path: what is left is to see more', async () => {
      const url = await scripted(() => status(500));
      const { error, next } = await check('--endpoint', new URL('/mcp', url).href);
      expect(error?.code).to.equal('MCPC_HTTP_STATUS');
      expect(error?.hint).to.include('--debug');
      expect(next).to.include('--debug');
    });

    it('the server says nothing', async () => {
      const server = await started(scriptedTcp(() => hang()));
      const report = await check('--endpoint', server.endpoint.url!.href, '--timeout', '1');
      expect(report.error?.code).to.equal('MCPC_TIMEOUT');
      expect(report.next).to.include('--timeout 3');
    });
  });

  it('a table for people, on stdout and without colours in a pipe', async () => {
    const { code, out } = await run(['test', '--', ...fixture('feature-stdio')]);
    expect(code).to.equal(0);
    expect(out).to.include('feature-server 1.0.0').and.include('echo').and.not.include('\u001b');
  });

  for (const [what, ...args] of [
    ['no endpoint'],
    ['arguments that are no JSON', '--args', 'x', '--', 'node'],
    ['arguments that are no object', '--args', '[]', '--', 'node'],
    ['a program that is not there', '--', 'no-such-program-here'],
    ['an unknown flag', '--endpont', 'x'],
  ] as const) {
    it(`${what}: one line that helps and exit code 2`, async () => {
      const { code, out, err } = await run(['test', ...args]);
      expect(err).to.match(/^mcp-connect: [^\n]+\n$/);
      expect(code).to.equal(2);
      expect(out).to.equal('');
    });
  }
});

describe('mcp-connect doctor', () => {
  interface Diagnosis {
    readonly ok: boolean;
    readonly findings: readonly { readonly name: string; readonly status: string; readonly next?: string }[];
  }

  async function doctor(...args: readonly string[]): Promise<Diagnosis> {
    const { code, out, err } = await run(['doctor', '--json', ...args]);
    expect(out, err).not.to.equal('');
    const diagnosis = JSON.parse(out) as Diagnosis;
    expect(code).to.equal(diagnosis.ok ? 0 : 1);
    return diagnosis;
  }

  it('looks at the machine where no endpoint is named', async () => {
    const { ok, findings } = await doctor();
    expect(ok).to.equal(true);
    expect(findings.map(({ name }) => name)).to.include.members([
      'Node.js',
      'proxies',
      'certificates',
      'state folder',
      'sign-ins',
      'plugins',
      'clock',
    ]);
  });

  it('looks at every endpoint', async () => {
    const dead = `http://127.0.0.1:${await freePort()}/mcp`;
    const peer: Peer = await serveFeaturesOverHttp();
    try {
      const { ok, findings } = await doctor('--endpoints', `${peer.args[1]},${dead}`);
      expect(ok).to.equal(false);
      expect(findings.find(({ name }) => name === peer.args[1])?.status).to.equal('ok');
      expect(findings.find(({ name }) => name === dead)).to.include({
        status: 'failed',
        next: `mcp-connect test --endpoint "${dead}" --json`,
      });
    } finally {
      await peer.close();
    }
  });

  it('proposes to test a server of a configuration file by its name there', async () => {
    const dead = `http://127.0.0.1:${await freePort()}/mcp`;
    const folder = await mkdtemp(join(tmpdir(), 'mcpc-'));
    const file = join(folder, 'servers.yaml');
    await writeFile(file, `servers:\n  one:\n    endpoint: ${dead}\n`);
    try {
      const { findings } = await doctor('--config', file);
      const { next } = findings.find(({ name }) => name.startsWith('one: '))!;
      expect(next).to.equal(`mcp-connect test --json --config ${file} --server one`);
      const { error } = await check('--config', file, '--server', 'one');
      expect(error?.code).to.equal('MCPC_CONNECT');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
