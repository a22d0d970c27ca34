import { Command } from '@oclif/core/command';
import { string as word } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { refreshReadme } from '../../plugins/readme.js';

/** `mcp-connect plugins readme` */
export default class PluginsReadmeCommand extends Command {
  static override summary = 'Write the table of flags into the README of a plugin.';

  static override description =
    'The table has its place between the comments <!-- flags NAME --> and <!-- end -->, with the name of the plugin.';

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> ./my-plugin --check',
  ];

  static override args = {
    folder: word({ description: 'Folder of the plugin, which is built.', default: '.' }),
  };

  static override flags = {
    check: boolean({ summary: 'Write nothing; end with 1 where the table is not the one of the flags.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsReadmeCommand);
    const { file, changed } = await refreshReadme(args.folder, { write: !flags.check });
    if (!changed) return this.log(`${file} is up to date.`);
    if (!flags.check) return this.log(`${file} is written.`);
    this.logToStderr(
      `${this.config.bin}: ${file} is not up to date. Write it with: ${this.config.bin} plugins readme`,
    );
    return this.exit(1);
  }
}
