import { ConnectorError, expandVariables, type Flags, type Plugin } from '@mcp-connect/core';
import type { ConfigFile, Presets } from '../config/config-file.js';
import { fileFlags } from '../flags/file-flags.js';
import { describedPlugins, type InUseOptions } from '../plugins/in-use.js';
import { mergeFlags } from '../plugins/load.js';
import type { Mode } from './modes.js';
import { cutLine, textsGiven, type Environment } from './plain.js';

/** A command line, as far as it must be known before its flags can be read. */
export interface Line {
  readonly args: readonly string[];
  /** The words after `--`. */
  readonly words: readonly string[];
  readonly plugins: readonly Plugin[];
  /** All flags: those of the command and of its plugins. */
  readonly flags: Flags;
  readonly file: ConfigFile | undefined;
  /** Which server of the file the line picks. */
  readonly picked: string | undefined;
  /** What the configuration file says for the server that the line picks. */
  readonly presets: Presets;
  /**
   * Reads what the file says for another server.
   *
   * @throws ConnectorError `MCPC_USAGE` when it describes no such server
   */
  presetsFor(server: string): Presets;
}

const NO_PRESETS: Presets = { values: {}, warnings: [] };

/** In what surroundings a line is opened. */
export interface OpenLineOptions {
  readonly env: Environment;
  /** Leaves out the configuration file that the line names. */
  readonly withoutFile?: boolean;
}

/**
 * Finds out which plugins and flags there are for a command line, and reads its configuration file.
 *
 * @throws ConnectorError `MCPC_USAGE` naming the plugin, or the place in the file, that is at fault
 */
export async function openLine(
  mode: Mode,
  argv: readonly string[],
  { env, withoutFile = false }: OpenLineOptions,
): Promise<Line> {
  const { args, words } = cutLine(argv);
  const file = withoutFile ? undefined : await configFile(args, env);
  const described = await describedPlugins({ builtIn: mode.plugins, args, env, file });
  const plugins = described.map(({ plugin }) => plugin);
  const presetsFor = (server: string | undefined): Presets =>
    file?.presets({ plugins: described, server }) ?? NO_PRESETS;
  const picked = textsGiven('server', { args, env, variable: 'MCP_CONNECT_SERVER' }).at(-1);
  if (file === undefined && picked !== undefined && !withoutFile) {
    throw new ConnectorError('MCPC_USAGE', '--server is given without --config.', {
      hint: 'Give --config FILE as well, with the file that describes the server',
    });
  }
  if (file !== undefined && picked === undefined && file.servers.length > 0 && !mode.everyServer) {
    throw new ConnectorError('MCPC_USAGE', `${file.path} describes several servers by name.`, {
      hint: `Pick one with --server: ${file.servers.join(', ')}`,
    });
  }
  const flags = mergeFlags(mode.flags, plugins);
  return { args, words, plugins, flags, file, picked, presets: presetsFor(picked), presetsFor };
}

/**
 * Finds the plugins that the help of a command line shows. A configuration file that cannot be read must not keep it
 * from being shown.
 *
 * @throws ConnectorError `MCPC_USAGE` when a plugin is missing or broken
 */
export async function pluginsForHelp(options: Omit<InUseOptions, 'file'>): Promise<readonly Plugin[]> {
  const file = await configFile(options.args, options.env).catch(() => undefined);
  return (await describedPlugins({ ...options, file })).map(({ plugin }) => plugin);
}

/** Reads the file of `--config`, for which most starts need none of the code. */
async function configFile(args: readonly string[], env: Environment): Promise<ConfigFile | undefined> {
  const text = textsGiven('config', { args, env, variable: 'MCP_CONNECT_CONFIG' }).at(-1);
  if (text === undefined) return undefined;
  if (text.trim() === '') {
    throw new ConnectorError('MCPC_USAGE', 'The value of --config is empty.', {
      hint: 'Give it the path of a YAML or JSON file, or leave it out',
    });
  }
  const [{ ConfigFile: Reader }, flags] = await Promise.all([
    import('../config/config-file.js'),
    fileFlags(),
  ]);
  return Reader.read(expandVariables(text, { flag: 'config', env }), { flags, env });
}
