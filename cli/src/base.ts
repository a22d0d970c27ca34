import { ConnectorError, type Flags } from '@mcp-connect/core';
import { Command } from '@oclif/core/command';
import { CLIError } from '@oclif/core/errors';
import type { Presets } from './config/config-file.js';
import type { Values } from './flags.js';
import { openLine, type Line } from './line.js';
import { loadPlugins } from './load.js';
import type { Mode } from './modes.js';
import { oclifFlags, valuesOf, type OclifFlags, type Parsed } from './oclif-flags.js';
import { checkBooleans, variablesInUse } from './plain.js';
import { runProxy, type Invocation } from './proxy.js';
import { reportOf } from './report.js';
import { pluginPlaces } from './resolve.js';
import { closest } from './suggest.js';

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
      checkBooleans(args, flags, process.env);
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

/** oclif does not export its error classes; their members tell them apart. */
interface ParseError extends CLIError {
  /** Words that look like flags and are none. */
  readonly flags?: readonly string[];
  /** Words that belong to no flag. */
  readonly args?: readonly string[];
}

function usageError(error: ParseError, known: readonly string[]): ConnectorError {
  if (error.flags !== undefined) return unknownFlag(error.flags[0]!, known);
  if (error.args !== undefined) return strayWords(error.args.length);
  // oclif sets the reason of a wrong value off with a line break and a tab.
  return new ConnectorError('MCPC_USAGE', error.message.replaceAll(/\s*\n\t/g, ': '), { cause: error });
}

function unknownFlag(word: string, known: readonly string[]): ConnectorError {
  // What follows the equals sign may be a secret.
  const typed = word.split('=', 1)[0]!;
  const near = closest(typed.replace(/^-+/, ''), known);
  const advice = near === undefined ? 'See all flags with --help' : `Did you mean --${near}?`;
  return new ConnectorError('MCPC_USAGE', `There is no flag ${typed}.`, {
    hint: `${advice}${near === undefined ? '; i' : ' I'}f it belongs to a plugin, load the plugin with --plugin NAME`,
  });
}

/** Stray words are not shown: most come from a header without its quotes, and one of them is then the token. */
function strayWords(count: number): ConnectorError {
  const words = count === 1 ? '1 word belongs' : `${count} words belong`;
  return new ConnectorError('MCPC_USAGE', `${words} to no flag.`, {
    hint: 'Put quotes around a value with spaces, --endpoint before an address, and -- before a command; see --help',
  });
}
