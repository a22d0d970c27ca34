import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const HARNESS = createRequire(import.meta.url)
  .resolve('@modelcontextprotocol/conformance/package.json')
  .replace(/package\.json$/, 'dist/index.js');

/** One thing that the harness looked at. */
export interface Check {
  readonly id: string;
  readonly name: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly description: string;
  readonly errorMessage?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What came out of a scenario. */
export interface Verdict {
  /** True when all checks and the client itself ended well. */
  readonly passed: boolean;
  readonly checks: readonly Check[];
  /** What to read when it failed. */
  readonly report: string;
}

/** What stands for a revision where a scenario is of an extension, which has revisions of its own. */
export const EXTENSION = 'extension';

/**
 * Runs one scenario of one revision with mcp-connect as the client under test.
 *
 * @param spoken the revision of the client behind mcp-connect, where it is another one
 */
export async function runScenario(scenario: string, revision: string, spoken = revision): Promise<Verdict> {
  // The harness cuts the command at its blanks, so it names neither path.
  const command = '"$MCPC_TEST_NODE" "$MCPC_TEST_CLIENT"';
  const words = ['--command', command, '--scenario', scenario, '--verbose'];
  if (revision !== EXTENSION) words.push('--spec-version', revision);
  const env: NodeJS.ProcessEnv = spoken === EXTENSION ? {} : { MCPC_TEST_REVISION: spoken };
  const { code, stdout, stderr } = await harness(['client', ...words], env);
  const checks = JSON.parse(stdout) as Check[];
  const failed = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  return { passed: code === 0, checks, report: `${JSON.stringify(failed, undefined, 2)}\n${stderr}` };
}

/** Runs all scenarios for servers of one revision against whatever is there, and returns the checks of each. */
export function runServerScenarios(
  url: string,
  revision: string,
): Promise<ReadonlyMap<string, readonly Check[]>> {
  return checksOf('--url', url, '--suite', 'all', '--spec-version', revision);
}

/** Runs one scenario for servers that is of an extension, and returns its checks. */
export async function runExtensionScenario(url: string, scenario: string): Promise<readonly Check[]> {
  return (await checksOf('--url', url, '--scenario', scenario)).get(scenario) ?? [];
}

async function checksOf(...words: readonly string[]): Promise<ReadonlyMap<string, readonly Check[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-connect-'));
  try {
    await harness(['server', ...words, '--output-dir', folder]);
    const entries = (await readdir(folder)).map(async (name): Promise<[string, Check[]]> => {
      const [, scenario = name] = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name) ?? [];
      return [scenario, JSON.parse(await readFile(join(folder, name, 'checks.json'), 'utf8')) as Check[]];
    });
    return new Map(await Promise.all(entries));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Lists the scenarios that the harness has for one side, with the revisions each applies to. */
export async function listScenarios(
  side: 'client' | 'server',
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { stdout } = await harness(['list', `--${side}`]);
  const entries = stdout.matchAll(/^ {2}- (\S+) \[(\S*)\]$/gm);
  return new Map(Array.from(entries, ([, name = '', revisions = '']) => [name, revisions.split(',')]));
}

async function harness(
  args: readonly string[],
  more: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const node20 = new URL('node20.js', import.meta.url).href;
  const env = {
    ...process.env,
    ...more,
    MCPC_TEST_NODE: process.execPath,
    MCPC_TEST_CLIENT: fileURLToPath(new URL('client.js', import.meta.url)),
  };
  delete (env as NodeJS.ProcessEnv)['NODE_EXTRA_CA_CERTS'];
  const child = spawn(process.execPath, ['--import', node20, HARNESS, ...args], { env });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { code, stdout, stderr };
}
