import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { ProxyProcess, runCommand } from './proxy-process.js';
import { freePort, serveFeaturesOverHttp, type HttpPeer } from './servers.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const EXAMPLES = join(ROOT, 'examples');

interface Entry {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A container as Compose and Kubernetes describe it. */
interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly command?: string | readonly string[];
  readonly env?: readonly { name: string; value?: string }[];
  readonly readinessProbe?: { readonly exec: { readonly command: readonly string[] } };
}

/** A service of Compose. */
interface Service {
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly depends_on?: object;
}

/** A Service or a Deployment of Kubernetes. */
interface Kubernetes {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly clusterIP?: string;
    readonly ports?: readonly { port: number }[];
    readonly selector: object;
    readonly template?: {
      readonly metadata: { readonly labels: object };
      readonly spec: { readonly containers: readonly Container[] };
    };
  };
}

const read = (name: string): string => readFileSync(join(EXAMPLES, name), 'utf8');

function entriesOf(name: string): [string, Entry][] {
  const settings = JSON.parse(read(name)) as Record<string, Record<string, Entry>>;
  return Object.entries(settings['mcpServers'] ?? settings['context_servers'] ?? {});
}

describe('the examples', () => {
  let server: HttpPeer;

  before(async () => {
    server = await serveFeaturesOverHttp();
  });

  after(() => server.close());

  /**
   * Runs words of mcp-connect until the handshake is done, with the server of this test in the place of the address.
   *
   * @returns what was said on stderr
   */
  async function serves(words: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
    const at = words.indexOf('--endpoint');
    const args = at === -1 ? words : words.with(at + 1, server.url);
    const proxy = new ProxyProcess(args, env);
    const { result } = await proxy.initialize();
    expect(result, proxy.stderr).to.have.property('serverInfo');
    expect(await proxy.end()).to.deep.equal({ code: 0, signal: null });
    return proxy.stderr;
  }

  it('are all listed, and all that is listed is there', () => {
    const listed = [...read('README.md').matchAll(/\]\(([^)]+)\)/g)].map(([, name]) => name);
    expect(listed).to.have.members(readdirSync(EXAMPLES).filter((name) => name !== 'README.md'));
  });

  for (const name of readdirSync(EXAMPLES).filter((file) => file.endsWith('.json'))) {
    for (const [title, { command, args, env = {} }] of entriesOf(name)) {
      it(`${name}: ${title}`, async () => {
        expect(command).to.be.oneOf(['mcp-connect', 'docker']);
        // In a container it is the image's name behind which the words of mcp-connect come.
        const words = command === 'docker' ? args.slice(args.indexOf('mcp-connect') + 1) : args;
        const before = server.requests.length;
        // One that warns at each start is no example.
        expect(await serves(words, env)).to.equal('');
        const headers = server.requests[before]?.headers ?? {};
        for (const secret of Object.values(env)) expect(headers.authorization).to.equal(`Bearer ${secret}`);
      });
    }
  }

  it('mcp-connect.yaml', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-connect-'));
    try {
      const file = join(folder, 'mcp-connect.yaml');
      writeFileSync(
        file,
        read('mcp-connect.yaml').replaceAll(/https:\/\/\w+\.(com|example)\/mcp/g, server.url),
      );
      const before = server.requests.length;
      await serves(['proxy', '--config', file, '--server', 'example'], { EXAMPLE_TOKEN: 'of-the-example' });
      const { headers } = server.requests[before]!;
      expect(headers).to.include({ authorization: 'Bearer of-the-example', 'x-tenant': 'blue' });
      await serves(['load-balance', '--config', file, '--server', 'pool'], {});
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('compose.yaml', async () => {
    const { services } = parse(read('compose.yaml')) as { services: Record<string, Service> };
    const { command, environment, healthcheck, depends_on: needs } = services['mcp-connect']!;
    expect(needs).to.deep.equal({ server: { condition: 'service_healthy' } });
    const env = { ...environment, MCP_CONNECT_ENDPOINT: server.url };
    await serves(command.split(' '), env);
    const [, program, ...words] = healthcheck.test;
    expect(program).to.equal('mcp-connect');
    expect((await runCommand(words, env)).code).to.equal(0);

    const peer = services['server']!;
    expect(new URL(environment['MCP_CONNECT_ENDPOINT']!).host).to.equal(`server:${peer.environment['PORT']}`);
    const [, node, ...script] = peer.healthcheck.test;
    expect(node).to.equal('node');
    for (const [port, code] of [
      [new URL(server.url).port, 0],
      [String(await freePort()), 1],
    ] as const) {
      const probe = spawn(process.execPath, script, { env: { PORT: port }, stdio: 'ignore' });
      expect(await once(probe, 'close')).to.deep.equal([code, null]);
    }
  });

  it('kubernetes-load-balance.yaml', async () => {
    const objects = parseAllDocuments(read('kubernetes-load-balance.yaml')).map(
      (document) => document.toJS() as Kubernetes,
    );
    const service = objects.find(({ kind }) => kind === 'Service')!;
    const [servers, balancer] = objects.filter(({ kind }) => kind === 'Deployment') as Kubernetes[];
    for (const { spec } of [servers!, balancer!])
      expect(spec.selector).to.deep.equal({ matchLabels: spec.template!.metadata.labels });
    // The Service finds the servers, and its name leads to all of them.
    expect(service.spec).to.include({ clusterIP: 'None' });
    expect(service.spec.selector).to.deep.equal(servers!.spec.template!.metadata.labels);
    const [{ env: variables = [] } = {}] = balancer!.spec.template!.spec.containers;
    const { name, value = '' } = variables[0]!;
    expect(name).to.equal('MCP_CONNECT_ENDPOINTS');
    const at = `${service.metadata.name}:${service.spec.ports![0]!.port}`;
    expect(value).to.equal(`dns+http://${at}/mcp`);
    await serves(['load-balance'], {
      MCP_CONNECT_ENDPOINTS: value.replace(at, `localhost:${new URL(server.url).port}`),
      MCP_CONNECT_IPV4: 'true',
    });
  });

  it('kubernetes-sidecar.yaml', async () => {
    const [pod] = parseAllDocuments(read('kubernetes-sidecar.yaml'));
    const { spec } = pod!.toJS() as { spec: { containers: readonly Container[] } };
    const { readinessProbe } = spec.containers.find(({ name }) => name === 'mcp-connect')!;
    const [program, ...words] = readinessProbe!.exec.command;
    expect(program).to.equal('mcp-connect');
    const probe = new ProxyProcess(words, { MCP_CONNECT_ENDPOINT: server.url });
    expect((await probe.exit).code, probe.stderr).to.equal(0);
  });
});
