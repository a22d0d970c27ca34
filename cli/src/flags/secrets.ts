import type { Flag } from '@mcp-connect/core';

/** Names of headers, variables and parameters whose values are worth hiding. */
export const SECRET_NAME = /auth|token|key|secret|pass|cookie|credential|session/i;

/** Finds `${NAME}`, which stands for a variable; `$${NAME}` does not. */
export const REFERENCE = /(?<!\$)\$\{[A-Za-z_][A-Za-z0-9_]*\}/;

/** Commas between names with values. */
const BETWEEN = /,(?=\s*["']?[A-Za-z][\w.-]*[:=])/;

const ADDRESS = /[a-z][a-z0-9+.-]*:\/\/[^\s,]+/gi;

/**
 * Whether a flag's value holds a secret itself, and not the name of a variable that holds it: the value of a secret
 * flag, of a header or variable with a name such as `Authorization`, or a password or key in an address.
 */
export function holdsSecret(flag: Flag, text: string): boolean {
  if (flag.type !== 'string') return false;
  const addresses = text.match(ADDRESS) ?? [];
  if (addresses.some(addressHoldsSecret)) return true;
  if (flag.secret !== true) return false;
  const { pairs } = flag;
  if (pairs === undefined) return isLiteral(text);
  return text.split(BETWEEN).some((pair) => {
    const at = pair.indexOf(pairs);
    return SECRET_NAME.test(pair.slice(0, at)) && isLiteral(pair.slice(at + 1));
  });
}

/**
 * Writes names with values, such as headers, with `VALUE` in the place of each that is no name of a variable: what they
 * are worth is not known of any.
 */
export function withoutSecretPairs(text: string, between: string): string {
  return text
    .split(BETWEEN)
    .map((pair) => {
      const at = pair.indexOf(between);
      const isKept = at !== -1 && !isLiteral(pair.slice(at + 1));
      const gap = between === ':' ? ': ' : between;
      return isKept ? pair : `${pair.slice(0, Math.max(at, 0)).replaceAll(/["']/g, '').trim()}${gap}VALUE`;
    })
    .join(',');
}

/** What keys and tokens look like: long, of letters and digits, and no path. */
const RANDOM = /^(?=.*\d)(?=.*[A-Za-z])[\w+=-]{20,}$/;

/**
 * Whether a word of some program's command holds a secret, as far as that can be told: it stands behind a name such as
 * `--api-key`, in one word with it or as the next, in an address, or looks like one.
 */
export function wordHoldsSecret(word: string, before: string | undefined): boolean {
  if (REFERENCE.test(word)) return false;
  if (namesSecret(word, before) || RANDOM.test(word)) return true;
  return (word.match(ADDRESS) ?? []).some(addressHoldsSecret);
}

/** Whether a word goes with the name of a secret, which stands before it or is a part of it. */
export function namesSecret(word: string, before: string | undefined): boolean {
  const isNamed = SECRET_NAME.test(word) && /[=:]/.test(word);
  return isNamed || (before !== undefined && /^--?\w/.test(before) && SECRET_NAME.test(before));
}

function addressHoldsSecret(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { password, searchParams } = new URL(address);
  const parameters = [...searchParams].filter(([name]) => SECRET_NAME.test(name));
  return [password, ...parameters.map(([, value]) => value)].some((part) => isLiteral(safeDecode(part)));
}

function isLiteral(text: string): boolean {
  return text.trim() !== '' && !REFERENCE.test(text);
}

/** In an address the braces of a reference are written as `%7B` and `%7D`. */
function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
