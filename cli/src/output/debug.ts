const ROOT = 'mcp-connect';

/**
 * Keeps the part of `DEBUG` that is about our own namespaces. Other packages print what they like, command lines and
 * headers included, and none of it passes our redaction.
 */
export function ownNamespaces(variable: string | undefined): string | undefined {
  const names = (variable ?? '').split(/[\s,]+/).map((name) => (name === '*' ? `${ROOT}*` : name));
  const own = names.filter((name) => name.replace(/^-/, '').startsWith(ROOT));
  return own.length === 0 ? undefined : own.join(',');
}
