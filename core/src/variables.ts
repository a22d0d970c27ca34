import { ConnectorError } from './errors.js';

const REFERENCE = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** What variables in a flag's value are replaced with. */
export interface ExpandOptions {
  /** The flag's name, for messages. */
  readonly flag: string;
  /** Environment variables by name. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told the value of each variable that goes in. */
  onvalue?(value: string): void;
}

/**
 * Replaces `${NAME}` by the environment variable of that name; `$${NAME}` stays as `${NAME}`. MCP hosts hand arguments
 * over as they are written in their settings, with no shell to do it.
 *
 * @throws ConnectorError `MCPC_USAGE` naming the flag and the variable that is not set
 */
export function expandVariables(text: string, { flag, env, onvalue }: ExpandOptions): string {
  return text.replace(REFERENCE, (reference: string, escape: string, variable: string) => {
    if (escape !== '') return reference.slice(1);
    const value = env[variable];
    if (value === undefined) {
      throw new ConnectorError('MCPC_USAGE', `--${flag} uses \${${variable}}, which is not set.`, {
        hint: `Set the environment variable ${variable}, or write $\${${variable}} for the text itself`,
      });
    }
    onvalue?.(value);
    return value;
  });
}
