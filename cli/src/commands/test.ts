import { runTest } from '../check/run-test.js';
import { builtInFlags, ModeCommand } from '../command-line/base.js';
import { CHECKS } from '../command-line/modes.js';

const flags = await builtInFlags(CHECKS.test);

/** `mcp-connect test` */
export default class TestCommand extends ModeCommand {
  static override summary = 'Connect to an MCP server and show step by step how it goes.';

  static override description = `Shows how the server is reached, whether it asks for a sign-in, which revisions of the protocol it speaks and what
it offers. The exit code is 0 when everything works, 1 when something failed, and 2 when the command line is at fault.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp',
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp --auth-token "$TOKEN" --json',
    '<%= config.bin %> <%= command.id %> --endpoint localhost:9090 --transport tcp',
    '<%= config.bin %> <%= command.id %> --endpoint "python my-server.py" --transport stdio',
    `<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp --call echo --args '{"text":"hello"}'`,
  ];

  static override usage = '<%= command.id %> [FLAGS] [-- COMMAND ARGS...]';

  static override flags = flags;

  async run(): Promise<never> {
    const invocation = await this.read(CHECKS.test);
    return this.exit(await runTest(invocation, { around: process, version: this.config.version }));
  }
}
