import { posix, win32 } from 'node:path';
import type { Environment } from '../command-line/plain.js';

/** The machine and user whose clients are configured. */
export interface ClientPlace {
  readonly platform: NodeJS.Platform;
  readonly env: Environment;
  readonly home: string;
  readonly cwd: string;
}

/** For whom an entry is: for the user everywhere, or for whoever works in the folder. */
export type Scope = 'user' | 'project';

/** An MCP client with a settings file of its own. */
export interface Client {
  readonly title: string;
  /** The member of its settings that holds the servers by name. */
  readonly key: 'mcpServers' | 'servers' | 'context_servers';
  /** Members of an entry that say of which kind it is. */
  readonly kind: Readonly<Record<string, string>>;
  /** Its files by scope, the usual one first. */
  readonly files: Readonly<Partial<Record<Scope, (place: ClientPlace) => string>>>;
  /** How it writes the value of an environment variable; where it has no way of its own, we replace `${NAME}`. */
  reference(variable: string): string;
  /** Starts servers without the environment that it was started with itself. */
  readonly withholdsEnvironment?: boolean;
}

const STDIO = { type: 'stdio' } as const;

/** `${NAME}`, which Claude Code replaces, and which we replace where the client does not. */
const plain = (variable: string): string => `\${${variable}}`;

/** `${env:NAME}`, as VS Code has it and what descends from it. */
const byEnv = (variable: string): string => `\${env:${variable}}`;

/** The clients by the names that the command line has for them. */
export const CLIENTS = {
  'claude-desktop': {
    title: 'Claude Desktop',
    key: 'mcpServers',
    kind: {},
    files: { user: (place) => inSettings(place, 'Claude', 'claude_desktop_config.json') },
    reference: plain,
    withholdsEnvironment: true,
  },
  'claude-code': {
    title: 'Claude Code',
    key: 'mcpServers',
    kind: STDIO,
    files: {
      user: (place) => inHome(place, '.claude.json'),
      project: (place) => inFolder(place, '.mcp.json'),
    },
    reference: plain,
  },
  cursor: {
    title: 'Cursor',
    key: 'mcpServers',
    kind: STDIO,
    files: {
      user: (place) => inHome(place, '.cursor', 'mcp.json'),
      project: (place) => inFolder(place, '.cursor', 'mcp.json'),
    },
    reference: byEnv,
  },
  vscode: {
    title: 'VS Code',
    key: 'servers',
    kind: STDIO,
    files: {
      user: (place) => inSettings(place, 'Code', 'User', 'mcp.json'),
      project: (place) => inFolder(place, '.vscode', 'mcp.json'),
    },
    reference: byEnv,
  },
  zed: {
    title: 'Zed',
    key: 'context_servers',
    kind: { source: 'custom' },
    files: {
      user: (place) =>
        place.platform === 'darwin'
          ? inHome(place, '.config', 'zed', 'settings.json')
          : inSettings(place, place.platform === 'win32' ? 'Zed' : 'zed', 'settings.json'),
      project: (place) => inFolder(place, '.zed', 'settings.json'),
    },
    reference: plain,
  },
  windsurf: {
    title: 'Windsurf',
    key: 'mcpServers',
    kind: {},
    files: { user: (place) => inHome(place, '.codeium', 'windsurf', 'mcp_config.json') },
    reference: byEnv,
  },
  inspector: {
    title: 'MCP Inspector',
    key: 'mcpServers',
    kind: STDIO,
    files: { project: (place) => inFolder(place, 'inspector.config.json') },
    reference: plain,
  },
} as const satisfies Readonly<Record<string, Client>>;

/** Names the settings file of a client; undefined where the client has none in that scope. */
export function clientFile(client: Client, scope: Scope, place: ClientPlace): string | undefined {
  return client.files[scope]?.(place);
}

/** Joins paths as the platform does. */
function pathsOf({ platform }: ClientPlace): typeof posix {
  return platform === 'win32' ? win32 : posix;
}

function inHome(place: ClientPlace, ...names: string[]): string {
  return pathsOf(place).join(place.home, ...names);
}

function inFolder(place: ClientPlace, ...names: string[]): string {
  return pathsOf(place).join(place.cwd, ...names);
}

/** The folder in which programs with windows keep their settings. */
function inSettings(place: ClientPlace, ...names: string[]): string {
  const { platform, env, home } = place;
  const { join } = pathsOf(place);
  if (platform === 'win32') return join(env['APPDATA'] || join(home, 'AppData', 'Roaming'), ...names);
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', ...names);
  return join(env['XDG_CONFIG_HOME'] || join(home, '.config'), ...names);
}
