import { homedir } from 'node:os';
import { runtimeDir } from '@mcp-connect/core';
import { Command } from '@oclif/core/command';
import { boolean } from '@oclif/core/flags';
import { readStatuses, statusTable } from '../status.js';

/** `mcp-connect status` */
export default class StatusCommand extends Command {
  static override summary =
    'Show what each running mcp-connect of this user does: its endpoints and how they are.';

  static override examples = ['<%= config.bin %> <%= command.id %>'];

  static override flags = {
    json: boolean({ summary: 'Print JSON, one line a process.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(StatusCommand);
    const dir = runtimeDir({ env: process.env, platform: process.platform, home: homedir() });
    const statuses = await readStatuses(dir);
    if (flags.json) for (const status of statuses) this.log(JSON.stringify(status));
    else if (statuses.length === 0) this.log('No mcp-connect of this user is running.');
    else this.log(statuses.map(statusTable).join('\n').trimEnd());
  }
}
