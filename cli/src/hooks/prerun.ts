import { ConnectorError, makeFolder, reasonOf } from '@mcp-connect/core';
import type { Interfaces } from '@oclif/core';
import type { Hook } from '@oclif/core/hooks';
import { addPluginFlags, takesPlugins } from '../flags/plugin-flags.js';
import { reportOf } from '../output/report.js';
import { pluginsInUse } from '../plugins/in-use.js';

/** The commands of oclif whose words name packages. */
const OF_PACKAGES = /^plugins:(?:install|link|inspect|uninstall)$/;

/** Has completion know the flags of installed plugins, and looks at a package before something is done with it. */
const prerun: Hook.Prerun = async function ({ Command, config, argv }) {
  try {
    makeFolders(Command.id, config);
    if (OF_PACKAGES.test(Command.id)) await checkPackages(Command.id, argv, config);
  } catch (error) {
    // oclif keeps the errors of hooks to itself, but not that a hook ends the program.
    const { line, exitCode } = reportOf(error);
    process.stderr.write(`${line}\n`);
    return this.exit(exitCode);
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

/** oclif would make its folders by the recursion of Node.js, which never ends where there is no place for them. */
function makeFolders(id: string, { dataDir, cacheDir }: Interfaces.Config): void {
  if (/^plugins:(?:install|link)$/.test(id)) makeOwn(dataDir, 'MCP_CONNECT_DATA_DIR');
  if (/^(?:autocomplete(?::create)?|plugins:link)$/.test(id)) makeOwn(cacheDir, 'MCP_CONNECT_CACHE_DIR');
}

function makeOwn(folder: string, variable: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `${folder} cannot be made: ${reasonOf(cause)}`, {
      cause,
      hint: `Name a folder that you may write to with ${variable}`,
    });
  }
}

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
