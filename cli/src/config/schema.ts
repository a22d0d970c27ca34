import type { Flag, Flags, Plugin } from '@mcp-connect/core';

/** A JSON Schema of draft 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

/**
 * Writes the schema of configuration files.
 *
 * @param flags what `fileFlags()` returns
 * @param plugins whose options the schema knows; those of others may be anything
 */
export function configSchema(flags: Flags, plugins: readonly Plugin[] = []): Schema {
  const settings = Object.fromEntries(Object.keys(flags).map((name) => [name, { $ref: `#/$defs/${name}` }]));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of mcp-connect',
    type: 'object',
    properties: {
      $schema: { type: 'string', description: 'The schema of this file, for editors.' },
      ...settings,
      plugins: pluginsSchema(plugins),
      servers: {
        type: 'object',
        description:
          'Servers by name, one of which --server picks. What is said there wins over what is said above.',
        minProperties: 1,
        additionalProperties: { type: 'object', properties: settings, additionalProperties: false },
      },
    },
    additionalProperties: false,
    $defs: Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flagSchema(flag)])),
  };
}

/** Writes the schema of the options of one plugin. */
export function optionsSchema(flags: Flags): Schema {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flagSchema(flag)])),
    additionalProperties: false,
  };
}

function pluginsSchema(plugins: readonly Plugin[]): Schema {
  return {
    type: 'array',
    description: 'Plugins to load: package names, or paths that begin with . or /.',
    items: {
      type: ['string', 'object'],
      minLength: 1,
      properties: {
        name: {
          type: 'string',
          minLength: 1,
          description: 'Package name, or a path that begins with . or /.',
        },
        options: { type: 'object', description: "Values of the plugin's flags, by their names." },
      },
      required: ['name'],
      additionalProperties: false,
      ...(plugins.length > 0 && { allOf: plugins.map(whenNamed) }),
    },
  };
}

function whenNamed({ name, flags = {} }: Plugin): Schema {
  return {
    anyOf: [
      { type: 'string' },
      { properties: { name: { not: { const: name } } } },
      { properties: { options: optionsSchema(flags) } },
    ],
  };
}

function flagSchema(flag: Flag): Schema {
  const { summary: description, type } = flag;
  if (type === 'boolean') return { type, description };
  const preset = flag.default === undefined ? {} : { default: flag.default };
  if (type === 'integer') {
    const { min, max } = flag;
    return {
      type,
      description,
      ...preset,
      ...(min !== undefined && { minimum: min }),
      ...(max !== undefined && { maximum: max }),
    };
  }
  const { options, pairs } = flag;
  const text = { type: 'string', minLength: 1, ...(options !== undefined && { enum: options }) };
  const isList = takesList(flag);
  if (!isList && pairs === undefined) return { ...text, description, ...preset };
  return {
    type: ['string', ...(isList ? ['array'] : []), ...(pairs === undefined ? [] : ['object'])],
    description,
    ...preset,
    ...(isList && { items: text }),
    ...(pairs !== undefined && { additionalProperties: { type: 'string' } }),
  };
}

/** Whether a file may give a flag's values one by one. */
export function takesList(flag: Flag): boolean {
  return flag.type === 'string' && (flag.multiple === true || flag.list === true);
}
