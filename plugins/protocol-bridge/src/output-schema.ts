import { isObject } from './messages.js';

/** Members of a schema whose values are data and no schemas. */
const DATA = new Set(['const', 'enum', 'default', 'examples']);
/** Members whose values are schemas by names of the author's own. */
const NAMED = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
]);
const ROOT = '#/properties/result';

/** True for an output schema that a legacy client refuses, and the whole list with it (2025-11-25 server/tools). */
export function isForeignSchema(schema: unknown): schema is Record<string, unknown> {
  return isObject(schema) && schema['type'] !== 'object';
}

/** Puts the schema of any value into one of an object whose `result` is that value. */
export function wrapSchema(schema: Readonly<Record<string, unknown>>): object {
  const { $schema } = schema;
  return {
    ...($schema !== undefined && { $schema }),
    type: 'object',
    properties: { result: hasBase(schema) ? schema : moved(schema) },
    required: ['result'],
  };
}

/** A schema with a base of its own resolves its references against that, wherever it stands (JSON Schema 2020-12, 8.2.1). */
function hasBase({ $id }: Readonly<Record<string, unknown>>): boolean {
  return typeof $id === 'string' && !$id.startsWith('#');
}

/** The schema with its references to places in itself pointing to where those places are now. */
function moved(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(moved);
  if (!isObject(node) || hasBase(node)) return node;
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, movedMember(name, value)]));
}

function movedMember(name: string, value: unknown): unknown {
  if (DATA.has(name)) return value;
  if ((name === '$ref' || name === '$dynamicRef') && typeof value === 'string') {
    return value === '#' || value.startsWith('#/') ? ROOT + value.slice(1) : value;
  }
  if (!NAMED.has(name) || !isObject(value)) return moved(value);
  return Object.fromEntries(Object.entries(value).map(([own, schema]) => [own, moved(schema)]));
}
