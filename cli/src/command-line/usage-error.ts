import { ConnectorError } from '@mcp-connect/core';
import { CLIError } from '@oclif/core/errors';
import { closest } from './suggest.js';

/** A mistake that oclif found. It does not export its error classes; their members tell them apart. */
interface ParseError extends CLIError {
  /** Words that look like flags and are none. */
  readonly flags?: readonly string[];
  /** Words that belong to no flag, or descriptions of those that are missing. */
  readonly args?: readonly (string | { readonly name: string; readonly description?: string })[];
  readonly parse?: { readonly input?: { readonly flags?: Readonly<Record<string, unknown>> } };
}

/** Words a mistake that oclif found on the command line as all our own are worded: one line, and what to type next. */
export function usageError(error: CLIError, known = knownTo(error)): ConnectorError {
  const { flags, args } = error as ParseError;
  if (flags !== undefined) return unknownFlag(flags[0]!, known);
  const missing = args?.find((arg) => typeof arg === 'object');
  if (missing !== undefined) {
    return new ConnectorError('MCPC_USAGE', `A word is missing: ${missing.name.toUpperCase()}.`, {
      hint: `${missing.description ?? 'See --help'} See --help`,
    });
  }
  if (args !== undefined) return strayWords(args as readonly string[], known);
  // oclif sets the reason of a wrong value off with a line break and a tab, and adds its own advice.
  const message = error.message.replace(/\nSee more help with --help$/, '').replaceAll(/\s*\n\t/g, ': ');
  return new ConnectorError('MCPC_USAGE', message, { cause: error, hint: 'See --help' });
}

/** Returns whether oclif says by this error that the line cannot be read, and not that a command failed. */
export function isMistake(error: unknown): error is CLIError {
  return error instanceof CLIError && (error as ParseError).parse !== undefined;
}

function knownTo(error: CLIError): readonly string[] {
  return Object.keys((error as ParseError).parse?.input?.flags ?? {});
}

/** What stands before the value in a word that may hold both: the value may be a secret. */
export function withoutValue(word: string): string {
  return word.split(/[\s=:]/, 1)[0]!;
}

function unknownFlag(word: string, known: readonly string[]): ConnectorError {
  const typed = withoutValue(word);
  if (word !== typed && known.includes(typed.replace(/^--/, ''))) {
    return new ConnectorError('MCPC_USAGE', `${typed} and its value stand in one word.`, {
      hint: `Write them as two: ${typed} VALUE, or in the settings of a client "${typed}", "VALUE"`,
    });
  }
  const near = closest(typed.replace(/^-+/, ''), known);
  const advice = near === undefined ? 'See all flags with --help' : `Did you mean --${near}?`;
  const plugins = `${near === undefined ? '; i' : ' I'}f it belongs to a plugin, load the plugin with --plugin NAME`;
  return new ConnectorError('MCPC_USAGE', `There is no flag ${typed}.`, {
    hint: known.includes('plugin') ? advice + plugins : advice,
  });
}

const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Stray words are not shown: most come from a header without its quotes, and one of them is then the token. */
function strayWords(stray: readonly string[], known: readonly string[]): ConnectorError {
  const count = stray.length;
  const words = count === 1 ? '1 word belongs' : `${count} words belong`;
  return new ConnectorError('MCPC_USAGE', `${words} to no flag.`, { hint: adviceOnStray(stray, known) });
}

function adviceOnStray(stray: readonly string[], known: readonly string[]): string {
  const takes = ['endpoint', 'endpoints'].find((name) => known.includes(name));
  if (takes === undefined) return 'Leave them out; see --help';
  if (stray.length === 1 && ADDRESS.test(stray[0]!)) return `Write --${takes} before the address`;
  return `Put quotes around a value with spaces, --${takes} before an address, and -- before a command; see --help`;
}
