import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDemoServer } from '../demo/server.js';
import { mcpConnect } from '../e2e/proxy-process.js';
import { freePort } from '../e2e/servers.js';
import { serveProtected } from '../fixtures/protected-server.js';
import { Terminal } from '../e2e/terminal.js';

/** What is typed on one screen, and what is said about it. */
interface Scene {
  readonly title: string;
  readonly text: string;
  readonly typed: string;
  /** What the screen shows in the end, where it is not a new prompt. */
  readonly until?: RegExp;
}

const PAGE = new URL('../../../docs/terminal.md', import.meta.url);
const SIZE = { columns: 100, rows: 48 };
const PROMPT = '$ ';
const AT_PROMPT = /\n\$\s*$/;

/** Takes the screens of docs/terminal.md: the program in a real terminal, against a server of this machine. */
const root = mkdtempSync(join(tmpdir(), 'mcp-connect-screens-'));
const server = await startDemoServer();
const guarded = await serveProtected();
try {
  const dead = `http://127.0.0.1:${await freePort()}/mcp`;
  const env = surroundings();
  const scenes = scenesWith(server.url, guarded.url, dead);
  const shown: string[] = [];
  for (const scene of scenes) shown.push(section(scene, await played(scene, env), dead));
  writeFileSync(PAGE, `${head()}\n\n${shown.join('\n\n')}\n`);
  process.stdout.write(`${scenes.length} screens are in docs/terminal.md\n`);
} finally {
  await server.close();
  await guarded.close();
  rmSync(root, { recursive: true });
}

function scenesWith(url: string, asking: string, dead: string): readonly Scene[] {
  return [
    { title: 'What there is', text: 'Every command has a `--help` of its own.', typed: 'mcp-connect --help' },
    {
      title: 'A server that works',
      text: 'While a step takes its time, its name is shown; it makes room for the result.',
      typed: `mcp-connect test --endpoint ${url}`,
    },
    {
      title: 'A tool',
      text: '`--call` calls one tool, and prints what it returned.',
      typed: `mcp-connect test --endpoint ${url} --call echo --args '{"message":"hello"}' | tail -n 14`,
    },
    {
      title: 'A server that does not',
      text: 'The last line is the command to type next.',
      typed: `mcp-connect test --endpoint ${dead}`,
    },
    {
      title: 'A server that asks for a sign-in',
      text: 'Where the server says how, the next command signs in.',
      typed: `mcp-connect test --endpoint ${asking}`,
    },
    {
      title: 'This machine',
      text: 'Lines are cut to the width of the terminal; `--json` has them whole.',
      typed: `mcp-connect doctor --endpoint ${url}`,
    },
    {
      title: 'Completion',
      text: 'After `mcp-connect autocomplete bash`; two tabs show what fits.',
      typed: 'mcp-connect proxy --endpoint https://example.com/mcp --auth-token\t\t',
      until: /--auth-token-file/,
    },
    {
      title: 'Mistakes',
      text: 'One line, exit code 2.',
      typed: 'mcp-connect proxi; mcp-connect proxy --endpont https://example.com/mcp; mcp-connect proxy',
    },
    {
      title: 'Notifications',
      text: 'A client gets these as messages; a person sees them at once.',
      typed: 'mcp-connect notification-demo --count 3',
    },
  ];
}

/** A user at an empty machine, with mcp-connect on the PATH. */
function surroundings(): Record<string, string> {
  const bin = join(root, 'bin');
  mkdirSync(bin);
  const { command, args } = mcpConnect([]);
  const program = `#!/bin/sh\nexec "${command}" "${args[0]}" "$@"\n`;
  writeFileSync(join(bin, 'mcp-connect'), program, { mode: 0o755 });
  const env = {
    HOME: root,
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    PS1: PROMPT,
    TERM: 'xterm',
    // The shell would write there when its terminal is already gone.
    HISTFILE: '',
    XDG_CACHE_HOME: join(root, '.cache'),
  };
  const quiet = { env, stdio: 'ignore' } as const;
  execFileSync('mcp-connect', ['autocomplete', '--refresh-cache'], quiet);
  return env;
}

async function played({ typed, until = AT_PROMPT }: Scene, env: Record<string, string>): Promise<string> {
  const own = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
  const terminal = new Terminal(`env -i ${own.join(' ')} bash --norc --noprofile -i`, {}, SIZE);
  try {
    terminal.type(`source "$XDG_CACHE_HOME/mcp-connect/autocomplete/bash_setup"; clear; echo read""y`);
    terminal.press('Enter');
    await terminal.shows(/^ready\n/);
    terminal.press('C-l');
    for (const part of typed.match(/\t|[^\t]+/g)!) {
      if (part === '\t') terminal.press('Tab');
      else terminal.type(part);
    }
    if (until === AT_PROMPT) terminal.press('Enter');
    return await terminal.shows(until);
  } finally {
    terminal.close();
  }
}

function section({ title, text }: Scene, screen: string, dead: string): string {
  return `## ${title}\n\n${text}\n\n\`\`\`console\n${normalised(screen, dead)}\n\`\`\``;
}

/** Addresses, times, versions and paths are those of everybody. */
function normalised(screen: string, dead: string): string {
  return screen
    .replace(/\n\$\s*$/, '')
    .trimEnd()
    .replaceAll(new URL(server.url).port, '8080')
    .replaceAll(new URL(dead).port, '8081')
    .replaceAll(new URL(guarded.url).port, '8082')
    .replaceAll(new URL(guarded.authorization.issuer).port, '8083')
    .replaceAll(/ +$/gm, '')
    .replaceAll(/ +\d+ ms/g, (time) => '5 ms'.padStart(time.length))
    .replaceAll(process.execPath, '/usr/bin/node')
    .replaceAll(process.versions.node, '24.0.0')
    .replaceAll(`${process.platform}-${process.arch}`, 'linux-x64')
    .replaceAll(root, '~')
    .replaceAll(homedir(), '~')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-11-01T12:00:00.000Z')
    .replaceAll(/\d+ authorities built in/g, '144 authorities built in');
}

function head(): string {
  return [
    '# In a terminal',
    '',
    'What mcp-connect looks like at work. `npm run screens` takes these screens anew, in tmux; addresses, times and',
    'versions in them are made up.',
  ].join('\n');
}
