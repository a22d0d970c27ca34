import type { FlagValues } from '@mcp-connect/core';
import { FlagCommand } from '../command-line/base.js';
import { runDemo } from '../demo/run-demo.js';
import { DEMO_FLAGS } from '../flags/local.js';
import { oclifFlags } from '../flags/oclif-flags.js';
import { openLog } from '../output/log-sinks.js';

const flags = oclifFlags(DEMO_FLAGS, []);

/** `mcp-connect notification-demo` */
export default class NotificationDemoCommand extends FlagCommand {
  static override summary = 'Be an MCP server that sends notifications, to see what a client makes of them.';

  static override description = `Speaks MCP on stdin and stdout: a client that connects gets log messages at rotating levels, news of a changed list,
and with the tool notify also progress. At a terminal the notifications are printed at once.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %> --count 3',
    'npx @modelcontextprotocol/inspector <%= config.bin %> <%= command.id %> --count 3',
  ];

  static override flags = flags;

  async run(): Promise<never> {
    const values = (await this.readFlags(this.argv, DEMO_FLAGS, flags)) as FlagValues<typeof DEMO_FLAGS>;
    const log = openLog(values, { stderr: process.stderr, env: process.env });
    const { count, interval } = values;
    await runDemo({ count, interval, log, version: this.config.version, around: process });
    return this.exit(0);
  }
}
