import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { ProxyProcess } from './proxy-process.js';
import { serveFeaturesOverHttp, type HttpPeer } from './servers.js';

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

  /** Runs words of mcp-connect until the handshake is done, with the server of this test in the place of the address. */
  async function serves(words: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
    const at = words.indexOf('--endpoint');
    const args = at === -1 ? words : words.with(at + 1, server.url);
    const proxy = new ProxyProcess(args, env);
    const { result } = await proxy.initialize();
    expect(result, proxy.stderr).to.have.property('serverInfo');
    expect(await proxy.end()).to.deep.equal({ code: 0, signal: null });
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
        await serves(words, env);
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
    const { services } = parse(read('compose.yaml')) as {
      services: Record<string, { command: string; environment: Record<string, string> }>;
    };
    const { command, environment } = services['mcp-connect']!;
    await serves(command.split(' '), { ...environment, MCP_CONNECT_ENDPOINT: server.url });
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

  it('the Dockerfile copies the manifest of every package', () => {
    const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      workspaces: string[];
    };
    const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    const folders = workspaces.flatMap((workspace) =>
      workspace.endsWith('/*')
        ? readdirSync(join(ROOT, workspace.slice(0, -2))).map((name) => `${workspace.slice(0, -1)}${name}`)
        : workspace,
    );
    for (const folder of folders) expect(dockerfile).to.include(`COPY ${folder}/package.json ${folder}/`);
  });
});
