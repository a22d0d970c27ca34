import { ConnectorError } from './errors.js';

const BLANK = /\s/;

/** How a command line is split. */
export interface SplitOptions {
  /** Where the command line comes from, for messages: a flag's name with its dashes, or a kind of endpoint. */
  readonly source: string;
  /** What to type when it cannot be read. */
  readonly hint?: string;
  /** Defaults to the platform of this process. */
  readonly platform?: NodeJS.Platform;
}

/**
 * Splits a command line into words as a POSIX shell does, without expanding anything: blanks part words, quotes keep
 * them together, a backslash takes the next character as it is. On Windows, where paths are full of backslashes, one
 * is special only before a double quote.
 *
 * @throws ConnectorError `MCPC_USAGE` when a quote or backslash is left open; the text itself is not shown
 */
export function splitCommand(text: string, options: SplitOptions): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === quote) quote = '';
    else if (character === '\\' && escapes(quote, text[at + 1], options)) word = (word ?? '') + text[++at]!;
    else if (quote !== '') word += character;
    else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (!BLANK.test(character)) word = (word ?? '') + character;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (quote !== '') throw unbalanced(`a ${quote} quote is left open`, options);
  if (word !== undefined) words.push(word);
  return words;
}

function escapes(quote: string, next: string | undefined, options: SplitOptions): boolean {
  if (quote === "'") return false;
  if ((options.platform ?? process.platform) === 'win32') return next === '"';
  if (next === undefined) throw unbalanced('it ends in a backslash', options);
  return quote === '' || next === '"' || next === '\\';
}

function unbalanced(what: string, { source, hint }: SplitOptions): ConnectorError {
  return new ConnectorError('MCPC_USAGE', `The command of ${source} cannot be read: ${what}.`, {
    hint: hint ?? 'Balance the quotes, and put a backslash before a quote that stands for itself',
  });
}
