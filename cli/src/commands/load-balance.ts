import { builtInFlags, ServeCommand } from '../command-line/base.js';
import { MODES } from '../command-line/modes.js';

const flags = await builtInFlags(MODES['load-balance']);

/** `mcp-connect load-balance` */
export default class LoadBalanceCommand extends ServeCommand {
  static override summary = 'Connect an MCP client on stdin and stdout to several MCP servers in turn.';

  static override description = 'Text values may hold ${NAME} for the value of an environment variable.';

  static override examples = [
    '<%= config.bin %> <%= command.id %> --endpoints "https://one.example/mcp,https://two.example/mcp"',
  ];

  static override usage = '<%= command.id %> --endpoints URL,URL,… [FLAGS]';

  static override flags = flags;

  async run(): Promise<never> {
    return this.serve(MODES['load-balance']);
  }
}
