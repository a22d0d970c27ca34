import { LOGOUT, logout } from '../accounts/accounts.js';
import { builtInFlags, ModeCommand } from '../command-line/base.js';

const flags = await builtInFlags(LOGOUT);

/** `mcp-connect logout` */
export default class LogoutCommand extends ModeCommand {
  static override summary = 'End a sign-in: revoke its tokens and forget them.';

  static override examples = [
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp',
    '<%= config.bin %> <%= command.id %> --all',
  ];

  static override usage = '<%= command.id %> [FLAGS]';

  static override flags = flags;

  async run(): Promise<never> {
    return this.exit(await logout(await this.read(LOGOUT), process));
  }
}
