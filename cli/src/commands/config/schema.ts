import { Command } from '@oclif/core/command';
import { string } from '@oclif/core/flags';
import { configSchema } from '../../config/schema.js';
import { fileFlags } from '../../flags/file-flags.js';
import { pluginsInUse } from '../../plugins/in-use.js';

/** `mcp-connect config schema` */
export default class ConfigSchemaCommand extends Command {
  static override summary = 'Print the JSON Schema of the files of --config, for editors.';

  static override examples = [
    '<%= config.bin %> <%= command.id %> > mcp-connect.schema.json',
    '<%= config.bin %> <%= command.id %> --plugin @acme/mcp-transport-ws',
  ];

  static override flags = {
    plugin: string({
      summary: 'Plugin whose options the schema is to know, beside installed ones; may be repeated.',
      env: 'MCP_CONNECT_PLUGINS',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  async run(): Promise<void> {
    await this.parse(ConfigSchemaCommand);
    const plugins = await pluginsInUse({ builtIn: [], args: this.argv, env: process.env });
    this.log(JSON.stringify(configSchema(await fileFlags(), plugins), null, 2));
  }
}
