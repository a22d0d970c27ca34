import { ConnectorError, type Flag, type Flags } from '@mcp-connect/core';
import { environmentTexts, truth, type Environment } from './plain.js';
import { closest } from './suggest.js';

/**
 * Finds a flag whose value is none that it allows, in words or in its variable.
 *
 * @throws ConnectorError `MCPC_USAGE` naming the flag or the variable, and what it takes
 */
export function checkValues(args: readonly string[], flags: Flags, env: Environment): void {
  for (const [name, flag] of Object.entries(flags)) {
    const given = textsOf(name, args);
    if (flag.type === 'boolean') checkBoolean(name, flag, { args, env });
    else for (const text of given ?? environmentTexts(flag, env) ?? []) checkText(name, flag, text);
  }
}

/** A boolean flag is given alone on the line. */
function checkBoolean(
  name: string,
  flag: Flag,
  { args, env }: { args: readonly string[]; env: Environment },
): void {
  if (args.some((word) => word.startsWith(`--${name}=`))) {
    throw new ConnectorError('MCPC_USAGE', `--${name} takes no value.`, {
      hint: `Write --${name} alone, or leave it out`,
    });
  }
  const [text] = environmentTexts(flag, env) ?? [];
  if (text === undefined || truth(text) !== undefined) return;
  throw new ConnectorError('MCPC_USAGE', `The variable ${flag.env} is neither true nor false.`, {
    hint: `Set ${flag.env} to true or false, or unset it`,
  });
}

function checkText(name: string, flag: Exclude<Flag, { type: 'boolean' }>, text: string): void {
  if (flag.type === 'integer') return checkNumber(name, flag, text);
  const { options } = flag;
  if (options === undefined || options.includes(text)) return;
  const near = closest(text, options);
  throw new ConnectorError('MCPC_USAGE', `--${name} cannot be ${JSON.stringify(text)}.`, {
    hint:
      near === undefined ? `Give --${name} one of ${options.join(', ')}` : `Did you mean --${name} ${near}?`,
  });
}

function checkNumber(name: string, flag: Extract<Flag, { type: 'integer' }>, text: string): void {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, valueName = 'NUMBER' } = flag;
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return;
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
  throw new ConnectorError('MCPC_USAGE', `--${name} cannot be ${JSON.stringify(text)}.`, {
    hint: `Give --${name} a whole number ${range}${valueName === 'NUMBER' ? '' : `, in ${valueName.toLowerCase()}`}`,
  });
}

/** What the line gives a flag, or undefined where it does not name the flag. */
function textsOf(name: string, args: readonly string[]): string[] | undefined {
  const texts = args.flatMap((word, at) => {
    if (word.startsWith(`--${name}=`)) return [word.slice(name.length + 3)];
    return word === `--${name}` ? (args[at + 1] ?? []) : [];
  });
  const isNamed = args.some((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  return isNamed ? texts : undefined;
}
