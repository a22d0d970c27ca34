import { ConnectorError, type Endpoint } from '@mcp-connect/core';

const HOST_PORT = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+)):(\d{1,5})\/?$/i;

/**
 * Reads where a server listens. `address` is the same for `x-scheme://host:port` and for `host:port` with
 * `--transport x-scheme`; `url` is there in the first case only.
 *
 * @throws ConnectorError `MCPC_USAGE` where it names no host and port
 */
export function addressOf({ address, label }: Endpoint): { host: string; port: number } {
  const [, ipv6, name, digits] = HOST_PORT.exec(address) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new ConnectorError('MCPC_USAGE', `The endpoint ${label} is not a host and a port.`, {
    hint: 'Write it as x-scheme://host:port, an IPv6 address in brackets',
  });
}
