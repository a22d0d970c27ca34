import { FlagCommand } from '../../command-line/base.js';
import { PLUGINS_FLAGS } from '../../flags/local.js';
import { oclifFlags } from '../../flags/oclif-flags.js';
import { BUILT_IN } from '../../plugins/built-in.js';
import { describedPlugins } from '../../plugins/in-use.js';
import { listingText, listPlugins } from '../../plugins/listing.js';

const flags = oclifFlags(PLUGINS_FLAGS, []);

/** `mcp-connect plugins` */
export default class PluginsCommand extends FlagCommand {
  static override summary = 'List the plugins that are in use, with what they provide.';

  static override description = `Plugins come with mcp-connect, are installed or linked with "plugins install" and "plugins link", or are named with --plugin.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --plugin ./my-plugin --json',
  ];

  static override flags = flags;

  async run(): Promise<void> {
    const { json } = await this.readFlags(this.argv, PLUGINS_FLAGS, flags);
    const inUse = await describedPlugins({
      builtIn: Object.keys(BUILT_IN),
      args: this.argv,
      env: process.env,
    });
    const plugins = listPlugins(inUse, this.config.getPluginsList());
    this.log(json === true ? JSON.stringify(plugins, null, 2) : listingText(plugins));
  }
}
