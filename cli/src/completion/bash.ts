import { completedFrom, type CompletedCommand } from './completed.js';

/** What stands for a value that may be anything, a file for example. */
const ANYTHING = '-';

/**
 * Writes the script that completes a command line in bash: commands word by word, any number of flags, and the values
 * of flags that allow only some. It does without what bash 3.2, the one of macOS, lacks.
 */
export function bashCompletion(bin: string, commands: readonly CompletedCommand[]): string {
  const { words, flags, values } = completedFrom(commands);
  const name = `_${bin.replaceAll(/[^a-zA-Z0-9]/g, '_')}`;
  return `#!/usr/bin/env bash

${name}_words() {
  case "$1" in
${branches(words)}
  esac
}

${name}_flags() {
  case "$1" in
${branches(flags.map(([of, named]) => [of, named.map(([flag]) => flag)]))}
  esac
}

${name}_values() {
  case "$1" in
${branches(values.map(([of, allowed = [ANYTHING]]) => [of, allowed]))}
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

/** The branches of a `case`, each of which prints words. */
function branches(cases: readonly (readonly [of: string, words: readonly string[]])[]): string {
  return cases.map(([of, words]) => `    ${quoted(of)}) echo ${quoted(words.join(' '))} ;;`).join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
