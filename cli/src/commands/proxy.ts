import { builtInFlags, ServeCommand } from '../command-line/base.js';
import { MODES } from '../command-line/modes.js';

const flags = await builtInFlags(MODES.proxy);

/** `mcp-connect proxy` */
export default class ProxyCommand extends ServeCommand {
  static override summary = 'Connect an MCP client on stdin and stdout to an MCP server.';

  static override description = `The server is named by --endpoint, or is a program of this machine whose command follows after --.
Text values may hold \${NAME} for the value of an environment variable.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp',
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp --headers "Authorization: Bearer ${TOKEN}"',
    '<%= config.bin %> <%= command.id %> --endpoint tcp://localhost:9090 --debug',
    '<%= config.bin %> <%= command.id %> -- npx -y @modelcontextprotocol/server-everything',
  ];

  static override usage = '<%= command.id %> [FLAGS] [-- COMMAND ARGS...]';

  static override flags = flags;

  async run(): Promise<never> {
    return this.serve(MODES.proxy);
  }
}
