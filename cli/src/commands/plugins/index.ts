import { Command } from '@oclif/core/command';
import { boolean, string } from '@oclif/core/flags';
import { BUILT_IN } from '../../built-in.js';
import { describedPlugins } from '../../in-use.js';
import { listingText, listPlugins } from '../../listing.js';

/** `mcp-connect plugins` */
export default class PluginsCommand extends Command {
  static override summary = 'List the plugins that are in use, with what they provide.';

  static override description = `Plugins come with mcp-connect, are installed or linked with "plugins install" and "plugins link", or are named with --plugin.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --plugin ./my-plugin --json',
  ];

  static override flags = {
    plugin: string({
      summary: 'Plugin to list beside the others: a package or a path; may be repeated.',
      env: 'MCP_CONNECT_PLUGINS',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    json: boolean({ summary: 'Print the list as JSON.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(PluginsCommand);
    const inUse = await describedPlugins({
      builtIn: Object.keys(BUILT_IN),
      args: this.argv,
      env: process.env,
    });
    const plugins = listPlugins(inUse, this.config.getPluginsList());
    this.log(flags.json ? JSON.stringify(plugins, null, 2) : listingText(plugins));
  }
}
