import { homedir } from 'node:os';
import { runtimeDir } from '@mcp-connect/core';
import { FlagCommand } from '../command-line/base.js';
import { STATUS_FLAGS } from '../flags/local.js';
import { oclifFlags } from '../flags/oclif-flags.js';
import { readStatuses, statusTable } from '../serve/status.js';

const flags = oclifFlags(STATUS_FLAGS, []);

/** `mcp-connect status` */
export default class StatusCommand extends FlagCommand {
  static override summary =
    'Show what each running mcp-connect of this user does: its endpoints and how they are.';

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ];

  static override flags = flags;

  async run(): Promise<void> {
    const { json } = await this.readFlags(this.argv, STATUS_FLAGS, flags);
    const dir = runtimeDir({ env: process.env, platform: process.platform, home: homedir() });
    const statuses = await readStatuses(dir);
    if (json === true) for (const status of statuses) this.log(JSON.stringify(status));
    else if (statuses.length === 0) this.log('No mcp-connect of this user is running.');
    else this.log(statuses.map(statusTable).join('\n').trimEnd());
  }
}
