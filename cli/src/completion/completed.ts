/** A command as completion sees it. */
export interface CompletedCommand {
  /** Its words, with colons between. */
  readonly id: string;
  readonly hidden?: boolean;
  readonly flags: Readonly<Record<string, CompletedFlag>>;
}

interface CompletedFlag {
  readonly type: string;
  readonly summary?: string | undefined;
  readonly hidden?: boolean | undefined;
  /** The only values allowed. */
  readonly options?: readonly string[] | undefined;
}

/** What can be completed, in the form that the scripts of all shells are written from. */
export interface Completed {
  /** The words that may follow the words of each command or topic. */
  readonly words: readonly (readonly [of: string, next: readonly string[]])[];
  /** The flags of each command with their summaries. */
  readonly flags: readonly (readonly [
    of: string,
    flags: readonly (readonly [flag: string, summary: string])[],
  ])[];
  /** The values of each flag that has some, by command and flag; undefined for those that may be anything. */
  readonly values: readonly (readonly [of: string, values: readonly string[] | undefined])[];
}

/** Collects what can be completed. */
export function completedFrom(commands: readonly CompletedCommand[]): Completed {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  return {
    words: wordsBelow(shown),
    flags: shown.map(({ id, flags }) => [spaced(id), flagsWithHelp(flags)]),
    values: shown.flatMap(valuesOf),
  };
}

function wordsBelow(commands: readonly CompletedCommand[]): Completed['words'] {
  const below = new Map<string, Set<string>>();
  for (const { id } of commands) {
    const words = id.split(':');
    for (const [at, word] of words.entries()) {
      const parent = words.slice(0, at).join(' ');
      below.set(parent, (below.get(parent) ?? new Set()).add(word));
    }
  }
  return [...below].map(([parent, next]) => [parent, [...next].sort()]);
}

function flagsOf(flags: CompletedCommand['flags']): [flag: string, data: CompletedFlag][] {
  return Object.entries(flags)
    .filter(([, { hidden }]) => hidden !== true)
    .map(([flag, data]) => [`--${flag}`, data]);
}

/** Every command has `--help`, whether it says so or not. */
function flagsWithHelp(flags: CompletedCommand['flags']): [flag: string, summary: string][] {
  const named = flagsOf(flags).map(([flag, { summary }]) => [flag, summary ?? flag] as const);
  return [...new Map([...named, ['--help', 'Show help.']])];
}

function valuesOf({ id, flags }: CompletedCommand): Completed['values'] {
  return flagsOf(flags)
    .filter(([, { type }]) => type === 'option')
    .map(([flag, { options }]) => [`${spaced(id)} ${flag}`, options]);
}

function spaced(id: string): string {
  return id.replaceAll(':', ' ');
}
