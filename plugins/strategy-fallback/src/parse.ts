import { ConnectorError, parseEndpoint, reasonOf, type Endpoint, type Log } from '@mcp-connect/core';

/** Transports that may be named alone: everything else about the endpoint is then the primary one's. */
const BARE = ['http', 'sse', 'stdio', 'tcp', 'tls'] as const;

type BareName = (typeof BARE)[number];

/** A comma parts two fallbacks only before a bare name, or before a name and a colon: `tcp://…`, `stdio:…`. */
const BETWEEN = new RegExp(`,(?=\\s*(?:(?:${BARE.join('|')})\\s*(?:,|$)|[a-z][a-z0-9+.-]+:))`, 'i');

const HOST_PORT = /^(?:\[[0-9a-f:.%]+\]|[^\s:/?#@]+):\d+$/i;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** What fallbacks are read with. */
export interface FallbackOptions {
  /** The endpoint that the fallbacks stand in for. */
  readonly primary: Endpoint | undefined;
  /** The value of `--fallback-command`. */
  readonly command: string | undefined;
  readonly log: Log;
}

/**
 * Reads the value of `--fallbacks`. A bare name for which something is missing is left out with a warning: what it
 * needs depends on the primary endpoint, and a configuration is often shared by several.
 *
 * @throws ConnectorError `MCPC_USAGE` when one is neither a bare name nor an endpoint
 */
export function readFallbacks(text: string, options: FallbackOptions): Endpoint[] {
  const texts = text.split(BETWEEN).map((part) => part.trim());
  return texts.flatMap((part) => {
    const endpoint = readFallback(part, options);
    return endpoint === undefined ? [] : [{ ...endpoint, source: '--fallbacks' }];
  });
}

function readFallback(text: string, options: FallbackOptions): Endpoint | undefined {
  const name = BARE.find((bare) => bare === text.toLowerCase());
  if (name !== undefined) return fromName(name, options);
  try {
    return parseEndpoint(text);
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `--fallbacks: ${reasonOf(cause)}`, {
      cause,
      hint: `Name endpoints such as tcp://host:9090 or "stdio:command args", or some of ${BARE.join(', ')}`,
    });
  }
}

function fromName(name: BareName, { primary, command, log }: FallbackOptions): Endpoint | undefined {
  const skip = (reason: string): undefined => {
    log.warn?.('the fallback %s is left out: %s', name, reason);
  };
  if (name === 'stdio') {
    if (command !== undefined) return parseEndpoint(command, 'stdio');
    return skip('name its program with --fallback-command');
  }
  if (primary?.scheme === name) return skip('it is the transport of the endpoint itself');
  if (name === 'http' || name === 'sse') {
    const { url } = primary ?? {};
    if (url !== undefined && url.protocol in DEFAULT_PORTS) return parseEndpoint(url.href, name);
    return skip('the endpoint is no web address; write it in full as https://host/path');
  }
  const place = primary === undefined ? undefined : hostAndPort(primary);
  if (place !== undefined) return parseEndpoint(`${name}://${place}`);
  return skip(`the endpoint has no host and port; write it in full as ${name}://host:port`);
}

function hostAndPort({ url, address }: Endpoint): string | undefined {
  if (url === undefined) return HOST_PORT.test(address) ? address : undefined;
  const port = url.port || DEFAULT_PORTS[url.protocol];
  return url.hostname === '' || port === undefined ? undefined : `${url.hostname}:${port}`;
}
