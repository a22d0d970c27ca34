import {
  Connector,
  createLog,
  type Flags,
  type FlagValues,
  type Plugin,
  type TransportKind,
} from '@mcp-connect/core';

/**
 * Applies a plugin as a connector would and returns the transport that it brings for a scheme.
 *
 * @throws TypeError when it brings none
 */
export function transportOf<F extends Flags>(
  plugin: Plugin<F>,
  scheme: string,
  options: FlagValues<F>,
): TransportKind {
  const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
  const kinds = new Map<string, TransportKind>();
  plugin.apply(
    {
      hooks: connector.hooks,
      settings: connector.settings,
      log: connector.log,
      endpoints: [],
      endpoint: () => undefined,
      transport: (name, kind) => void kinds.set(name, kind),
      source: () => undefined,
    },
    options,
  );
  const kind = kinds.get(scheme);
  if (kind === undefined) throw new TypeError(`${plugin.name} brings no transport for ${scheme}.`);
  return kind;
}
