import type { Flag, Flags, Plugin } from '@mcp-connect/core';
import { boolean, integer, string } from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import type { Value, Values } from './flags.js';

/** Flags in the form that oclif takes. */
export type OclifFlags = Interfaces.FlagInput;

/** Turns the flags of a command and of its plugins into oclif's form; help shows those of a plugin under its name. */
export function oclifFlags(own: Flags, plugins: readonly Plugin[]): OclifFlags {
  return Object.assign(
    inGroup(own, undefined),
    ...plugins.map((plugin) => inGroup(plugin.flags ?? {}, groupOf(plugin))),
  ) as OclifFlags;
}

/** What oclif makes of a line. */
export interface Parsed {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly metadata: { readonly flags: Readonly<Record<string, { setFromDefault?: boolean } | undefined>> };
}

/**
 * Gives what oclif parsed the shape that plugins are promised: lists and booleans are always there.
 *
 * @param presets what a configuration file says: it counts where neither the line nor a variable does
 */
export function valuesOf(flags: Flags, parsed: Parsed, presets: Values = {}): Values {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => {
      const value = parsed.flags[name] as Value;
      const isGiven = value !== undefined && parsed.metadata.flags[name]?.setFromDefault !== true;
      return [name, shaped(flag, isGiven ? value : (presets[name] ?? value))];
    }),
  );
}

function shaped(flag: Flag, value: Value): Value {
  if (flag.type === 'boolean') return value ?? false;
  // oclif hands the environment's value of a repeatable flag over as plain text.
  const isList = flag.type === 'string' && flag.multiple === true;
  if (isList && value === undefined) return [];
  return isList && typeof value === 'string' ? [value] : value;
}

function inGroup(flags: Flags, group: string | undefined): OclifFlags {
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, oclifFlag(flag, group)]));
}

function oclifFlag(flag: Flag, helpGroup: string | undefined): OclifFlags[string] {
  const { summary, env, valueName } = flag;
  const common = { summary, ...given({ env, helpGroup }) };
  if (flag.type === 'boolean') return boolean(common);
  const option = { ...common, ...given({ helpValue: valueName }) };
  if (flag.type === 'integer') {
    const { default: preset, min, max } = flag;
    return integer({ ...option, ...given({ default: preset, min, max }) });
  }
  const { default: preset, options, multiple } = flag;
  const text = { ...option, ...given({ options }) };
  // A repeatable flag takes one value each time, so that a stray word is an error and not one more value.
  if (multiple === true) return string({ ...text, multiple, multipleNonGreedy: true });
  return string({ ...text, ...given({ default: preset }) });
}

function groupOf({ name }: Plugin): string {
  return name.replace(/^@mcp-connect\//, '');
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what is undefined. */
function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>;
}
