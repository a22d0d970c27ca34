import { ConnectorError, expandVariables, type ExpandOptions } from '@mcp-connect/core';

/** One header field: its name in lower case, and its value. */
export type Header = readonly [name: string, value: string];

/** A header's name (RFC 9110 section 5.1), but for the apostrophe: at this place it is a quote gone astray. */
const TOKEN = /^[!#$%&*+.^_`|~0-9A-Za-z-]+$/;

/**
 * A comma parts two headers only before a name that begins with a letter, perhaps behind a quote, and a colon that
 * begins no `://`.
 */
const BETWEEN = /,(?=\s*["']?[A-Za-z][!#$%&*+.^_`|~0-9A-Za-z-]*:(?!\/\/))/;

/** What a header's value may hold: visible ASCII and blanks between (RFC 9110 section 5.5, without obs-text). */
const VALUE = /^[\t\x20-\x7e]*$/;

/** Quotes around a whole list or one header, as they come from settings that quote for a shell that is not there. */
const QUOTED = /^(["'])((?:(?!\1).)*)\1$/s;

/** Headers that the transport must set itself, for a message to arrive whole and in its session. */
const RESERVED = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'keep-alive',
  'mcp-protocol-version',
  'mcp-session-id',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const FORM =
  'Write it as --headers "Name: value", several ones with a comma between or each with its own --headers';

/**
 * Reads one value of `--headers`: `Name: value` pairs with commas between. A value may hold colons, and also commas,
 * as long as no name with a colon follows one; a name begins with a letter there, and `https://` is no name. Quotes
 * around the list or around a pair are left out. Variables are replaced once the pairs are apart: what a variable holds
 * can only ever be a value, never another header.
 *
 * @throws ConnectorError `MCPC_USAGE` that names the flag and shows the form, but no value
 */
export function parseHeaders(text: string, env: ExpandOptions['env']): Header[] {
  return unquote(text)
    .split(BETWEEN)
    .map((pair) => parseHeader(unquote(pair), { env, source: '--headers', flag: 'headers', hint: FORM }));
}

/** Where a header is written. */
export interface HeaderSource {
  readonly env: ExpandOptions['env'];
  /** The place, for messages. */
  readonly source: string;
  /** The flag, for messages about variables. */
  readonly flag: string;
  /** The form in which to write it. */
  readonly hint: string;
}

/**
 * Reads one header of the form `Name: value` and replaces its variables.
 *
 * @throws ConnectorError `MCPC_USAGE` that names the place and the header, but no value
 */
export function parseHeader(pair: string, { env, source, flag, hint }: HeaderSource): Header {
  const expand = (part: string): string => expandVariables(part, { flag, env });
  const wrong = (message: string): ConnectorError => new ConnectorError('MCPC_USAGE', message, { hint });
  const colon = pair.indexOf(':');
  const name = expand(pair.slice(0, Math.max(colon, 0)).trim());
  if (!TOKEN.test(name)) throw wrong(`There is a header without a name and a colon in ${source}.`);
  const key = checkName(name, source);
  const value = expand(pair.slice(colon + 1).trim()).trim();
  if (!VALUE.test(value))
    throw wrong(
      `The value of ${name} in ${source} holds a line break or a letter that a header cannot carry.`,
    );
  if (value === '') throw wrong(`The value of ${name} in ${source} is empty.`);
  return [key, value];
}

/**
 * Checks the name of a header, and returns it in lower case.
 *
 * @param source the place where it is written, for messages
 * @throws ConnectorError `MCPC_USAGE` when it is no name, or one that the transport must set itself
 */
export function checkName(name: string, source: string): string {
  if (!TOKEN.test(name)) {
    throw new ConnectorError('MCPC_USAGE', `There is no name of a header in ${source}.`, {
      hint: 'Write letters, digits and hyphens, for example X-API-Key',
    });
  }
  const key = name.toLowerCase();
  if (!RESERVED.has(key)) return key;
  throw new ConnectorError('MCPC_USAGE', `The header ${name} in ${source} is set by the transport.`, {
    hint: `Leave out ${name}`,
  });
}

/**
 * Checks the value that a flag gives to a header.
 *
 * @throws ConnectorError `MCPC_USAGE` that names the flag, but not the value
 */
export function checkValue(value: string, flag: string): string {
  const trimmed = value.trim();
  if (trimmed !== '' && VALUE.test(trimmed)) return trimmed;
  const what = trimmed === '' ? 'is empty' : 'holds a line break or a letter that a header cannot carry';
  throw new ConnectorError('MCPC_USAGE', `The value of --${flag} ${what}.`, {
    hint: `Give visible ASCII characters with --${flag} VALUE`,
  });
}

/** The parts of a header's value that logs must hide: all of it, and what follows a scheme such as `Bearer`. */
export function secretsOf(value: string): string[] {
  const [, credentials] = /^\S+\s+(\S+)$/.exec(value) ?? [];
  return credentials === undefined ? [value] : [value, credentials];
}

function unquote(text: string): string {
  const trimmed = text.trim();
  return QUOTED.exec(trimmed)?.[2] ?? trimmed;
}
