import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { expandVariables, type ConnectorError, type Flag, type StringFlag } from '@mcp-connect/core';
import type { Environment } from '../command-line/plain.js';
import type { Value } from '../flags/flags.js';

/** Where a value of a file comes from. */
export interface ValueSource {
  readonly name: string;
  /** The folder from which relative paths count. */
  readonly folder: string;
  readonly env: Environment;
  /** Makes the error of a value that cannot be used. */
  mistake(message: string, hint: string): ConnectorError;
}

/** A comma, and then what looks like the next name and its colon or equals sign. */
const ANOTHER_PAIR = /,\s*["']?[A-Za-z][\w-]*[:=]/;

/**
 * Turns a value of a file, which fits its flag's schema, into what the command line would have given.
 *
 * @throws ConnectorError when an item of a list holds what would part it in two
 */
export function flagValue(flag: Flag, value: unknown, source: ValueSource): Value {
  if (flag.type !== 'string') return value as Value;
  const texts = textsOf(flag, value, source).map((text) => (flag.path ? located(text, source) : text));
  if (flag.multiple === true) return texts;
  const split = texts.length > 1 && texts.some((text) => text.includes(','));
  if (split) {
    throw source.mistake(
      `An item of ${source.name} holds a comma.`,
      `Write the whole list as one text, as after --${source.name}`,
    );
  }
  return texts.join(',');
}

function textsOf({ pairs }: StringFlag, value: unknown, source: ValueSource): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value as string[];
  return Object.entries(value as Record<string, string>).map(([name, text]) => {
    if (pairs === ':' && ANOTHER_PAIR.test(text)) {
      throw source.mistake(
        `${source.name}.${name} holds a comma that would begin another one.`,
        `Write it into a file, and name that with ${source.name}-file`,
      );
    }
    return `${name}${pairs}${pairs === ':' ? ' ' : ''}${text}`;
  });
}

/** Makes a path absolute. Its variables have to be replaced for that; one that is not set is told when the path is used. */
function located(text: string, { name, folder, env }: ValueSource): string {
  let path: string;
  try {
    path = expandVariables(text, { flag: name, env });
  } catch {
    return text;
  }
  const absolute = /^~[\\/]/.test(path) ? join(homedir(), path.slice(2)) : resolve(folder, path);
  return absolute.replaceAll(/\$(?=\{[A-Za-z_][A-Za-z0-9_]*\})/g, '$$$$');
}
