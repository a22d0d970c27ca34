import { completedFrom, type CompletedCommand } from './completed.js';

/** Windows PowerShell takes a file without this mark for one of another encoding. */
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Writes the script that completes a command line in PowerShell: commands word by word, any number of flags with their
 * summaries, and the values of flags that allow only some. It does without what Windows PowerShell 5.1 lacks.
 */
export function powershellCompletion(bin: string, commands: readonly CompletedCommand[]): string {
  const { words, flags, values } = completedFrom(commands);
  return `${BYTE_ORDER_MARK}Register-ArgumentCompleter -Native -CommandName ${quoted(bin)} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)

  $words = ${table(words.map(([of, next]) => [of, list(next)]))}
  $flags = ${table(flags.map(([of, named]) => [of, table(named.map(([flag, summary]) => [flag, quoted(summary)]))]))}
  # An empty list stands for any value, a file for example.
  $values = ${table(values.map(([of, allowed = []]) => [of, list(allowed)]))}

  $typed = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition })
  $typed = @($typed | Select-Object -Skip 1 | ForEach-Object { $_.Extent.Text })
  # What follows belongs to another program.
  if ($typed -contains '--') { return }

  $command = ''
  $position = 0
  while ($position -lt $typed.Count -and $words[$command] -contains $typed[$position]) {
    $command = "$command $($typed[$position])".Trim()
    $position++
  }

  $before = ''
  if ($typed.Count -gt 0) { $before = $typed[$typed.Count - 1] }
  $start = ''
  $current = "$wordToComplete"
  $equals = $current.IndexOf('=')
  if ($current.StartsWith('--') -and $equals -gt 0) {
    $before = $current.Substring(0, $equals)
    $start = "$before="
    $current = $current.Substring($equals + 1)
  }

  $offered = @()
  $summaries = @{}
  if ($values.ContainsKey("$command $before")) {
    $offered = $values["$command $before"]
  } elseif ($current.StartsWith('-') -and $flags.ContainsKey($command)) {
    $summaries = $flags[$command]
    $offered = $summaries.Keys | Sort-Object
  } elseif ($position -eq $typed.Count -and $words.ContainsKey($command)) {
    $offered = $words[$command]
  }
  foreach ($word in $offered) {
    if (-not $word.StartsWith($current)) { continue }
    $summary = $word
    if ($summaries.ContainsKey($word)) { $summary = $summaries[$word] }
    New-Object System.Management.Automation.CompletionResult "$start$word", $word, 'ParameterValue', $summary
  }
}
`;
}

function table(rows: readonly (readonly [key: string, value: string])[]): string {
  return rows.length === 0
    ? '@{}'
    : `@{\n${rows.map(([key, value]) => `${quoted(key)} = ${value}`).join('\n')}\n}`;
}

function list(words: readonly string[]): string {
  return `@(${words.map(quoted).join(', ')})`;
}

/** Within single quotes nothing is expanded. Curly ones end a text, too (PowerShell's language, string literals). */
function quoted(text: string): string {
  return `'${text.replaceAll(/['\u2018-\u201b]/g, '$&$&')}'`;
}
