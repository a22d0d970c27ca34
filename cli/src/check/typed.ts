import { splitCommand, type Endpoint } from '@mcp-connect/core';
import { LOGIN_FLAGS } from '../flags/accounts.js';
import { TEST_FLAGS } from '../flags/checks.js';
import { givenFlags, quoted, wordsOf, type Given } from '../flags/given.js';
import { holdsSecret, wordHoldsSecret, withoutSecretPairs } from '../flags/secrets.js';
import type { Invocation } from '../serve/proxy.js';

/** What was typed, in pieces for the line to type next: quoted for a shell, and without secrets. */
export interface TypedLine {
  /** How the endpoint is named; nothing where the configuration file does that. */
  readonly endpoint: readonly string[];
  /** All other flags. */
  readonly flags: readonly string[];
  /** A command after `--`. */
  readonly tail: readonly string[];
}

/** What stands for a secret in a command, which has no name for it. */
const HIDDEN = '…';

/** Flags that the pieces for the endpoint stand for. */
const OF_ENDPOINT = new Set(['endpoint', 'endpoints', 'transport']);

/**
 * Reads what was typed to look at an endpoint.
 *
 * @param server the server of the configuration file that is looked at, where the line picks none
 */
export function typedLine(
  { args, flags, mode, values, variables, file }: Invocation,
  endpoint: Endpoint,
  server?: string,
): TypedLine {
  const given = givenFlags(args, flags);
  const isNamed = (name: string): boolean =>
    given.some((each) => each.name === name) || variables.includes(flags[name]?.env ?? '');
  const inFile = file !== undefined && endpoint.source === '--endpoint' && !isNamed('endpoint');
  // What variables stand for may be secret, so a command is shown as it was written.
  const written = endpoint.source === '--endpoint' ? String(values['endpoint']) : undefined;
  const known = (name: string): boolean =>
    Object.hasOwn(TEST_FLAGS, name) || !Object.hasOwn(mode.flags, name);
  const kept = given.filter(({ name }) => known(name) && (inFile || !OF_ENDPOINT.has(name)));
  return {
    endpoint: inFile || endpoint.argv !== undefined ? [] : addressed(endpoint, written),
    flags: [...kept.map(shown), ...(server === undefined ? [] : [shown({ name: 'server', text: server })])],
    tail: endpoint.argv === undefined ? [] : ['--', ...withoutSecrets(endpoint.argv)],
  };
}

/** Whether `login` has a flag, too: it has all that belong to plugins, and its own. */
export function isForLogin(name: string): boolean {
  return Object.hasOwn(LOGIN_FLAGS, name) || !Object.hasOwn(TEST_FLAGS, name);
}

/** Names an endpoint by flags. Of a command whose words are not known, only the program is shown. */
export function addressed({ scheme, label }: Endpoint, written?: string): string[] {
  if (scheme === 'stdio') {
    const command =
      written === undefined ? `${label.slice('stdio:'.length)} ${HIDDEN}` : withoutSecretWords(written);
    return [`--endpoint ${always(command)}`, '--transport stdio'];
  }
  const isUrl = label.includes('://');
  if (isUrl && scheme === 'sse') return [`--endpoint ${always(label)}`, '--transport sse'];
  return isUrl || scheme === 'unix'
    ? [`--endpoint ${always(label)}`]
    : [`--endpoint ${always(label.slice(scheme.length + 1))}`, `--transport ${quoted(scheme)}`];
}

function withoutSecretWords(written: string): string {
  const text = written.trim().replace(/^stdio:/i, '');
  return withoutSecrets(splitCommand(text, { source: '--endpoint' })).join(' ');
}

/** Quotes the words of a command; the program itself is no secret. */
function withoutSecrets(words: readonly string[]): string[] {
  return words.map((word, at) => (at > 0 && wordHoldsSecret(word, words[at - 1]) ? HIDDEN : quoted(word)));
}

function shown({ name, flag, text }: Pick<Given, 'name' | 'text'> & Partial<Given>): string {
  const placeholder = flag?.valueName ?? 'VALUE';
  const isSecret = flag?.type === 'string' && text !== undefined;
  if (isSecret && flag.secret === true && flag.pairs !== undefined)
    return wordsOf({ name, text: withoutSecretPairs(text, flag.pairs) })
      .map(quoted)
      .join(' ');
  if (isSecret && holdsSecret(flag, text)) return `--${name} ${placeholder}`;
  return wordsOf({ name, text }).map(quoted).join(' ');
}

/** Addresses and commands stand in quotes that all shells know, wherever those will do. */
function always(text: string): string {
  return /["$`]/.test(text) ? quoted(text) : `"${text}"`;
}
