import type { Plugin } from '@mcp-connect/core';
import { oclifFlags } from './oclif-flags.js';

/** A command of the command framework, as far as flags matter. */
interface FlaggedCommand {
  readonly id: string;
  readonly flags: Record<string, unknown>;
}

/** Whether a command reaches servers, and has the flags of plugins beside its own. */
export function takesPlugins({ flags }: FlaggedCommand): boolean {
  return 'plugin' in flags && ('endpoint' in flags || 'endpoints' in flags);
}

/** Adds the flags of plugins to a command, for help and completion. */
export function addPluginFlags(command: FlaggedCommand, plugins: readonly Plugin[]): void {
  const flags = Object.entries(oclifFlags({}, plugins));
  for (const [name, flag] of flags) command.flags[name] = { ...flag, name };
}
