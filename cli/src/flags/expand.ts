import { expandVariables, type Flags } from '@mcp-connect/core';
import type { Environment } from '../command-line/plain.js';
import type { Value, Values } from './flags.js';

/** What values are expanded with. */
export interface ExpandValuesOptions {
  readonly flags: Flags;
  readonly env: Environment;
  /** Told every part of a secret flag's value, so that no log line shows it. */
  hide(...secrets: readonly string[]): void;
}

/**
 * Replaces the variables in all text values, but for those of flags whose plugin does it itself.
 *
 * @throws ConnectorError `MCPC_USAGE` naming the flag and the variable that is not set
 */
export function expandValues(values: Values, { flags, env, hide }: ExpandValuesOptions): Values {
  const expanded: Record<string, Value> = {};
  for (const [name, value] of Object.entries(values)) {
    const flag = flags[name];
    const secret = flag?.type === 'string' && flag.secret === true;
    const expand = (text: string): string => {
      const result = expandVariables(text, {
        flag: name,
        env,
        onvalue: (variable) => secret && hide(variable),
      });
      if (secret) hide(result);
      return result;
    };
    const verbatim = flag?.type === 'string' && flag.verbatim === true;
    if (verbatim) expanded[name] = value;
    else if (typeof value === 'string') expanded[name] = expand(value);
    else if (Array.isArray(value)) expanded[name] = value.map(expand);
    else expanded[name] = value;
  }
  return expanded;
}
