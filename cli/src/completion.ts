/** A command as completion sees it. */
export interface CompletedCommand {
  /** Its words, with colons between them. */
  readonly id: string;
  readonly flags: Readonly<Record<string, CompletedFlag>>;
}

/** A flag as completion sees it. */
export interface CompletedFlag {
  readonly type: 'boolean' | 'option';
  /** The only values allowed. */
  readonly options?: readonly string[] | undefined;
}

/**
 * Writes the completion script for bash, from 3.2 on. The one of oclif's plugin knows no second flag and no values, and
 * prints an error behind an address with a slash.
 */
export function bashCompletion(bin: string, commands: readonly CompletedCommand[]): string {
  const name = `_${bin.replaceAll('-', '_')}`;
  const ids = commands.map(({ id }) => id.split(':'));
  const firstWords = [...new Set(ids.map(([first]) => first!))].sort();
  const topics = firstWords.flatMap((topic) => {
    const below = ids.filter(([first, second]) => first === topic && second !== undefined);
    return below.length === 0
      ? []
      : [
          branch(
            [topic],
            below.map(([, second]) => second!),
          ),
        ];
  });
  const values = commands.flatMap((command) =>
    Object.entries(command.flags).flatMap(([flag, { type, options }]) =>
      type === 'boolean' ? [] : [branch([`${spoken(command)} --${flag}`], options ?? [])],
    ),
  );
  const flags = commands.map((command) =>
    branch(
      [spoken(command)],
      Object.keys(command.flags).map((flag) => `--${flag}`),
    ),
  );
  return `# Completion of ${bin} for bash.
${name}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" words='' line
  # bash parts words at an equals sign.
  if [[ $cur == '=' ]]; then cur=''
  elif [[ $prev == '=' ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W '${firstWords.join(' ')}' -- "$cur"))
    return
  fi
  line="\${COMP_WORDS[1]}"
  case "$line \${COMP_WORDS[2]}" in
    ${commandsBelow(commands)}) (( COMP_CWORD > 2 )) && line="$line \${COMP_WORDS[2]}" ;;
  esac
  case "$line $prev" in
${values.join('\n')}
    *)
      if [[ $cur == -* ]]; then
        case "$line" in
${flags.join('\n')}
        esac
      else
        case "$line" in
${topics.join('\n')}
        esac
      fi ;;
  esac
  [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F ${name} ${bin}
`;
}

function branch(patterns: readonly string[], words: readonly string[]): string {
  return `    ${patterns.map((pattern) => `'${pattern}'`).join('|')}) words='${words.join(' ')}' ;;`;
}

function spoken({ id }: CompletedCommand): string {
  return id.replaceAll(':', ' ');
}

function commandsBelow(commands: readonly CompletedCommand[]): string {
  const below = commands.filter(({ id }) => id.includes(':')).map((command) => `'${spoken(command)}'`);
  return below.length === 0 ? "''" : below.join('|');
}
