import { Command } from '@oclif/core/command';

/** `mcp-connect version` */
export default class VersionCommand extends Command {
  static override summary = 'Show which mcp-connect and which Node.js this is.';

  async run(): Promise<void> {
    await this.parse(VersionCommand);
    this.log(this.config.userAgent);
  }
}
