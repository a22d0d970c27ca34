/** A command as completion sees it. */
export interface CompletedCommand {
  /** Its words, with colons between. */
  readonly id: string;
  readonly hidden?: boolean;
  readonly flags: Readonly<Record<string, CompletedFlag>>;
}

interface CompletedFlag {
  readonly type: string;
  readonly hidden?: boolean | undefined;
  /** The only values allowed. */
  readonly options?: readonly string[] | undefined;
}

/** What stands for a value that may be anything, a file for example. */
const ANYTHING = '-';

/**
 * Writes the script that completes a command line in bash: commands word by word, any number of flags, and the values
 * of flags that allow only some. It does without what bash 3.2, the one of macOS, lacks.
 */
export function bashCompletion(bin: string, commands: readonly CompletedCommand[]): string {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const name = `_${bin.replaceAll(/[^a-zA-Z0-9]/g, '_')}`;
  return `#!/usr/bin/env bash

${name}_words() {
  case "$1" in
${branches(wordsBelow(shown))}
  esac
}

${name}_flags() {
  case "$1" in
${branches(shown.map(({ id, flags }) => [spaced(id), flagNames(flags)]))}
  esac
}

${name}_values() {
  case "$1" in
${branches(shown.flatMap(valuesOf))}
  esac
}

${name}_complete() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command='' offered='' at word
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case " $(${name}_words "$command") " in
      *" $word "*) command="\${command:+$command }$word" ;;
      *) break ;;
    esac
  done
  local position=$at
  for ((; at < COMP_CWORD; at++)); do
    # What follows belongs to another program.
    [[ "\${COMP_WORDS[at]}" == -- ]] && return
  done
  # bash takes a flag and its value apart at the equals sign.
  [[ "$before" == = ]] && before="\${COMP_WORDS[COMP_CWORD-2]}"
  [[ "$current" == = ]] && current=''
  [[ "$before" == -* ]] && offered="$(${name}_values "$command $before")"
  if [[ "$offered" == ${ANYTHING} ]]; then
    return
  elif [[ -n "$offered" ]]; then
    :
  elif [[ "$current" == -* ]]; then
    offered="$(${name}_flags "$command")"
  elif ((position == COMP_CWORD)); then
    offered="$(${name}_words "$command")"
  fi
  COMPREPLY=($(compgen -W "$offered" -- "$current"))
}

complete -o default -F ${name}_complete ${bin}
`;
}

/** The words that may follow the words of each command or topic. */
function wordsBelow(commands: readonly CompletedCommand[]): [words: string, next: readonly string[]][] {
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
function flagNames(flags: CompletedCommand['flags']): string[] {
  return [...new Set([...flagsOf(flags).map(([flag]) => flag), '--help'])];
}

function valuesOf({ id, flags }: CompletedCommand): [flag: string, values: readonly string[]][] {
  return flagsOf(flags)
    .filter(([, { type }]) => type === 'option')
    .map(([flag, { options }]) => [`${spaced(id)} ${flag}`, options ?? [ANYTHING]]);
}

function spaced(id: string): string {
  return id.replaceAll(':', ' ');
}

/** The branches of a `case`, each of which prints words. */
function branches(cases: readonly (readonly [of: string, words: readonly string[]])[]): string {
  return cases.map(([of, words]) => `    ${quoted(of)}) echo ${quoted(words.join(' '))} ;;`).join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
