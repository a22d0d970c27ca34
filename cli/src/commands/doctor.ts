import { builtInFlags, ModeCommand } from '../command-line/base.js';
import { openLine, type Line } from '../command-line/line.js';
import { CHECKS } from '../command-line/modes.js';
import { runDoctor } from '../doctor/run-doctor.js';

const flags = await builtInFlags(CHECKS.doctor);

/** `mcp-connect doctor` */
export default class DoctorCommand extends ModeCommand {
  static override summary = 'Look for what may keep mcp-connect from working on this machine.';

  static override description = `Looks at Node.js, proxies, certificates, the folder for sign-ins, plugins and the clock, and connects to every
endpoint that is named, on the line or in the file of --config. The exit code is 0 when nothing failed, 1 when something did, and 2 when the command line is
at fault.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --endpoint https://example.com/mcp',
    '<%= config.bin %> <%= command.id %> --endpoints "https://one.example/mcp,https://two.example/mcp" --json',
    '<%= config.bin %> <%= command.id %> --config mcp-connect.yaml',
  ];

  static override usage = '<%= command.id %> [FLAGS] [-- COMMAND ARGS...]';

  static override flags = flags;

  async run(): Promise<never> {
    const { line, fault } = await openAnyway(this.argv);
    const complete = await this.readLine(CHECKS.doctor, line);
    const invocation = complete(line.presets);
    const servers = line.picked ? [] : (line.file?.servers ?? []);
    const invocations = servers.map((name) => [name, complete(line.presetsFor(name))] as const);
    return this.exit(
      await runDoctor(invocation, {
        around: process,
        version: this.config.version,
        fault,
        servers: Object.fromEntries(invocations),
      }),
    );
  }
}

/** A file that is at fault is one more thing to tell, and keeps nothing else from being looked at. */
async function openAnyway(argv: readonly string[]): Promise<{ line: Line; fault?: unknown }> {
  const { env } = process;
  try {
    return { line: await openLine(CHECKS.doctor, argv, { env }) };
  } catch (fault) {
    return { line: await openLine(CHECKS.doctor, argv, { env, withoutFile: true }), fault };
  }
}
