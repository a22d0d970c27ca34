import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Plugin } from '@oclif/core';

/** Writes the list of commands that oclif reads at start instead of every command's module. Runs before packing. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const plugin = new Plugin({
  root,
  isRoot: true,
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
});
await plugin.load();
await writeFile(
  new URL('../../oclif.manifest.json', import.meta.url),
  JSON.stringify(plugin.manifest, null, 2),
);
