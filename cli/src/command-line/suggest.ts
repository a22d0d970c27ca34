/** Typing mistakes that a suggestion may bridge. */
const MOST_MISTAKES = 3;

/** Finds the name that is closest to what was typed, unless none is close. */
export function closest(typed: string, names: readonly string[]): string | undefined {
  const limit = Math.min(MOST_MISTAKES, Math.ceil(typed.length / 2));
  const [first] = nearestFirst(typed, names);
  return first !== undefined && mistakesBetween(typed, first) <= limit ? first : undefined;
}

/** Sorts names by how close they are to what was typed. */
export function nearestFirst(typed: string, names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, mistakes: mistakesBetween(typed, name) }))
    .sort((left, right) => left.mistakes - right.mistakes)
    .map(({ name }) => name);
}

/** Counts the letters to add, drop or replace (Levenshtein's distance). */
function mistakesBetween(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (const [above, letter] of left.split('').entries()) {
    const next = [above + 1];
    for (let at = 0; at < right.length; at++) {
      const replaced = row[at]! + (letter === right[at] ? 0 : 1);
      next.push(Math.min(replaced, row[at + 1]! + 1, next[at]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}
