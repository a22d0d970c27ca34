import { ConnectorError, type Endpoint } from '@mcp-connect/core';

/** Where a socket connects to, in the words of `node:net`. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

const HOST_PORT = /^(?:\[(?<ipv6>[0-9a-f:.]+(?:%[^\]]+)?)\]|(?<name>[^\s:/?#@[\]]+)):(?<port>\d{1,5})\/?$/i;

/**
 * Reads the address of a `tcp`, `tls` or `unix` endpoint; an IPv6 address stands in brackets.
 *
 * @throws ConnectorError `MCPC_USAGE` when it has another form, or a port that cannot be
 */
export function addressOf(endpoint: Endpoint): Address {
  return endpoint.scheme === 'unix' ? pathOf(endpoint) : hostOf(endpoint);
}

function hostOf({ scheme, address, label }: Endpoint): Address {
  const { ipv6, name, port } = HOST_PORT.exec(address)?.groups ?? {};
  const host = ipv6 ?? name;
  if (host === undefined) {
    throw new ConnectorError('MCPC_USAGE', `The endpoint ${label} is not a host and a port.`, {
      hint: `Write it as ${scheme}://host:port, an IPv6 address in brackets, without user, path or query`,
    });
  }
  const number = Number(port);
  if (number >= 1 && number <= 65_535) return { host, port: number };
  throw new ConnectorError('MCPC_USAGE', `The endpoint ${label} has the port ${port}, which cannot be.`, {
    hint: `Write it as ${scheme}://${host}:port, with a port between 1 and 65535`,
  });
}

/** A socket file, or a named pipe of Windows such as `\\.\pipe\name`. */
function pathOf({ address, label, url }: Endpoint): Address {
  // `unix://run/x.sock` is most likely meant as /run/x.sock, but says so only to its author.
  if (url === undefined || address.startsWith('/')) return { path: address };
  throw new ConnectorError('MCPC_USAGE', `The endpoint ${label} names a host, but a unix socket has none.`, {
    hint: `Write it as unix:/${address}`,
  });
}
