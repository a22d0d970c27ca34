import { isObject } from './messages.js';

/** An argument that is mirrored in a header. */
export interface Declaration {
  /** The name behind `Mcp-Param-`. */
  readonly header: string;
  /** Where the argument is, from the outermost object inwards. */
  readonly path: readonly string[];
}

const ANNOTATION = 'x-mcp-header';

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const TYPES = new Set<unknown>(['string', 'integer', 'boolean']);

/** Members of a schema that hold data, in which an annotation means nothing. */
const DATA = new Set(['const', 'enum', 'default', 'examples']);

/**
 * Reads which arguments of a tool are mirrored in headers (2026-07-28 streamable-http, Schema Extension).
 *
 * @returns the declarations, or what makes the schema invalid
 */
export function declarationsIn(schema: unknown): readonly Declaration[] | string {
  const found: Declaration[] = [];
  const names = new Set<string>();

  /** Returns what is wrong with an annotation at this place. */
  const take = (node: Record<string, unknown>, path: readonly string[] | undefined): string | undefined => {
    const header = node[ANNOTATION];
    if (typeof header !== 'string' || !TOKEN.test(header)) return `${ANNOTATION} is no header name`;
    if (path === undefined || path.length === 0)
      return `${ANNOTATION} "${header}" is not on a plain argument`;
    if (!TYPES.has(node['type'])) return `${ANNOTATION} "${header}" is on no text, integer or boolean`;
    if (names.has(header.toLowerCase())) return `${ANNOTATION} "${header}" is there twice`;
    names.add(header.toLowerCase());
    found.push({ header, path });
    return undefined;
  };

  /** `path` is undefined where no argument can be told by its place alone. */
  const visit = (node: unknown, path: readonly string[] | undefined): string | undefined => {
    if (Array.isArray(node)) return first(node, (item) => visit(item, undefined));
    if (!isObject(node)) return undefined;
    const wrong = ANNOTATION in node ? take(node, path) : undefined;
    return (
      wrong ??
      first(Object.entries(node), ([name, value]) => {
        if (DATA.has(name) || name === ANNOTATION) return undefined;
        if (name !== 'properties' || !isObject(value)) return visit(value, undefined);
        return first(Object.entries(value), ([own, child]) => visit(child, path && [...path, own]));
      })
    );
  };

  return visit(schema, []) ?? found;
}

function first<T>(items: readonly T[], look: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
