import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConnectorError, makeFolder, reasonOf } from '@mcp-connect/core';
import { markdownTable } from '../flags/flag-table.js';
import { PLUGINS_CREATE_FLAGS } from '../flags/local.js';

/** What a new plugin may be. */
export const KINDS = PLUGINS_CREATE_FLAGS.kind.options;

/** What a new plugin is made from. */
export interface ScaffoldOptions {
  /** The package's name. */
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  /** Where to; the folder may exist if it is empty. */
  readonly folder: string;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TEMPLATES = join(ROOT, 'templates');
const NAME = /^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/;
const LONGEST_NAME = 214;

/** Files that mean something to npm under their own names, wherever they are in a package. */
const NAMES: Readonly<Record<string, string>> = {
  gitignore: '.gitignore',
  'manifest.json': 'package.json',
};

/**
 * Writes the package of a new plugin.
 *
 * @returns the files that were written, relative to the folder
 * @throws ConnectorError `MCPC_USAGE` when the name is none of a package, or the folder holds something
 */
export function scaffold({ name, kind, folder }: ScaffoldOptions): readonly string[] {
  if (!NAME.test(name) || name.length > LONGEST_NAME) {
    throw new ConnectorError('MCPC_USAGE', `${name} cannot be the name of a package.`, {
      hint: 'Use small letters, digits and dashes, for example mcp-transport-carrier or @acme/mcp-transport-carrier',
    });
  }
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `${folder} cannot be made: ${reasonOf(cause)}`, {
      cause,
      hint: 'Name another folder with --dir',
    });
  }
  if (readdirSync(folder).length > 0) {
    throw new ConnectorError('MCPC_USAGE', `${folder} is not empty.`, {
      hint: 'Name another folder with --dir',
    });
  }
  const words = wordsFor(name, kind);
  return ['common', kind].flatMap((template) =>
    filesOf(join(TEMPLATES, template)).map((file) => {
      const text = readFileSync(join(TEMPLATES, template, file), 'utf8');
      const target = NAMES[file] ?? file;
      makeFolder(dirname(join(folder, target)));
      writeFileSync(join(folder, target), realigned(replaceWords(text, words)));
      return target;
    }),
  );
}

/** What stands in the templates, and what takes its place. */
function wordsFor(name: string, kind: string): Readonly<Record<string, string>> {
  const last = name.slice(name.indexOf('/') + 1);
  const rest = last.replace(/^mcp-(connect-)?/, '').replace(new RegExp(`^${kind}-`), '');
  const prefix = rest.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '') || kind;
  const flag = /^[a-z]/.test(prefix) ? prefix : `${kind}-${prefix}`;
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  return {
    'x-plugin-name': name,
    'x-scheme': flag,
    'x-prefix': flag,
    X_PREFIX: flag.replaceAll('-', '_').toUpperCase(),
    'x-core-range': dependencies['@mcp-connect/core']!,
    'x-testing-range': devDependencies['@mcp-connect/testing']!,
  };
}

function replaceWords(text: string, words: Readonly<Record<string, string>>): string {
  const word = new RegExp(Object.keys(words).join('|'), 'g');
  return text.replaceAll(word, (found) => words[found]!);
}

/** Puts the columns of tables below each other again: the words that took the place of others have other lengths. */
function realigned(text: string): string {
  return text.replace(/^\|.*\n\| -.*\n(?:\|.*\n)+/gm, (table) => {
    const [head, , ...body] = table.trimEnd().split('\n').map(cellsOf);
    return `${markdownTable([head!, ...body])}\n`;
  });
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, -1)
    .split(' | ')
    .map((cell) => cell.trim());
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
