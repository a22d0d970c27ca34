/** How the server answers: as JSON or as events over HTTP, or in lines. */
export type Wire = 'json' | 'sse' | 'stdio' | 'tcp';

/** Sessions that begin with `initialize`, or the revision 2026-07-28 in which every request stands alone. */
export type Era = 'legacy' | 'modern';

/** One column of the table. */
export interface Column {
  readonly wire: Wire;
  readonly era: Era;
}

export const WIRES = ['json', 'sse', 'stdio', 'tcp'] as const satisfies readonly Wire[];
export const ERAS = ['legacy', 'modern'] as const satisfies readonly Era[];

/** Wires over HTTP. */
export const HTTP = ['json', 'sse'] as const satisfies readonly Wire[];
/** Wires of lines. */
export const LINES = ['stdio', 'tcp'] as const satisfies readonly Wire[];
/** Wires on which a server may say something before it answers. */
export const STREAMS = ['sse', 'stdio', 'tcp'] as const satisfies readonly Wire[];

/** All columns, in the order of the table. */
export const COLUMNS: readonly Column[] = ERAS.flatMap((era) => WIRES.map((wire) => ({ wire, era })));

export function isHttp(wire: Wire): boolean {
  return wire === 'json' || wire === 'sse';
}

/** The title of a column. */
export function titleOf({ wire, era }: Column): string {
  return `${wire} ${era}`;
}
