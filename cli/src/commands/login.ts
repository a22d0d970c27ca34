import { LOGIN, login } from '../accounts/accounts.js';
import { builtInFlags, ModeCommand } from '../command-line/base.js';

const flags = await builtInFlags(LOGIN);

/** `mcp-connect login` */
export default class LoginCommand extends ModeCommand {
  static override summary = 'Sign in to a server now, so that no later start has to ask.';

  static override examples = [
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp',
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp --profile work --no-browser',
  ];

  static override usage = '<%= command.id %> [FLAGS]';

  static override flags = flags;

  async run(): Promise<never> {
    return this.exit(await login(await this.read(LOGIN), process));
  }
}
