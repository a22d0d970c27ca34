import { FlagCommand } from '../command-line/base.js';
import { VERSION_FLAGS } from '../flags/local.js';
import { oclifFlags } from '../flags/oclif-flags.js';

const flags = oclifFlags(VERSION_FLAGS, []);

/** `mcp-connect version` */
export default class VersionCommand extends FlagCommand {
  static override summary = 'Show which mcp-connect and which Node.js this is.';

  static override examples = ['<%= config.bin %> <%= command.id %>'];

  static override flags = flags;

  async run(): Promise<void> {
    const { json } = await this.readFlags(this.argv, VERSION_FLAGS, flags);
    const { version, platform, arch, userAgent } = this.config;
    const details = { version, node: process.versions.node, platform, arch };
    this.log(json === true ? JSON.stringify(details) : userAgent);
  }
}
