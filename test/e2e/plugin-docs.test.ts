import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Connector, createLog, Envelope, type Plugin } from '@mcp-connect/core';
import { memoryTransport, type PeerMessage } from '@mcp-connect/testing';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const TEXT = readFileSync(join(ROOT, 'docs/plugins.md'), 'utf8');

function blocks(language: string): string[] {
  return [...TEXT.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, text]) => text!);
}

describe('docs/plugins.md', function () {
  this.timeout(60_000);
  let root: string;
  let folder: string;
  let env: NodeJS.ProcessEnv;
  /** The plugin as the scaffold wrote it. */
  let written: string;

  /** Runs a line as a reader would type it. Dependencies are there already, and nothing is really published. */
  function type(line: string): void {
    const words = line.split(' ');
    if (words[0] === 'cd') folder = resolve(folder, words[1]!);
    else if (line === 'npm install') symlinkSync(MODULES, join(folder, 'node_modules'));
    else run(line === 'npm publish' ? 'npm publish --dry-run --loglevel=error' : line);
  }

  function run(line: string): string {
    return execFileSync('sh', ['-c', line], {
      cwd: folder,
      env,
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 30_000,
    });
  }

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'mcp-connect-docs-'));
    folder = root;
    const bin = join(root, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'mcp-connect'),
      `#!/bin/sh\nexec "${process.execPath}" "${ROOT}cli/bin/dev.mjs" "$@"\n`,
    );
    chmodSync(join(bin, 'mcp-connect'), 0o755);
    env = {
      ...process.env,
      PATH: `${bin}:${process.env['PATH']}`,
      MCP_CONNECT_DATA_DIR: join(root, 'data'),
      MCP_CONNECT_CACHE_DIR: join(root, 'cache'),
      MCP_CONNECT_CONFIG_DIR: join(root, 'config'),
    };
    const [first = ''] = blocks('sh');
    for (const line of first.trim().split('\n')) type(line);
    written = readFileSync(join(folder, 'src/index.ts'), 'utf8');
    for (const block of blocks('ts')) {
      const [, file] = /^\/\/ (src\/\S+)\n/.exec(block)!;
      mkdirSync(dirname(join(folder, file!)), { recursive: true });
      writeFileSync(join(folder, file!), block);
    }
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as object;
    const [more = ''] = blocks('json');
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ ...manifest, ...(JSON.parse(more) as object) }),
    );
    writeFileSync(join(folder, 'README.md'), '<!-- flags mcp-hello -->\n<!-- end -->\n');
    rmSync(join(folder, 'dist'), { recursive: true });
    type('npm test');
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  /** Sends one request to a server that answers with its method, by way of a plugin of the text. */
  async function ask(file: string, method: string): Promise<{ answer: PeerMessage; methods: unknown[] }> {
    const module = (await import(pathToFileURL(join(folder, 'dist', file)).href)) as { default: Plugin };
    const wire = memoryTransport();
    const served = await wire.serve((text, say) => {
      const { id, method: asked } = JSON.parse(text) as PeerMessage;
      void say(JSON.stringify({ jsonrpc: '2.0', id, result: { asked } }));
    });
    const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
    connector.use(module.default).transport('memory', wire.kind);
    connector.endpoint(served.endpoint);
    const delivered: PeerMessage[] = [];
    let answered!: (answer: PeerMessage) => void;
    const answer = new Promise<PeerMessage>((done) => (answered = done));
    const pipeline = connector.connect({
      deliver: ({ kind, message }) => {
        delivered.push(message as PeerMessage);
        if (kind === 'response') answered(message as PeerMessage);
      },
    });
    void pipeline.accept(Envelope.of({ jsonrpc: '2.0', id: 1, method }));
    const got = await answer;
    await pipeline.close();
    await served.close();
    return { answer: got, methods: delivered.map((message) => message.method) };
  }

  it('begins with the plugin that was created', () => {
    expect(blocks('ts')[0]).to.equal(`// src/index.ts\n${written}`);
  });

  it('answers, drops, delays and replaces messages, and keeps state', async () => {
    const method = async (name: string): Promise<PeerMessage> =>
      (await ask('messages.js', `x-messages/${name}`)).answer;
    expect((await method('answer')).error).to.include({ code: -32001 });
    expect((await method('drop')).error?.message).to.include('nobody needs it');
    expect((await method('delay')).result).to.have.property('asked', 'x-messages/delay');
    const { result } = await method('replace');
    expect(result).to.have.property('asked', 'ping');
    expect(result).to.have.nested.property('_meta.ms').that.is.a('number');
  });

  it('sends messages of its own', async () => {
    const { answer, methods } = await ask('first-answer.js', 'x-first/ask');
    expect(methods).to.deep.equal(['notifications/message', undefined]);
    expect(answer.result).to.deep.equal({
      tools: { result: { asked: 'tools/list' } },
      prompts: { result: { asked: 'prompts/list' } },
    });
  });

  it('adds a command', () => {
    type('mcp-connect plugins link .');
    expect(run('mcp-connect greet')).to.equal('hello\n');
    type('mcp-connect plugins uninstall mcp-hello');
  });

  it('wraps a channel', async () => {
    expect((await ask('wrap.js', 'ping')).methods).to.deep.equal(['notifications/message', undefined]);
  });

  it('gives advice that works to the last line', () => {
    for (const block of blocks('sh').slice(1)) for (const line of block.trim().split('\n')) type(line);
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).to.include('| `--hello-note`');
  });
});
