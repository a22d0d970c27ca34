import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { DockerfileParser, type Copy, type JSONInstruction } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { mcpConnect } from './proxy-process.js';
import { freePort, serveFeaturesOverHttp } from './servers.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TEXT = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

describe('the Dockerfile', () => {
  const file = DockerfileParser.parse(TEXT);
  const instructions = file.getInstructions();
  const last = (keyword: string) => instructions.findLast((each) => each.getKeyword() === keyword);

  it('is one that Docker takes, without a complaint', () => {
    expect(validate(TEXT)).to.deep.equal([]);
  });

  it('copies what is there, and the manifest of every package before all else', () => {
    const copied = file
      .getCOPYs()
      .filter((copy: Copy) => copy.getFlags().every((flag) => flag.getName() !== 'from'))
      .map((copy: Copy) => copy.getArguments().map((argument) => argument.getValue()))
      .map((words) => words.slice(0, -1));
    for (const source of copied.flat()) expect(existsSync(join(ROOT, source)), source).to.equal(true);
    const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      workspaces: string[];
    };
    const folders = workspaces.flatMap((workspace) =>
      workspace.endsWith('/*')
        ? readdirSync(join(ROOT, workspace.slice(0, -2))).map((name) => `${workspace.slice(0, -1)}${name}`)
        : workspace,
    );
    expect(copied.flat()).to.include.members(folders.map((folder) => `${folder}/package.json`));
  });

  it('builds in one stage and runs in another, as a user without rights, on a Node.js that we support', () => {
    const [build, run] = file.getFROMs();
    expect(build!.getBuildStage()).to.equal('build');
    expect(run!.getImage())
      .to.match(/^node:2[024]-slim$/)
      .and.equal(build!.getImage());
    expect(last('USER')!.getArguments()[0]!.getValue()).to.equal('node');
    const entry = last('ENTRYPOINT') as JSONInstruction;
    expect(entry.getJSONStrings().map((word) => word.getJSONValue())).to.deep.equal(['mcp-connect']);
  });

  it('is healthy while the server of its environment answers, or none is named there', async () => {
    const [, check] = /HEALTHCHECK[^]*?\\\n\s*CMD (.*)\n/.exec(TEXT) ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'mcp-connect-'));
    const { command, args, env } = mcpConnect([]);
    const program = `#!/bin/sh\nexec "${command}" "${args[0]}" "$@"\n`;
    writeFileSync(join(folder, 'mcp-connect'), program, { mode: 0o755 });
    const server = await serveFeaturesOverHttp();
    const dead = `http://127.0.0.1:${await freePort()}/mcp`;
    try {
      const codes = [server.url, dead, 'nowhere', ''].map(async (url) => {
        const around = { ...env, PATH: `${folder}:${env['PATH']}`, MCP_CONNECT_ENDPOINT: url };
        const [code] = await once(spawn('sh', ['-c', check!], { env: around, stdio: 'ignore' }), 'close');
        return code as number;
      });
      expect(await Promise.all(codes)).to.deep.equal([0, 1, 1, 0]);
    } finally {
      await server.close();
      rmSync(folder, { recursive: true });
    }
  });
});
