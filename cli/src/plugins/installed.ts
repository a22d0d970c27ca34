import { resolve } from 'node:path';
import { ConnectorError } from '@mcp-connect/core';
import { closest } from '../command-line/suggest.js';
import { BUILT_IN } from './built-in.js';
import { readManifest, recordedPackages } from './resolve.js';

/** What is to be done with a package, and which there are. */
export interface InstalledOptions {
  readonly use: 'inspect' | 'uninstall';
  /** Names of all packages that add commands, those that come with the program included. */
  readonly loaded: readonly string[];
  /** The user's folder, with the list of what was installed and linked there. */
  readonly data: string;
}

const LIST = 'See what is in use with: mcp-connect plugins';

/**
 * Checks that a word names a package that can be inspected or uninstalled: by its name, with or without a version, or
 * by the folder that it is in.
 *
 * @throws ConnectorError `MCPC_USAGE` naming what there is instead
 */
export function checkInstalled(word: string, { use, loaded, data }: InstalledOptions): void {
  const isHere = word === '.';
  const name = isHere ? (readManifest(process.cwd())?.name ?? process.cwd()) : withoutTag(word);
  // What is broken is not loaded, and can be uninstalled nevertheless.
  const recorded = recordedPackages(data);
  const names = recorded.map((entry) => entry.name);
  const isKnown =
    use === 'inspect'
      ? loaded.includes(name)
      : recorded.some(({ root }) => root !== undefined && resolve(root) === resolve(word)) ||
        (!isHere && names.includes(name));
  if (isKnown) return;
  throw new ConnectorError('MCPC_USAGE', `The plugin ${name} is not installed.`, {
    hint: adviceOn(name, use, names),
  });
}

function adviceOn(name: string, use: InstalledOptions['use'], names: readonly string[]): string {
  if (Object.hasOwn(BUILT_IN, name)) return `It comes with mcp-connect. ${LIST}`;
  const near = closest(name, names);
  if (near !== undefined) return `Did you mean: mcp-connect plugins ${use} ${near}?`;
  return names.length === 0 ? LIST : `Installed are ${names.join(', ')}. ${LIST}`;
}

/** A scope begins with an @, and a tag is set off by one. */
function withoutTag(word: string): string {
  const at = word.lastIndexOf('@');
  return at > 0 ? word.slice(0, at) : word;
}
