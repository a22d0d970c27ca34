/** The protocol revisions that a client may speak, the oldest first. */
const REVISIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'] as const;

/** The first revision without sessions. */
const MODERN = '2026-07-28';

/** What becomes of the messages of clients by their revision: they pass as they are, or the protocol bridge translates. */
export type Treatment = Readonly<Record<string, 'as is' | 'translated'>>;

/** Tells what clients of each revision get in front of a server of these revisions. */
export function treatmentBy(revisions: readonly string[]): Treatment {
  const isModern = (revision: string): boolean => revision >= MODERN;
  const eras = new Set(revisions.map(isModern));
  return Object.fromEntries(
    REVISIONS.map((revision) => [revision, eras.has(isModern(revision)) ? 'as is' : 'translated']),
  );
}

/** Words a treatment in one line. */
export function wordsOfTreatment(treatment: Treatment): string {
  const all = Object.entries(treatment);
  return (['as is', 'translated'] as const)
    .map((kind) => ({ kind, which: all.filter(([, each]) => each === kind).map(([revision]) => revision) }))
    .filter(({ which }) => which.length > 0)
    .map(({ kind, which }) => `${which.length > 1 ? `${which[0]} to ${which.at(-1)}` : which[0]} ${kind}`)
    .join(', ');
}
