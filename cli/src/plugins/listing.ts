import { Connector, createLog, type Flag, type Hooks, type Plugin, type Provides } from '@mcp-connect/core';
import type { Origin, PluginInUse } from './in-use.js';

const CORE = '@mcp-connect/core';

/** What can be told of a plugin that is in use. */
export interface ListedPlugin {
  readonly name: string;
  readonly version: string | undefined;
  readonly origin: Origin;
  /** The folder of its package. */
  readonly path: string | undefined;
  /** The versions of the core that it works with, as a semver range. */
  readonly core: string | undefined;
  readonly schemes: readonly string[];
  readonly hooks: readonly string[];
  readonly flags: Readonly<Record<string, Flag>>;
  /** Commands that it adds. */
  readonly commands: readonly string[];
}

/** A plugin of the command framework, as far as it matters here. */
export interface CommandPlugin {
  readonly root: string;
  readonly commandIDs: readonly string[];
}

/** Describes plugins that are in use, with the commands that their packages add. */
export function listPlugins(
  inUse: readonly PluginInUse[],
  commandPlugins: readonly CommandPlugin[],
): readonly ListedPlugin[] {
  return inUse.map(({ plugin, origin, find }) => {
    const { root, manifest } = find() ?? {};
    const { schemes = [], hooks = [] } = plugin.provides ?? observed(plugin);
    const commands = commandPlugins.filter((other) => origin !== 'built-in' && other.root === root);
    return {
      name: plugin.name,
      version: manifest?.version,
      origin,
      path: root,
      core: plugin.core ?? manifest?.peerDependencies?.[CORE],
      schemes,
      hooks,
      flags: plugin.flags ?? {},
      commands: commands.flatMap(({ commandIDs }) => commandIDs),
    };
  });
}

/** Words a listing for people: one plugin after another, with what it brings below its name. */
export function listingText(plugins: readonly ListedPlugin[]): string {
  return plugins.map(entryText).join('\n');
}

function entryText({ name, version, origin, core, schemes, hooks, flags, commands }: ListedPlugin): string {
  const head = [name, version ?? '', `(${origin}${core === undefined ? '' : `, core ${core}`})`];
  const rows: [what: string, list: readonly string[]][] = [
    ['transports', schemes],
    ['hooks', hooks],
    ['flags', Object.keys(flags).map((flag) => `--${flag}`)],
    ['commands', commands.map((id) => id.replaceAll(':', ' '))],
  ];
  const told = rows.filter(([, list]) => list.length > 0);
  return [
    head.filter((word) => word !== '').join(' '),
    ...told.map(([what, list]) => `  ${what.padEnd(11)}${list.join(', ')}`),
  ].join('\n');
}

/** What a plugin that does not say so registers when it is applied without any options. */
function observed(plugin: Plugin): Provides {
  const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
  const schemes: string[] = [];
  const watched: Plugin = {
    ...plugin,
    apply: ({ hooks, settings, log, endpoints }, options) =>
      plugin.apply(
        {
          hooks,
          settings,
          log,
          endpoints,
          endpoint: () => undefined,
          source: () => undefined,
          transport: (scheme) => void schemes.push(scheme),
        },
        options,
      ),
  };
  try {
    connector.use(watched).start();
  } catch {
    // Endpoints are missing in any case, and perhaps options. What is registered by then is told all the same.
  }
  const names = Object.keys(connector.hooks) as (keyof Hooks)[];
  return { schemes, hooks: names.filter((name) => connector.hooks[name].taps.length > 0) };
}
