import { resolve } from 'node:path';
import { string as word } from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import { string } from '@oclif/core/flags';
import { KINDS, scaffold } from '../../scaffold.js';

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

  static override flags = {
    kind: string({ summary: 'What the plugin is.', options: [...KINDS], required: true }),
    dir: string({
      summary: 'Folder to write to; the name without its scope where not given.',
      helpValue: 'FOLDER',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsCreateCommand);
    const { name } = args;
    const folder = resolve(flags.dir ?? name.slice(name.indexOf('/') + 1));
    const files = scaffold({ name, kind: flags.kind as (typeof KINDS)[number], folder });
    this.log(`${files.length} files are in ${folder}. Next:\n`);
    this.log(`  cd ${folder}\n  npm install\n  npm test\n  ${this.config.bin} plugins link .`);
  }
}
