import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Flags } from '@mcp-connect/core';
import { withFlagTables } from './flag-table.js';
import {
  AUTH_PROXY_FLAGS,
  COMMON_FLAGS,
  DEMO_FLAGS,
  DOCTOR_FLAGS,
  LOAD_BALANCE_FLAGS,
  LOGOUT_FLAGS,
  PROXY_FLAGS,
  TEST_FLAGS,
  WHOAMI_FLAGS,
} from './flags.js';
import { loadPlugins } from './load.js';
import { pluginPlaces } from './resolve.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The tables of the README of the command line. */
const COMMANDS: Readonly<Record<string, Flags>> = {
  proxy: without(PROXY_FLAGS, COMMON_FLAGS),
  'auth-proxy': without(AUTH_PROXY_FLAGS, PROXY_FLAGS),
  accounts: without({ ...LOGOUT_FLAGS, ...WHOAMI_FLAGS }, PROXY_FLAGS),
  'load-balance': without(LOAD_BALANCE_FLAGS, COMMON_FLAGS),
  test: { ...without(TEST_FLAGS, COMMON_FLAGS), timeout: TEST_FLAGS.timeout },
  doctor: { ...without(DOCTOR_FLAGS, COMMON_FLAGS), timeout: DOCTOR_FLAGS.timeout },
  'notification-demo': without(DEMO_FLAGS, COMMON_FLAGS),
  common: COMMON_FLAGS,
};

/** A README, with the tables that it has and should have. */
export interface Readme {
  readonly file: string;
  readonly text: string;
  /** The text with the tables of the flags as they are. */
  readonly fresh: string;
  /** The flags that it has to tell of. */
  readonly flags: Flags;
}

/** Reads the READMEs of the command line and of every plugin of this repository. */
export async function readmes(): Promise<readonly Readme[]> {
  const folders = ['plugins', 'examples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(ROOT, folder, name)),
  );
  const packages = folders.filter((folder) => existsSync(join(folder, 'package.json')));
  const plugins = packages.map(async (folder) => {
    const [plugin] = await loadPlugins([folder], pluginPlaces({}));
    const { name, flags = {} } = plugin!;
    return read(join(folder, 'README.md'), { [name]: flags }, flags);
  });
  const all: Flags = Object.fromEntries(Object.values(COMMANDS).flatMap((flags) => Object.entries(flags)));
  return [read(join(ROOT, 'cli/README.md'), COMMANDS, all), ...(await Promise.all(plugins))];
}

function read(file: string, tables: Readonly<Record<string, Flags>>, flags: Flags): Readme {
  const text = readFileSync(file, 'utf8');
  return { file, text, fresh: withFlagTables(text, tables), flags };
}

function without(flags: Flags, others: Flags): Flags {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !Object.hasOwn(others, name)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { file, fresh } of await readmes()) writeFileSync(file, fresh);
  const { manual, MANUAL } = await import('./manual.js');
  rmSync(MANUAL, { recursive: true, force: true });
  mkdirSync(MANUAL, { recursive: true });
  for (const [name, text] of await manual()) writeFileSync(new URL(name, MANUAL), text);
}
