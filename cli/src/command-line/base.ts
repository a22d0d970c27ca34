import type { Flags } from '@mcp-connect/core';
import { Command } from '@oclif/core/command';
import { CLIError } from '@oclif/core/errors';
import type { Presets } from '../config/config-file.js';
import type { Values } from '../flags/flags.js';
import { oclifFlags, valuesOf, type OclifFlags, type Parsed } from '../flags/oclif-flags.js';
import { reportOf } from '../output/report.js';
import { loadPlugins } from '../plugins/load.js';
import { pluginPlaces } from '../plugins/resolve.js';
import { runProxy, type Invocation } from '../serve/proxy.js';
import { openLine, type Line } from './line.js';
import type { Mode } from './modes.js';
import { variablesInUse } from './plain.js';
import { usageError } from './usage-error.js';
import { checkValues } from './values.js';

/** Returns the flags that a command has without any `--plugin`. */
export async function builtInFlags(mode: Mode): Promise<OclifFlags> {
  return oclifFlags(mode.flags, await loadPlugins(mode.plugins, pluginPlaces(process.env)));
}

/** A command whose flags are plain data. */
export abstract class FlagCommand extends Command {
  /** Else oclif takes a stray word for the name of a sub-command. The words are checked with the flags. */
  static override strict = false;

  /**
   * Reads words that hold nothing but flags. A mistake in them, or in the variables that stand in for them, is told
   * in one line and ends the command.
   */
  protected async readFlags(args: readonly string[], flags: Flags, forOclif: OclifFlags): Promise<Values> {
    return valuesOf(flags, await this.parseFlags(args, flags, forOclif));
  }

  /** Does what {@link readFlags} does, and leaves the values in oclif's shape. */
  protected async parseFlags(args: readonly string[], flags: Flags, forOclif: OclifFlags): Promise<Parsed> {
    try {
      checkValues(args, flags, process.env);
      return await this.parse({ flags: forOclif }, [...args]);
    } catch (error) {
      const mistake = error instanceof CLIError ? usageError(error, Object.keys(flags)) : error;
      const { line, exitCode } = reportOf(mistake, { variables: variablesInUse(args, flags, process.env) });
      process.stderr.write(`${line}\n`);
      return this.exit(exitCode);
    }
  }
}

/** A command that reaches servers, by its own flags and those of plugins. What is special about each is its {@link Mode}. */
export abstract class ModeCommand extends FlagCommand {
  /**
   * Reads the line with the flags of all plugins. oclif gets only what stands before `--`: it would sort the words
   * behind it.
   *
   * @throws ConnectorError `MCPC_USAGE` naming what is wrong with the line or with a plugin
   */
  protected async read(mode: Mode): Promise<Invocation> {
    const line = await openLine(mode, this.argv, { env: process.env });
    return (await this.readLine(mode, line))(line.presets);
  }

  /** Reads a line whose plugins are loaded. What comes back completes it by what its configuration file says. */
  protected async readLine(mode: Mode, line: Line): Promise<(presets: Presets) => Invocation> {
    const { args, words, plugins, flags } = line;
    const parsed = await this.parseFlags(args, flags, oclifFlags(mode.flags, plugins));
    const variables = variablesInUse(args, flags, process.env);
    return ({ values, warnings }) => ({
      mode,
      flags,
      plugins,
      values: valuesOf(flags, parsed, values),
      args,
      words,
      variables,
      file: line.file?.path,
      warnings,
    });
  }
}

/** A command that serves a client on stdin and stdout. */
export abstract class ServeCommand extends ModeCommand {
  protected async serve(mode: Mode): Promise<never> {
    return this.exit(await runProxy(await this.read(mode), process));
  }
}
