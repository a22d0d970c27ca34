import { WHOAMI, whoami } from '../accounts/accounts.js';
import { builtInFlags, ModeCommand } from '../command-line/base.js';

const flags = await builtInFlags(WHOAMI);

/** `mcp-connect whoami` */
export default class WhoamiCommand extends ModeCommand {
  static override summary = 'List the sign-ins that are stored, without their secrets.';

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp --verify',
  ];

  static override usage = '<%= command.id %> [FLAGS]';

  static override flags = flags;

  async run(): Promise<never> {
    return this.exit(await whoami(await this.read(WHOAMI), process));
  }
}
