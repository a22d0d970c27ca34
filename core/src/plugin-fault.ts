/** A flag's name, without the dashes: small letters, digits and single dashes. */
const FLAG_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Has a meaning of its own for every command. */
const RESERVED = new Set(['help']);

type Members = Readonly<Record<string, unknown>>;

/**
 * Finds what keeps a value from being a plugin, as far as it can be told before the plugin is applied: TypeScript says
 * the same, but not to those who do without it.
 *
 * @returns the first fault in a few words, or undefined where there is none
 */
export function pluginFault(value: unknown): string | undefined {
  if (!isMap(value)) return 'it is no object; export what definePlugin() returns as the default';
  const { name, core, apply, flags } = value;
  if (typeof name !== 'string' || name.trim() === '') return 'it has no name';
  if (typeof apply !== 'function') return 'it has no function apply';
  if (core !== undefined && (typeof core !== 'string' || core.trim() === ''))
    return 'its core is no semver range';
  if (flags === undefined) return undefined;
  if (!isMap(flags)) return 'its flags are no object of flags by name';
  for (const [flag, data] of Object.entries(flags)) {
    const fault = nameFault(flag) ?? flagFault(data);
    if (fault !== undefined) return `its flag ${JSON.stringify(flag)} ${fault}`;
  }
  return undefined;
}

function nameFault(name: string): string | undefined {
  if (!FLAG_NAME.test(name)) return 'is not named in small letters and dashes, without those in front';
  return RESERVED.has(name) ? 'has a name that every command has already' : undefined;
}

function flagFault(flag: unknown): string | undefined {
  if (!isMap(flag)) return 'is no object';
  const { type, summary, env } = flag;
  if (typeof summary !== 'string' || summary.trim() === '') return 'has no summary';
  if (env !== undefined && !(typeof env === 'string' && VARIABLE.test(env)))
    return 'has an env that is no name of a variable';
  switch (type) {
    case 'string':
      return stringFault(flag);
    case 'integer':
      return integerFault(flag);
    case 'boolean':
      return 'default' in flag ? 'is a boolean with a default; it is false where it is not given' : undefined;
    default:
      return `is of the type ${String(type)}; there are string, integer and boolean`;
  }
}

function stringFault({ default: preset, options, multiple }: Members): string | undefined {
  const allowed: unknown = options ?? [preset];
  if (!Array.isArray(allowed) || (options !== undefined && !allowed.every((one) => typeof one === 'string')))
    return 'has options that are no list of texts';
  if (preset === undefined) return undefined;
  if (multiple === true) return 'may be repeated, and so cannot have a default';
  if (typeof preset !== 'string') return 'has a default that is no text';
  return allowed.includes(preset) ? undefined : 'has a default that is none of its options';
}

function integerFault({ default: preset, min = -Infinity, max = Infinity }: Members): string | undefined {
  if (typeof min !== 'number' || typeof max !== 'number') return 'has a min or max that is no number';
  if (preset === undefined) return undefined;
  const isWithin = Number.isSafeInteger(preset) && (preset as number) >= min && (preset as number) <= max;
  return isWithin ? undefined : 'has a default that is no whole number from min to max';
}

function isMap(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
