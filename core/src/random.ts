/**
 * Makes an id that nobody can guess. `node:crypto` takes longer to load than a message takes to pass, and most runs
 * need no such id, so it is loaded with the first one.
 */
export function randomId(): string {
  return process.getBuiltinModule('node:crypto').randomUUID();
}
