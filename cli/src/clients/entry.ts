import { resolve } from 'node:path';
import { ConnectorError, type Flags } from '@mcp-connect/core';
import { givenFlags, quoted, wordsOf, type Given } from '../flags/given.js';
import { CLIENT_FLAGS } from '../flags/local.js';
import { holdsSecret, REFERENCE } from '../flags/secrets.js';
import { isPath } from '../plugins/resolve.js';
import type { Client, Scope } from './clients.js';

/** What a client starts. */
export interface Entry {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What an entry is made from. */
export interface EntryOptions {
  readonly client: Client;
  /** The words of the line, which are known to be right. */
  readonly args: readonly string[];
  /** The words after `--`. */
  readonly words: readonly string[];
  readonly flags: Flags;
  /** How the client starts this program. */
  readonly program: readonly string[];
  readonly cwd: string;
  /** How the line begins, for messages: up to the flags of `proxy`. */
  readonly line: readonly string[];
}

/**
 * Makes the entry of a client's settings that runs `proxy` as it would run here: paths become absolute, since clients
 * start programs from folders of their own; secret flags become environment variables, which no list of processes
 * shows; and `${NAME}` becomes what the client has for it.
 *
 * @throws ConnectorError `MCPC_USAGE` when a secret itself is given, with the line to type instead
 */
export function entryOf(options: EntryOptions): Entry {
  const { client, flags, words, program, cwd } = options;
  const given = entryFlags(options.args, flags).map((each) => located(each, cwd));
  const secret = given.find(({ flag, text }) => text !== undefined && holdsSecret(flag, text));
  if (secret !== undefined) throw refusal(secret, given, options);
  const referring = (text: string): string =>
    text.replaceAll(new RegExp(REFERENCE, 'g'), (reference) => client.reference(reference.slice(2, -1)));
  const moved = Object.keys(flags).filter((name) => isMovable(given.filter((each) => each.name === name)));
  const env = moved.map((name) => {
    const texts = given.filter((each) => each.name === name).map(({ text }) => text);
    return [flags[name]!.env!, referring(texts.join(', '))];
  });
  const args = given
    .filter(({ name }) => !moved.includes(name))
    .flatMap((each) => wordsOf(each).map(referring));
  const command = words.map((word, at) => (at === 0 && /[\\/]/.test(word) ? resolve(cwd, word) : word));
  const [start = '', ...before] = program;
  return {
    command: start,
    args: [...before, 'proxy', ...args, ...(command.length > 0 ? ['--', ...command] : [])],
    ...(env.length > 0 && { env: Object.fromEntries(env) as Record<string, string> }),
  };
}

/** Names the environment variables that an entry needs. */
export function variablesOf(options: Pick<EntryOptions, 'args' | 'flags'>): readonly string[] {
  const texts = entryFlags(options.args, options.flags).flatMap(({ text }) => text ?? []);
  const found = texts.flatMap((text) => text.match(new RegExp(REFERENCE, 'g')) ?? []);
  return [...new Set(found.map((reference) => reference.slice(2, -1)))];
}

/** How clients start this program. */
export interface ProgramOptions {
  readonly scope: Scope;
  /** The Node.js that runs us. */
  readonly node: string;
  /** The file that it runs. */
  readonly script: string;
}

/**
 * Names the program and its first words. A user's entry names both Node.js and our file, since clients with windows
 * often lack the PATH of a shell; one that is shared with a project names what others have on their PATH. What npx
 * fetched is gone one day, so npx is named.
 */
export function programFor({ scope, node, script }: ProgramOptions): readonly string[] {
  if (/[\\/]_npx[\\/]/.test(script)) return ['npx', '-y', 'mcp-connect'];
  return scope === 'project' ? ['mcp-connect'] : [node, script];
}

/** Takes words apart, and leaves out the flags that are about the settings. */
function entryFlags(args: readonly string[], flags: Flags): Given[] {
  return givenFlags(args, flags).filter(({ name }) => !Object.hasOwn(CLIENT_FLAGS, name));
}

function located(given: Given, cwd: string): Given {
  const { name, flag, text } = given;
  if (text === undefined || flag.type !== 'string' || new RegExp(`^${REFERENCE.source}`).test(text))
    return given;
  if (flag.path === true) return { ...given, text: resolve(cwd, text) };
  if (name !== 'plugin') return given;
  const refs = text.split(',').map((ref) => (isPath(ref.trim()) ? resolve(cwd, ref.trim()) : ref.trim()));
  return { ...given, text: refs.join(',') };
}

/** A secret that is named goes where no list of processes shows it, if a variable can hold all that is given. */
function isMovable(given: readonly Given[]): boolean {
  const [first] = given;
  if (first?.flag.type !== 'string' || first.flag.secret !== true || first.flag.env === undefined)
    return false;
  return given.length === 1 || first.flag.pairs === ':';
}

function refusal(secret: Given, given: readonly Given[], { line, words }: EntryOptions): ConnectorError {
  const message = `--${secret.name} holds a secret, which has no place in a settings file.`;
  const instead = referenceFor(secret);
  if (instead === undefined) {
    return new ConnectorError('MCPC_USAGE', message, {
      hint: 'Put it into an environment variable, and write ${NAME} in its place',
    });
  }
  const others = given.map((each) => (each === secret ? { ...each, text: instead } : each));
  const typed = [...others.flatMap(wordsOf), ...(words.length > 0 ? ['--', ...words] : [])];
  // Other secrets on the line are not to be shown either.
  const safe = others.some(({ flag, text }) => text !== undefined && holdsSecret(flag, text));
  const [variable] = instead.match(REFERENCE)!;
  return new ConnectorError('MCPC_USAGE', message, {
    hint: safe
      ? `Put each secret into an environment variable, and write --${secret.name} '${instead}'`
      : `Put it into the environment variable ${variable.slice(2, -1)}, and type: ${[...line, ...typed].map(quoted).join(' ')}`,
  });
}

/** Writes a secret value with variables in the place of its secrets; undefined where it is in the middle of an address. */
function referenceFor({ name, flag, text }: Given): string | undefined {
  if (flag.type !== 'string' || flag.secret !== true) return undefined;
  const { pairs } = flag;
  if (pairs === undefined) return `\${${variableName(name)}}`;
  const first = text!
    .slice(0, Math.max(text!.indexOf(pairs), 0))
    .replaceAll(/["']/g, '')
    .trim();
  const bearer = pairs === ':' && /:\s*bearer\s/i.test(text!) ? 'Bearer ' : '';
  return `${first}${pairs}${pairs === ':' ? ' ' : ''}${bearer}\${${variableName(bearer === '' ? first : 'token')}}`;
}

function variableName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase();
}
