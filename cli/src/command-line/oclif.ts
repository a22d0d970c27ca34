import { fileURLToPath } from 'node:url';
import { ConnectorError } from '@mcp-connect/core';
import { Config } from '@oclif/core/config';
import { ExitError } from '@oclif/core/errors';
import { flush } from '@oclif/core/flush';
import { handle } from '@oclif/core/handle';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { CHECKS, MODES } from './modes.js';
import { closest } from './suggest.js';
import { isMistake, usageError, withoutValue } from './usage-error.js';

/**
 * Runs a command line through oclif, which reports its own failures and then ends the process.
 *
 * @throws ConnectorError where there is no such command, or one of ours failed
 */
export async function runOclif(argv: readonly string[]): Promise<void> {
  // MCP hosts pass their NODE_ENV on, and with `development` oclif would look for a TypeScript compiler.
  settings.enableAutoTranspile = false;
  try {
    const config = await Config.load(fileURLToPath(new URL('../..', import.meta.url)));
    const words = helpLast(argv);
    checkCommand(words, config);
    await run([...words], config);
    await flush();
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    if (isMistake(error)) throw usageError(error);
    // What is thrown to end the program carries its exit code; everything else is told as our own failures are.
    if (!(error instanceof ExitError)) throw error;
    await handle(error);
  }
}

/** `help proxy --plugin NAME` shows what `proxy --plugin NAME --help` does: only the latter knows such flags. */
function helpLast([first, command, ...rest]: readonly string[]): readonly string[] {
  const words = [first, command, ...rest].filter((word) => word !== undefined);
  const isOurs = first === 'help' && command !== undefined && Object.hasOwn({ ...MODES, ...CHECKS }, command);
  return isOurs ? [command, ...rest, '--help'] : words;
}

function checkCommand(argv: readonly string[], config: Config): void {
  const words = argv.slice(argv[0] === 'help' ? 1 : 0);
  const [name, next] = words;
  if (name === undefined) return;
  if (name.startsWith('-')) return checkLeadingFlag(name, config);
  const known = [...config.commandIDs, ...config.topics.map((topic) => topic.name)];
  const names = new Set(known.map((id) => id.split(':', 1)[0]!));
  // oclif takes the words of a deeper command apart at colons, too.
  if (!names.has(name.split(':', 1)[0]!)) throw unknownCommand(name, [...names]);
  const below = known.filter((id) => id.startsWith(`${name}:`)).map((id) => id.slice(name.length + 1));
  // A command with words of its own, such as `autocomplete zsh`, looks at them itself.
  const takesWords = Object.keys(config.findCommand(name)?.args ?? {}).length > 0;
  if (below.length === 0 || takesWords || next === undefined || next.startsWith('-')) return;
  if (config.findCommand(`${name}:${next}`) === undefined) throw unknownCommand(next, below, `${name} `);
}

/** Before a command there may be a wish for help or for the version, and nothing else. */
function checkLeadingFlag(word: string, { pjson: { oclif } }: Config): void {
  const { additionalHelpFlags = [], additionalVersionFlags = [] } = oclif;
  if (['--help', '--version', ...additionalHelpFlags, ...additionalVersionFlags].includes(word)) return;
  throw new ConnectorError('MCPC_USAGE', `There is no command before the flag ${withoutValue(word)}.`, {
    hint: 'Name one first, as in mcp-connect proxy --endpoint https://example.com/mcp; see mcp-connect --help',
  });
}

function unknownCommand(typed: string, names: readonly string[], topic = ''): ConnectorError {
  const word = /^\S*/.exec(typed)![0];
  if (word !== typed) {
    // Whole command lines come as one word from settings of clients, and hold secrets.
    return new ConnectorError(
      'MCPC_USAGE',
      `A command and what follows it stand in one word: ${topic}${word} ….`,
      {
        hint: 'Write each as a word of its own, in the settings of a client "proxy", "--endpoint", "https://example.com/mcp"',
      },
    );
  }
  const near = closest(typed, names);
  return new ConnectorError('MCPC_USAGE', `There is no command ${topic}${typed}.`, {
    hint:
      near === undefined
        ? `See all commands with mcp-connect ${topic}--help`
        : `Did you mean mcp-connect ${topic}${near}?`,
  });
}
