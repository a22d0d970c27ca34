import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Flag, Flags } from '@mcp-connect/core';
import { configSchema, takesList } from './config/schema.js';
import { fileFlags } from './file-flags.js';
import {
  AUTH_PROXY_FLAGS,
  CLIENT_FLAGS,
  COMMON_FLAGS,
  DEMO_FLAGS,
  DOCTOR_FLAGS,
  LOAD_BALANCE_FLAGS,
  LOGOUT_FLAGS,
  PROXY_FLAGS,
  TEST_FLAGS,
  WHOAMI_FLAGS,
} from './flags.js';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const SCHEMA = fileURLToPath(new URL('../config.schema.json', import.meta.url));
const CONFIG_PAGE = fileURLToPath(new URL('../../docs/config.md', import.meta.url));

/** The tables of the README by the name between their markers `<!-- flags NAME -->` and `<!-- end -->`. */
const TABLES: Readonly<Record<string, Flags>> = {
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

/** Reads the README. */
export function readme(): string {
  return readFileSync(README, 'utf8');
}

/** Returns a README whose tables of flags are those of the flag data. */
export function withFlagTables(text: string): string {
  return text.replace(
    /(<!-- flags (\S+) -->)[^]*?(<!-- end -->)/g,
    (_, open: string, name: string, close: string) =>
      `${open}\n\n${flagTable(TABLES[name] ?? {})}\n\n${close}`,
  );
}

/** Words flags as a Markdown table. */
export function flagTable(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, flag]) => [
    `\`--${name}\`${flag.valueName === undefined ? '' : ` ${escaped(flag.valueName)}`}`,
    meaning(flag),
    'default' in flag ? `\`${flag.default}\`` : '',
    flag.env === undefined ? '' : `\`${flag.env}\``,
  ]);
  return tableOf([['flag', 'meaning', 'default', 'environment'], ...rows]);
}

/** One file of the docs that derives from the flags. */
export interface DerivedFile {
  readonly path: string;
  /** What is there. */
  readonly text: string;
  /** What should be there. */
  readonly derived: string;
}

/** Returns all files that derive from the flags, as they are and as they should be. */
export async function derivedFiles(): Promise<readonly DerivedFile[]> {
  const flags = await fileFlags();
  const page = readFileSync(CONFIG_PAGE, 'utf8');
  const schema = existsSync(SCHEMA) ? readFileSync(SCHEMA, 'utf8') : '';
  return [
    { path: README, text: readme(), derived: withFlagTables(readme()) },
    {
      path: CONFIG_PAGE,
      text: page,
      derived: page.replace(
        /(<!-- keys -->)[^]*?(<!-- end -->)/,
        (_, open: string, close: string) => `${open}\n\n${keyTable(flags)}\n\n${close}`,
      ),
    },
    { path: SCHEMA, text: schema, derived: `${JSON.stringify(configSchema(flags), null, 2)}\n` },
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
  return tableOf([['key', 'value', 'meaning', 'default'], ...rows]);
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

function tableOf(table: readonly (readonly string[])[]): string {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  const [head, ...body] = table.map((cells) =>
    line(cells.map((cell, column) => cell.padEnd(widths[column]!))),
  );
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function meaning(flag: Flag): string {
  const options = 'options' in flag && flag.options ? ` One of ${flag.options.join(', ')}.` : '';
  return escaped(flag.summary + options);
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}

function without(flags: Flags, others: Flags): Flags {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !Object.hasOwn(others, name)));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const { path, derived } of await derivedFiles()) writeFileSync(path, derived);
