/** The revisions of MCP, the oldest first. */
export const REVISIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'] as const;

/** One of {@link REVISIONS}. */
export type Revision = (typeof REVISIONS)[number];

/** The revision whose requests describe themselves; all others begin with `initialize`. */
export const MODERN: Revision = '2026-07-28';

/** How servers are reached: over HTTP a reply is one JSON body or a stream of events. */
export const WIRES = ['http json', 'http sse', 'stdio', 'tcp'] as const;

/** One of {@link WIRES}. */
export type Wire = (typeof WIRES)[number];

/** A client, a server, and what lies between them. */
export interface Pair {
  readonly client: Revision;
  readonly server: Revision;
  readonly wire: Wire;
}

/** Every pair, wire by wire. */
export const PAIRS: readonly Pair[] = WIRES.flatMap((wire) =>
  REVISIONS.flatMap((client) => REVISIONS.map((server) => ({ client, server, wire }))),
);

/** Names a pair in a line. */
export function titleOf({ client, server, wire }: Pair): string {
  return `${client} → ${server} over ${wire}`;
}
