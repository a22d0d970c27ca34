import type { Writable } from 'node:stream';
import { ConnectorError, parseEndpoint } from '@mcp-connect/core';
import type { Line } from '../command-line/line.js';
import { MODES } from '../command-line/modes.js';
import type { Values } from '../flags/flags.js';
import { REFERENCE } from '../flags/secrets.js';
import { clientFile, CLIENTS, type Client, type ClientPlace, type Scope } from './clients.js';
import { putEntry, takeEntry } from './edit.js';
import { entryOf, programFor, variablesOf, type Entry } from './entry.js';
import { masked } from './masked.js';
import { changeSettings, readSettings } from './store.js';

/** What every client takes for the name of a server. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** What `config` is asked for. */
export interface ConfigureOptions {
  readonly client: keyof typeof CLIENTS;
  readonly line: Line;
  readonly values: Values;
  readonly place: ClientPlace;
  /** The Node.js that runs us, and the file that it runs. */
  readonly node: string;
  readonly script: string;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** Values of the flags that are about the settings. */
interface Asked {
  readonly name?: string;
  readonly scope?: Scope;
  readonly file?: string;
  readonly write: boolean;
  readonly remove: boolean;
  readonly 'dry-run': boolean;
  readonly force: boolean;
  readonly json: boolean;
}

/** What was done, as `--json` prints it. */
interface Result {
  readonly client: string;
  readonly file: string;
  readonly name: string;
  readonly entry?: Entry;
  readonly written: boolean;
  readonly backup?: string;
}

/**
 * Prints, writes or takes out the entry of a client's settings that runs `proxy` with the flags of the line.
 *
 * @throws ConnectorError `MCPC_USAGE` naming the flag, or the place in the settings, that is at fault; nothing is
 *   written then
 */
export async function configure(options: ConfigureOptions): Promise<void> {
  const { stdout, stderr, values } = options;
  const asked = values as unknown as Asked;
  const client: Client = CLIENTS[options.client];
  const scope = asked.scope ?? (Object.keys(client.files)[0] as Scope);
  const file = asked.file ?? usualFile(client, { scope, place: options.place });
  const name = nameOf(asked, options);
  const entry = asked.remove ? undefined : { ...client.kind, ...entryFor(client, scope, options) };
  const at = { file, key: client.key, name };
  const change = (text: string): string =>
    entry === undefined ? takeEntry(text, at) : putEntry(text, { ...at, entry, force: asked.force });
  const tell = (result: Omit<Result, 'client' | 'file' | 'name'>, text: string): void => {
    const all: Result = { client: options.client, file, name, ...result };
    stdout.write(asked.json ? `${JSON.stringify(all, null, 2)}\n` : text);
  };
  if (entry !== undefined) for (const note of notes(client, options)) stderr.write(`mcp-connect: ${note}\n`);
  if (asked['dry-run']) {
    const before = readSettings(file);
    tell({ ...(entry && { entry }), written: false }, await difference(file, before, change(before)));
  } else if (asked.write || asked.remove) {
    const { before, after, backup } = changeSettings(file, change);
    const done = entry === undefined ? `${name} is taken out of ${file}` : `${name} is in ${file}`;
    const kept = backup === undefined ? '' : `; what was there before is in ${backup}`;
    tell(
      { ...(entry && { entry }), written: after !== before, ...(backup !== undefined && { backup }) },
      after === before ? `${name} is in ${file} already.\n` : `${done}${kept}.\n`,
    );
  } else {
    tell(
      { ...(entry && { entry }), written: false },
      `${JSON.stringify({ [client.key]: { [name]: entry } }, null, 2)}\n`,
    );
    if (!asked.json) stderr.write(`mcp-connect: --write puts this into ${file}\n`);
  }
}

function usualFile(client: Client, { scope, place }: { scope: Scope; place: ClientPlace }): string {
  const file = clientFile(client, scope, place);
  if (file !== undefined) return file;
  throw new ConnectorError('MCPC_USAGE', `${client.title} has no settings of a ${scope}.`, {
    hint: `Leave out --scope ${scope}, or name a file with --file`,
  });
}

function entryFor(client: Client, scope: Scope, options: ConfigureOptions): Entry {
  const { line, values, place, node, script } = options;
  const endpoint = values['endpoint'];
  // What a variable holds is not known yet.
  if (typeof endpoint !== 'string' || !REFERENCE.test(endpoint)) MODES.proxy.endpoints(values, line.words);
  const asked = values as unknown as Asked;
  const own = (['name', 'scope', 'file'] as const).flatMap((flag) =>
    asked[flag] === undefined ? [] : [`--${flag}`, asked[flag]],
  );
  const acts = (['write', 'dry-run', 'force', 'json'] as const).filter((flag) => asked[flag]);
  return entryOf({
    client,
    args: line.args,
    words: line.words,
    flags: line.flags,
    program: programFor({ scope, node, script }),
    cwd: place.cwd,
    line: ['mcp-connect', 'config', options.client, ...own, ...acts.map((flag) => `--${flag}`)],
  });
}

function nameOf({ name, remove }: Asked, { line, values }: ConfigureOptions): string {
  if (remove && name === undefined) {
    throw new ConnectorError('MCPC_USAGE', '--remove is given without --name.', {
      hint: 'Name the entry to take out with --name NAME',
    });
  }
  // What others wrote may have any name.
  if (name !== undefined && (remove || NAME.test(name))) return name;
  if (name !== undefined) {
    throw new ConnectorError('MCPC_USAGE', 'The value of --name is no name that every client takes.', {
      hint: 'Use up to 64 letters, digits, - and _',
    });
  }
  const endpoint = typeof values['endpoint'] === 'string' ? values['endpoint'] : undefined;
  const from = line.picked ?? hostOf(endpoint) ?? line.words[0]?.split(/[\\/]/).at(-1) ?? '';
  return (
    from
      .replaceAll(/[^A-Za-z0-9_]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 64) || 'mcp-connect'
  );
}

function hostOf(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined || REFERENCE.test(endpoint)) return undefined;
  try {
    return parseEndpoint(endpoint).url?.hostname;
  } catch {
    return undefined;
  }
}

/** What the user has to do that we cannot. */
function notes(client: Client, { line }: ConfigureOptions): readonly string[] {
  const variables = variablesOf({ args: line.args, flags: line.flags });
  const shown = masked(JSON.stringify(line.words)) === JSON.stringify(line.words);
  const words = shown ? [] : ['A word after -- looks like a secret, and the settings show it'];
  if (variables.length === 0) return words;
  const names = variables.join(', ');
  if (client.withholdsEnvironment === true) {
    return [
      ...words,
      `${client.title} starts servers without your environment: add ${names} to the env of the entry, ` +
        'or use mcp-connect login, --auth-token-file or --auth-token-command instead',
    ];
  }
  return [...words, `${names} must be set where ${client.title} is started`];
}

/** Shows a change as `diff -u` does. Nothing around it is shown, and no secret in it. */
async function difference(file: string, before: string, after: string): Promise<string> {
  if (before === after) return '';
  const { createTwoFilesPatch } = await import('diff');
  const [from, to] = [before === '' ? '/dev/null' : file, after === '' ? '/dev/null' : file];
  return createTwoFilesPatch(from, to, masked(before), masked(after), undefined, undefined, { context: 0 })
    .split('\n')
    .filter((text) => !/^(=+$|Index: )/.test(text))
    .join('\n');
}
