import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConnectorError } from '@mcp-connect/core';
import { withFlagTables } from '../flags/flag-table.js';
import { loadPlugins } from './load.js';
import { pluginPlaces } from './resolve.js';

/** What became of a README. */
export interface ReadmeChange {
  readonly file: string;
  /** Whether its table was not the one of the flags. */
  readonly changed: boolean;
}

/**
 * Writes the flags of a plugin into its README.
 *
 * @throws ConnectorError `MCPC_USAGE` where there is no plugin, no README, or no place for the table in it
 */
export async function refreshReadme(
  folder: string,
  { write }: { readonly write: boolean },
): Promise<ReadmeChange> {
  const root = resolve(folder);
  if (!existsSync(root)) {
    throw new ConnectorError('MCPC_USAGE', `There is no ${root}.`, {
      hint: 'Name the folder of a plugin, or leave it out within one',
    });
  }
  const [plugin] = await loadPlugins([root], pluginPlaces(process.env));
  const { name, flags = {} } = plugin!;
  const file = join(root, 'README.md');
  const place = `<!-- flags ${name} -->`;
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (Object.keys(flags).length > 0 && !text.includes(place)) {
    throw new ConnectorError('MCPC_USAGE', `${file} has no place for the flags of ${name}.`, {
      hint: `Write ${place} and, below it, <!-- end --> where the table belongs`,
    });
  }
  const fresh = withFlagTables(text, { [name]: flags });
  if (write && fresh !== text) writeFileSync(file, fresh);
  return { file, changed: fresh !== text };
}
