import type { Flag, Flags } from '@mcp-connect/core';

/** The place of a table in a Markdown text: what stands between these two comments is written anew. */
const PLACE = /(<!-- flags (\S+) -->)[^]*?(<!-- end -->)/g;

/**
 * Returns a Markdown text whose tables of flags are those of the flag data. A table has its place between
 * `<!-- flags NAME -->` and `<!-- end -->`; those of other names are left alone.
 */
export function withFlagTables(text: string, tables: Readonly<Record<string, Flags>>): string {
  return text.replace(PLACE, (whole: string, open: string, name: string, close: string) => {
    const flags = Object.hasOwn(tables, name) ? tables[name] : undefined;
    return flags === undefined ? whole : `${open}\n\n${flagTable(flags)}\n\n${close}`;
  });
}

/** Words flags as a Markdown table. A column that holds nothing is left out. */
export function flagTable(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, flag]) => [
    `\`--${name}\`${flag.valueName === undefined ? '' : ` ${escaped(flag.valueName)}`}`,
    meaning(flag),
    'default' in flag ? `\`${flag.default}\`` : '',
    flag.env === undefined ? '' : `\`${flag.env}\``,
  ]);
  const head = ['flag', 'meaning', 'default', 'environment'];
  const used = head.map((_, column) => rows.some((cells) => cells[column] !== ''));
  return markdownTable([head, ...rows].map((cells) => cells.filter((_, column) => used[column])));
}

/** Lays rows of cells out as a Markdown table; the first one is its head. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const [head, ...body] = rows.map((cells) =>
    line(cells.map((cell, column) => cell.padEnd(widths[column]!))),
  );
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Says what a flag means, and which values it takes, as it may stand in a cell. */
export function meaning(flag: Flag): string {
  const options = 'options' in flag && flag.options ? ` One of ${flag.options.join(', ')}.` : '';
  return escaped(flag.summary + options);
}

/** Words text as it may stand in a cell of a table. */
export function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
