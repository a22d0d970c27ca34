import { builtInFlags, ModeCommand } from '../base.js';
import { runDoctor } from '../doctor/run-doctor.js';
import { CHECKS } from '../modes.js';

const flags = await builtInFlags(CHECKS.doctor);

/** `mcp-connect doctor` */
export default class DoctorCommand extends ModeCommand {
  static override summary = 'Look for what may keep mcp-connect from working on this machine.';

  static override description = `Looks at Node.js, proxies, certificates, the folder for sign-ins, plugins and the clock, and connects to every
endpoint that is named. The exit code is 0 when nothing failed, 1 when something did, and 2 when the command line is
at fault.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp',
    '<%= config.bin %> <%= command.id %> --endpoints "https://one.example/mcp,https://two.example/mcp" --json',
  ];

  static override usage = '<%= command.id %> [FLAGS] [-- COMMAND ARGS...]';

  static override flags = flags;

  async run(): Promise<never> {
    const invocation = await this.read(CHECKS.doctor);
    return this.exit(await runDoctor(invocation, { around: process, version: this.config.version }));
  }
}
