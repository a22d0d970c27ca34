/** The revisions of the harness whose servers are looked at. */
export const REVISIONS = ['2025-06-18', '2025-11-25', '2026-07-28'] as const;

/** One of {@link REVISIONS}. */
export type Revision = (typeof REVISIONS)[number];

/** Up to 2025-11-25 servers have sessions, from 2026-07-28 on they have none. */
export type Era = 'legacy' | 'modern';

/** How mcp-connect reaches a server. */
export const WIRES = ['http', 'stdio', 'tcp'] as const;

/** One of {@link WIRES}. */
export type Wire = (typeof WIRES)[number];

/** A harness, and what lies behind the mcp-connect that it is put before. */
export interface Pair {
  readonly revision: Revision;
  readonly server: Era;
  readonly wire: Wire;
}

/** Every pair, revision by revision. */
export const PAIRS: readonly Pair[] = REVISIONS.flatMap((revision) =>
  (['legacy', 'modern'] as const).flatMap((server) => WIRES.map((wire) => ({ revision, server, wire }))),
);

/** Tells the era of a revision. */
export function eraOf(revision: Revision): Era {
  return revision === '2026-07-28' ? 'modern' : 'legacy';
}

/** Names a pair in a line. */
export function titleOf({ revision, server, wire }: Pair): string {
  return `${revision} → ${server} over ${wire}`;
}
