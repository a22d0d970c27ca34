import type { Endpoint, Flags, Plugin } from '@mcp-connect/core';
import type { Values } from '../flags/flags.js';

/** Schemes of ours whose messages carry no header fields. */
const WITHOUT_HEADERS = new Set(['stdio', 'tcp', 'tls', 'unix']);

/** Who signs messages, and what was given. */
export interface UnsentQuestion {
  readonly plugins: readonly Plugin[];
  readonly values: Values;
  readonly endpoints: readonly Endpoint[];
}

/** Names the given flags that do nothing: those that only make header fields, where no endpoint takes any. */
export function unsentFlags({ plugins, values, endpoints }: UnsentQuestion): string[] {
  if (endpoints.length === 0 || !endpoints.every(({ scheme }) => WITHOUT_HEADERS.has(scheme))) return [];
  return plugins.filter(onlySigns).flatMap(({ flags = {} }) => givenOf(flags, values));
}

function onlySigns({ provides }: Plugin): boolean {
  const hooks = provides?.hooks ?? [];
  return hooks.length > 0 && hooks.every((hook) => hook === 'authenticate');
}

function givenOf(flags: Flags, values: Values): string[] {
  return Object.entries(flags)
    .filter(([name, flag]) => {
      const value = values[name];
      if (value === undefined || value === false) return false;
      return Array.isArray(value) ? value.length > 0 : !('default' in flag) || value !== flag.default;
    })
    .map(([name]) => `--${name}`);
}
