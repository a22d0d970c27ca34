import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Flag, Flags } from '@mcp-connect/core';
import { configSchema, takesList } from '../config/schema.js';
import { LOGOUT_FLAGS, WHOAMI_FLAGS } from '../flags/accounts.js';
import { DOCTOR_FLAGS, TEST_FLAGS } from '../flags/checks.js';
import { fileFlags } from '../flags/file-flags.js';
import { markdownTable, meaning, withFlagTables } from '../flags/flag-table.js';
import { COMMON_FLAGS } from '../flags/flags.js';
import { CLIENT_FLAGS, DEMO_FLAGS } from '../flags/local.js';
import { AUTH_PROXY_FLAGS, LOAD_BALANCE_FLAGS, PROXY_FLAGS } from '../flags/serving.js';
import { loadPlugins } from '../plugins/load.js';
import { pluginPlaces } from '../plugins/resolve.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SCHEMA = join(ROOT, 'cli/config.schema.json');
const CONFIG_PAGE = join(ROOT, 'docs/config.md');

/** The tables of the README of the command line. */
const COMMANDS: Readonly<Record<string, Flags>> = {
  proxy: without(PROXY_FLAGS, COMMON_FLAGS),
  'auth-proxy': without(AUTH_PROXY_FLAGS, PROXY_FLAGS),
  accounts: without({ ...LOGOUT_FLAGS, ...WHOAMI_FLAGS }, PROXY_FLAGS),
  'load-balance': without(LOAD_BALANCE_FLAGS, COMMON_FLAGS),
  test: { ...without(TEST_FLAGS, COMMON_FLAGS), timeout: TEST_FLAGS.timeout },
  doctor: { ...without(DOCTOR_FLAGS, COMMON_FLAGS), timeout: DOCTOR_FLAGS.timeout },
  config: CLIENT_FLAGS,
  'notification-demo': without(DEMO_FLAGS, COMMON_FLAGS),
  common: COMMON_FLAGS,
};

/** One file of the docs that derives from the flags. */
export interface DerivedFile {
  readonly path: string;
  /** What is there. */
  readonly text: string;
  /** What should be there. */
  readonly derived: string;
  /** The flags that it has to tell of. */
  readonly flags: Flags;
}

/** Returns all files that derive from the flags, as they are and as they should be. */
export async function derivedFiles(): Promise<readonly DerivedFile[]> {
  return [...(await readmes()), ...(await configFiles())];
}

/** The READMEs of the command line and of every plugin of this repository. */
async function readmes(): Promise<readonly DerivedFile[]> {
  const folders = ['plugins', 'examples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(ROOT, folder, name)),
  );
  const packages = folders.filter((folder) => existsSync(join(folder, 'package.json')));
  const plugins = packages.map(async (folder) => {
    const [plugin] = await loadPlugins([folder], pluginPlaces({}));
    const { name, flags = {} } = plugin!;
    return readmeIn(folder, { [name]: flags }, flags);
  });
  const all: Flags = Object.fromEntries(Object.values(COMMANDS).flatMap((flags) => Object.entries(flags)));
  return [readmeIn(join(ROOT, 'cli'), COMMANDS, all), ...(await Promise.all(plugins))];
}

function readmeIn(folder: string, tables: Readonly<Record<string, Flags>>, flags: Flags): DerivedFile {
  const path = join(folder, 'README.md');
  const text = readFileSync(path, 'utf8');
  return { path, text, derived: withFlagTables(text, tables), flags };
}

/** The page about configuration files, and their schema. */
async function configFiles(): Promise<readonly DerivedFile[]> {
  const flags = await fileFlags();
  const text = readFileSync(CONFIG_PAGE, 'utf8');
  const table = (_: string, open: string, close: string): string =>
    `${open}\n\n${keyTable(flags)}\n\n${close}`;
  const schema = existsSync(SCHEMA) ? readFileSync(SCHEMA, 'utf8') : '';
  const derivedSchema = `${JSON.stringify(configSchema(flags), null, 2)}\n`;
  return [
    {
      path: CONFIG_PAGE,
      text,
      derived: text.replace(/(<!-- keys -->)[^]*?(<!-- end -->)/, table),
      flags: {},
    },
    { path: SCHEMA, text: schema, derived: derivedSchema, flags: {} },
  ];
}

/** Words the keys of a configuration file as a Markdown table. */
function keyTable(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, flag]) => [
    `\`${name}\``,
    kindOf(flag),
    meaning(flag),
    'default' in flag ? `\`${flag.default}\`` : '',
  ]);
  return markdownTable([['key', 'value', 'meaning', 'default'], ...rows]);
}

function kindOf(flag: Flag): string {
  if (flag.type === 'boolean') return 'true or false';
  if (flag.type === 'integer') return 'number';
  const kinds = [
    flag.path === true ? 'path' : 'text',
    ...(takesList(flag) ? ['list'] : []),
    ...(flag.pairs === undefined ? [] : ['names with values']),
  ];
  return kinds.join(', ');
}

function without(flags: Flags, others: Flags): Flags {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !Object.hasOwn(others, name)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, derived } of await derivedFiles()) writeFileSync(path, derived);
  const { manual, MANUAL } = await import('./manual.js');
  rmSync(MANUAL, { recursive: true, force: true });
  mkdirSync(MANUAL, { recursive: true });
  for (const [name, text] of await manual()) writeFileSync(new URL(name, MANUAL), text);
}
