import { ClientCommand, clientFlags } from '../../clients/client-command.js';

const flags = await clientFlags();

/** `mcp-connect config claude-code` */
export default class ConfigClaudeCodeCommand extends ClientCommand {
  static override summary = 'Print or write the entry that has Claude Code run mcp-connect.';

  static override examples = [
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp',
    "<%= config.bin %> <%= command.id %> --name github --endpoint https://example.com/mcp --auth-token '${GITHUB_TOKEN}' --write",
    '<%= config.bin %> <%= command.id %> --scope project --endpoint https://example.com/mcp --write',
    '<%= config.bin %> <%= command.id %> --name github --remove',
  ];

  static override usage = '<%= command.id %> [FLAGS] [-- COMMAND ARGS...]';

  static override flags = flags;

  async run(): Promise<never> {
    return this.configure('claude-code');
  }
}
