import { reasonOf } from '@mcp-connect/core';
import type { Interfaces } from '@oclif/core';
import type { Hook } from '@oclif/core/hooks';
import { addPluginFlags, takesPlugins } from '../flags/plugin-flags.js';
import { reportOf } from '../output/report.js';
import { pluginsInUse } from '../plugins/in-use.js';

/** Has completion know the flags of installed plugins, and looks at a package before it is installed or linked. */
const prerun: Hook.Prerun = async function ({ Command, config, argv }) {
  if (Command.id === 'plugins:install' || Command.id === 'plugins:link') {
    try {
      await checkPackages(Command.id, argv, config);
    } catch (error) {
      // oclif keeps the errors of hooks to itself, but not that a hook ends the program.
      const { line, exitCode } = reportOf(error);
      process.stderr.write(`${line}\n`);
      return this.exit(exitCode);
    }
  }
  if (!/^autocomplete(:create)?$/.test(Command.id)) return;
  try {
    const plugins = await pluginsInUse({ builtIn: [], args: [], env: process.env });
    for (const command of config.commands.filter(takesPlugins)) addPluginFlags(command, plugins);
  } catch (error) {
    // A broken plugin must not take completion away from all others.
    this.warn(reasonOf(error));
  }
};

async function checkPackages(id: string, argv: string[], config: Interfaces.Config): Promise<void> {
  const { checkedSource, checkLinked } = await import('../plugins/source.js');
  for (const [at, word] of argv.entries()) {
    if (word.startsWith('-')) continue;
    if (id === 'plugins:link') checkLinked(word);
    // The command reads the words that it is handed here.
    else argv[at] = await checkedSource(word, { data: config.dataDir, registry: config.npmRegistry });
  }
}

export default prerun;
