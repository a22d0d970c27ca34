import { ConnectorError, type Flags } from '@mcp-connect/core';
import type { Value, Values } from './flags.js';
import type { Environment } from './plain.js';

const REFERENCE = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** What values are expanded with. */
export interface ExpandOptions {
  readonly flags: Flags;
  readonly env: Environment;
  /** Told every part of a secret flag's value, so that no log line shows it. */
  hide(...secrets: readonly string[]): void;
}

/**
 * Replaces `${NAME}` in text values by the environment variable of that name; `$${NAME}` stays as `${NAME}`. MCP
 * hosts hand arguments over as they are written in their settings, with no shell to do it.
 *
 * @throws ConnectorError `MCPC_USAGE` naming the flag and the variable that is not set
 */
export function expandValues(values: Values, { flags, env, hide }: ExpandOptions): Values {
  const expanded: Record<string, Value> = {};
  for (const [name, value] of Object.entries(values)) {
    const flag = flags[name];
    const secret = flag?.type === 'string' && flag.secret === true;
    const expand = (text: string): string => {
      const result = expandText(text, name, env, (variable) => secret && hide(variable));
      if (secret) hide(result);
      return result;
    };
    if (typeof value === 'string') expanded[name] = expand(value);
    else if (Array.isArray(value)) expanded[name] = value.map(expand);
    else expanded[name] = value;
  }
  return expanded;
}

/**
 * Replaces the variables in one text of the flag `name`.
 *
 * @param onvalue told the value of each variable that went in
 * @throws ConnectorError `MCPC_USAGE` naming the flag and the variable that is not set
 */
export function expandText(
  text: string,
  name: string,
  env: Environment,
  onvalue?: (value: string) => void,
): string {
  return text.replace(REFERENCE, (reference: string, escape: string, variable: string) => {
    if (escape !== '') return reference.slice(1);
    const value = env[variable];
    if (value === undefined) {
      throw new ConnectorError('MCPC_USAGE', `--${name} uses \${${variable}}, which is not set.`, {
        hint: `Set the environment variable ${variable}, or write $\${${variable}} for the text itself`,
      });
    }
    onvalue?.(value);
    return value;
  });
}
