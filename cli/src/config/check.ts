import { ConnectorError } from '@mcp-connect/core';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { closest } from '../command-line/suggest.js';
import type { ConfigDocument, Path } from './document.js';
import type { Schema } from './schema.js';

/** Names by which something is known elsewhere, and its name in a file. */
export type Aliases = Readonly<Record<string, string>>;

/** What is checked, and where it is in its file. */
export interface CheckOptions {
  readonly document: ConfigDocument;
  /** Where the value is in the file. */
  readonly at: Path;
  readonly aliases?: Aliases;
}

/** Of how many mistakes the place is looked up; it takes the longer the more there are. */
const MOST_PLACED = 100;

interface Problem {
  readonly offset: number;
  readonly message: string;
  readonly hint: string | undefined;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text, in quotes where it looks like something else',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'names with values',
};

/**
 * Checks a value of a file by a schema.
 *
 * @throws ConnectorError `MCPC_USAGE` of the first mistake in the file: its line and column, the key, and what to
 *   write; values are not shown, since they may be secrets
 */
export function checkBySchema(value: unknown, schema: Schema, options: CheckOptions): void {
  // Checking the schema itself takes longer than all the rest; a test does it.
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: false,
    meta: false,
    validateSchema: false,
  });
  const validate = ajv.compile(schema);
  if (validate(value)) return;
  const errors = validate.errors ?? [];
  const problems = errors.slice(0, MOST_PLACED).map((error) => problemOf(error, options));
  const [first] = problems.toSorted((a, b) => a.offset - b.offset);
  const { offset, message, hint } = first!;
  const others = errors.length - 1;
  const more = others === 0 ? '' : ` (and ${others} more below)`;
  throw options.document.mistake(offset, `${message}${more}.`, hint);
}

function problemOf(error: ErrorObject, { document, at, aliases = {} }: CheckOptions): Problem {
  const path = [...at, ...pathOf(error.instancePath)];
  const { keyword, params, parentSchema = {} } = error;
  if (keyword === 'additionalProperties') {
    const key = (params as { additionalProperty: string }).additionalProperty;
    const known = Object.keys((parentSchema['properties'] ?? {}) as object);
    return {
      offset: document.offset([...path, key], 'key'),
      message: `There is no key ${shown(key)}${path.length === 0 ? '' : ` in ${nameOf(path)}`}`,
      hint: adviceFor(key, known, aliases),
    };
  }
  return {
    offset: document.offset(path, 'value'),
    message: `${nameOf(path)} ${fault(keyword, params as Record<string, unknown>, parentSchema)}`,
    hint: error.data === null ? 'Give it a value, or take the key out' : undefined,
  };
}

function adviceFor(key: string, known: readonly string[], aliases: Aliases): string {
  const near = aliases[key] ?? closest(key, known);
  if (near !== undefined && known.includes(near)) return `Did you mean ${near}?`;
  return 'See all keys with mcp-connect config schema; those of a plugin stand below its name, in options';
}

function fault(
  keyword: string,
  params: Record<string, unknown>,
  schema: Readonly<Record<string, unknown>>,
): string {
  switch (keyword) {
    case 'type':
      return `must be ${kinds(schema['type'])}`;
    case 'enum':
      return `must be one of ${(params['allowedValues'] as string[]).join(', ')}`;
    case 'minimum':
      return `must be at least ${String(params['limit'])}`;
    case 'maximum':
      return `must be at most ${String(params['limit'])}`;
    case 'required':
      return `lacks the key ${String(params['missingProperty'])}`;
    default:
      return 'is empty';
  }
}

function kinds(type: unknown): string {
  return [type]
    .flat()
    .map((kind) => KINDS[String(kind)] ?? String(kind))
    .join(', or ');
}

/** Takes a JSON Pointer apart (RFC 6901 section 3). */
function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** Words a path as people write it: `plugins[0].options`. */
export function nameOf(path: Path): string {
  const words = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${shown(part)}`)).join('');
  return words === '' ? 'The file' : words.replace(/^\./, '');
}

/** Keys are shown: they are names. What is no name at all is cut, so that it fits a line. */
function shown(key: string): string {
  const text = JSON.stringify(key).slice(1, -1);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Puts the place of a plugin in front of what is wrong with it. */
export function placed(error: unknown, document: ConfigDocument, path: Path): unknown {
  if (!(error instanceof ConnectorError)) return error;
  return document.mistake(document.offset(path, 'value'), error.message, error.hint);
}
