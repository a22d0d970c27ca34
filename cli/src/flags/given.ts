// The flags of a command line as they were given, for lines that are to be typed next.
import type { Flag, Flags } from '@mcp-connect/core';

/** A flag with what it is given; a boolean flag is given nothing. */
export interface Given {
  readonly name: string;
  readonly flag: Flag;
  readonly text: string | undefined;
}

/** Takes words apart that are known to hold nothing but flags. */
export function givenFlags(args: readonly string[], flags: Flags): Given[] {
  const given: Given[] = [];
  for (let at = 0; at < args.length; at++) {
    const [name, inline] = split(args[at]!.slice(2));
    const flag = flags[name]!;
    const text = flag.type === 'boolean' ? undefined : (inline ?? args[++at]);
    given.push({ name, flag, text });
  }
  return given;
}

/** Puts a flag into words again. */
export function wordsOf({ name, text }: Pick<Given, 'name' | 'text'>): string[] {
  if (text === undefined) return [`--${name}`];
  return text.startsWith('-') ? [`--${name}=${text}`] : [`--${name}`, text];
}

/** Writes a word as shells take it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function split(word: string): [flag: string, inline: string | undefined] {
  const at = word.indexOf('=');
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}
