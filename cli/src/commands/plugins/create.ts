import { resolve } from 'node:path';
import { ConnectorError, type FlagValues } from '@mcp-connect/core';
import { string as word } from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import { checkValues } from '../../command-line/values.js';
import { PLUGINS_CREATE_FLAGS } from '../../flags/local.js';
import { oclifFlags, valuesOf } from '../../flags/oclif-flags.js';
import { KINDS, scaffold } from '../../plugins/scaffold.js';

const flags = oclifFlags(PLUGINS_CREATE_FLAGS, []);

/** `mcp-connect plugins create` */
export default class PluginsCreateCommand extends Command {
  static override summary = 'Write the package of a new plugin.';

  static override description =
    'The package builds, passes the contract suite of its kind and can be published as it is.';

  static override examples = [
    '<%= config.bin %> <%= command.id %> @acme/mcp-transport-carrier --kind transport',
  ];

  static override args = {
    name: word({ description: 'Name of the package.', required: true }),
  };

  static override flags = flags;

  async run(): Promise<void> {
    checkValues(this.argv, PLUGINS_CREATE_FLAGS, process.env);
    const parsed = await this.parse(PluginsCreateCommand);
    const { args } = parsed;
    const { kind, dir } = valuesOf(PLUGINS_CREATE_FLAGS, parsed) as FlagValues<typeof PLUGINS_CREATE_FLAGS>;
    const name = args.name as string;
    if (kind === undefined) {
      throw new ConnectorError('MCPC_USAGE', 'No --kind is given.', {
        hint: `Add --kind ${KINDS.slice(0, -1).join(', --kind ')} or --kind ${KINDS.at(-1)}`,
      });
    }
    const folder = resolve(dir ?? name.slice(name.indexOf('/') + 1));
    const files = scaffold({ name, kind: kind as (typeof KINDS)[number], folder });
    this.log(`${files.length} files are in ${folder}. Next:\n`);
    this.log(`  cd ${folder}\n  npm install\n  npm test\n  ${this.config.bin} plugins link .`);
  }
}
