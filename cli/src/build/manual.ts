import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core/config';
import { CommandHelp } from '@oclif/core/help';
import type { Command } from '@oclif/core/command';
import { format, resolveConfig } from 'prettier';
import { escaped, markdownTable } from '../flags/flag-table.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Where the manual is, from the top of the repository. */
export const MANUAL = new URL('../../../docs/commands/', import.meta.url);

/** Returns the pages of the manual by the names of their files: one for each command that `--help` shows, and a list of them. */
export async function manual(): Promise<ReadonlyMap<string, string>> {
  const config = await Config.load({ root: ROOT, userPlugins: false });
  const commands = config.commands
    .filter(({ hidden, id, aliases }) => !hidden && !aliases.includes(id))
    .sort((left, right) => (left.id < right.id ? -1 : 1));
  const pages = new Map<string, string>();
  for (const command of commands) pages.set(fileOf(command), await tidy(page(new Help(command, config))));
  pages.set('README.md', await tidy(contents(commands.map((command) => new Help(command, config)))));
  return pages;
}

/** The help of one command, with its texts filled in. */
class Help extends CommandHelp {
  constructor(command: Command.Loadable, config: Config) {
    super(command, config, { all: false, maxWidth: Number.POSITIVE_INFINITY, stripAnsi: true });
  }

  get described(): Command.Loadable {
    return this.command;
  }

  /** Names the command as it is typed. */
  get name(): string {
    return `mcp-connect ${this.command.id.replaceAll(':', ' ')}`;
  }

  fill(text: string): string {
    const { id } = this.command;
    return this.render(text).replaceAll(id, id.replaceAll(':', ' ')).trim();
  }

  /** What the command does, in one line. */
  get summary(): string {
    const { summary, description = '' } = this.command;
    return this.fill(summary ?? description.split('\n', 1)[0]!);
  }
}

/** Long tables and foreign texts are put into the form of all other documents. */
async function tidy(text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(ROOT)), parser: 'markdown' });
}

function contents(commands: readonly Help[]): string {
  const rows = commands.map(({ name, summary, described }) => [
    `[\`${name}\`](${fileOf(described)})`,
    escaped(summary),
  ]);
  return [
    '# Commands',
    'Written by `node cli/dist/build/docs.js` from what `mcp-connect COMMAND --help` shows.',
    markdownTable([['command', 'what it does'], ...rows]),
    `What the flags of all commands have in common is in [the README of the command line](../../cli/README.md), with the
exit codes.`,
  ].join('\n\n');
}

function page(help: Help): string {
  const { description, usage, examples = [], args, id } = help.described;
  const words = Object.values(args).map(({ name, required }) => {
    const shown = name.toUpperCase();
    return required === true ? shown : `[${shown}]`;
  });
  const line =
    typeof usage === 'string' ? help.fill(usage) : [id.replaceAll(':', ' '), ...words, '[FLAGS]'].join(' ');
  const more = help.fill(description ?? '');
  return [
    `# \`${help.name}\``,
    help.summary,
    ...(more === '' || more === help.summary ? [] : [more]),
    code([`mcp-connect ${line}`]),
    ...(words.length > 0 ? ['## Words', argumentTable(help.described)] : []),
    ...flagTables(help.described),
    ...(examples.length > 0 ? ['## Examples', code(examples.map((each) => exampleText(each, help)))] : []),
    '[All commands](README.md)',
  ].join('\n\n');
}

/** An example is a line to type; what some say of it becomes a comment. */
function exampleText(example: Command.Example, help: Help): string {
  const text = typeof example === 'string' ? example : `${example.description}\n${example.command}`;
  return help
    .fill(text)
    .split('\n')
    .map((line) => line.trim().replace(/^\$ /, ''))
    .filter((line) => line !== '')
    .map((line) => (/^(mcp-connect|npx) /.test(line) ? line : `# ${line}`))
    .join('\n');
}

function argumentTable({ args }: Command.Loadable): string {
  const rows = Object.values(args).map(({ name, description = '', options }) => [
    `\`${name.toUpperCase()}\``,
    escaped(withOptions(description, options)),
  ]);
  return markdownTable([['word', 'meaning'], ...rows]);
}

/** The flags as `--help` groups them: the command's own first, then those of each plugin. */
function flagTables({ flags }: Command.Loadable): string[] {
  const groups = new Map<string, string[][]>([['', []]]);
  for (const flag of Object.values(flags).filter(({ hidden }) => hidden !== true)) {
    const group = flag.helpGroup === 'GLOBAL' ? '' : (flag.helpGroup ?? '');
    groups.set(group, [...(groups.get(group) ?? []), rowOf(flag)]);
  }
  return [...groups]
    .filter(([, rows]) => rows.length > 0)
    .flatMap(([group, rows]) => [
      group === '' ? '## Flags' : `## Flags of ${group}`,
      markdownTable([['flag', 'meaning', 'default', 'environment'], ...rows]),
    ]);
}

/** A flag that takes a value. */
interface FlagWithValue {
  readonly options?: readonly string[];
  readonly helpValue?: string;
  readonly default?: unknown;
}

function rowOf(flag: Command.Flag.Cached): string[] {
  const { name, char, summary, description, env } = flag;
  // oclif does not say which members flags with a value have besides.
  const { options, helpValue, default: preset } = flag as FlagWithValue;
  return [
    `${char === undefined ? '' : `\`-${char}\`, `}\`--${name}\`${helpValue === undefined ? '' : ` ${escaped(helpValue)}`}`,
    escaped(withOptions(summary ?? description ?? '', options)),
    preset === undefined || preset === false ? '' : `\`${preset as string}\``,
    env === undefined ? '' : `\`${env}\``,
  ];
}

function withOptions(text: string, options: readonly string[] | undefined): string {
  return options === undefined ? text : `${text.replace(/\.?$/, '.')} One of ${options.join(', ')}.`;
}

function code(blocks: readonly string[]): string {
  return `\`\`\`sh\n${blocks.join('\n')}\n\`\`\``;
}

function fileOf({ id }: Command.Loadable): string {
  return `${id.replaceAll(':', '-')}.md`;
}
