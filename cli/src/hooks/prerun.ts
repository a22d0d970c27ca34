import { reasonOf } from '@mcp-connect/core';
import type { Interfaces } from '@oclif/core';
import type { Hook } from '@oclif/core/hooks';
import { addPluginFlags, takesPlugins } from '../flags/plugin-flags.js';
import { reportOf } from '../output/report.js';
import { pluginsInUse } from '../plugins/in-use.js';

/** The commands of oclif whose words name packages. */
const OF_PACKAGES = /^plugins:(?:install|link|inspect|uninstall)$/;

/** Has completion know the flags of installed plugins, and looks at a package before something is done with it. */
const prerun: Hook.Prerun = async function ({ Command, config, argv }) {
  if (OF_PACKAGES.test(Command.id)) {
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
  const words = argv.filter((word) => !word.startsWith('-'));
  // Where no package is named, these commands take the one of the working folder.
  const named = words.length === 0 ? ['.'] : words;
  if (id === 'plugins:inspect' || id === 'plugins:uninstall') {
    const { checkInstalled } = await import('../plugins/installed.js');
    const use = id === 'plugins:inspect' ? 'inspect' : 'uninstall';
    const loaded = config.getPluginsList().map(({ name }) => name);
    for (const word of named) checkInstalled(word, { use, loaded, data: config.dataDir });
    return;
  }
  const { checkedSource, checkLinked } = await import('../plugins/source.js');
  if (id === 'plugins:link') return named.forEach(checkLinked);
  for (const [at, word] of argv.entries()) {
    if (word.startsWith('-')) continue;
    // The command reads the words that it is handed here.
    argv[at] = await checkedSource(word, { data: config.dataDir, registry: config.npmRegistry });
  }
}

export default prerun;
