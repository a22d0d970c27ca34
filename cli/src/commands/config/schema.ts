import { FlagCommand } from '../../command-line/base.js';
import { configSchema } from '../../config/schema.js';
import { fileFlags } from '../../flags/file-flags.js';
import { CONFIG_SCHEMA_FLAGS } from '../../flags/local.js';
import { oclifFlags } from '../../flags/oclif-flags.js';
import { pluginsInUse } from '../../plugins/in-use.js';

const flags = oclifFlags(CONFIG_SCHEMA_FLAGS, []);

/** `mcp-connect config schema` */
export default class ConfigSchemaCommand extends FlagCommand {
  static override summary = 'Print the JSON Schema of the files of --config, for editors.';

  static override examples = [
    '<%= config.bin %> <%= command.id %> > mcp-connect.schema.json',
    '<%= config.bin %> <%= command.id %> --plugin @acme/mcp-transport-ws',
  ];

  static override flags = flags;

  async run(): Promise<void> {
    await this.readFlags(this.argv, CONFIG_SCHEMA_FLAGS, flags);
    const plugins = await pluginsInUse({ builtIn: [], args: this.argv, env: process.env });
    this.log(JSON.stringify(configSchema(await fileFlags(), plugins), null, 2));
  }
}
