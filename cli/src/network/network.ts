import { ConnectorError, type Endpoint, type Log, type Settings } from '@mcp-connect/core';
import type { Environment } from '../command-line/plain.js';
import type { CommonValues } from '../flags/flags.js';
import { forwardProxyFor, secretsOf, type ForwardProxy } from './forward.js';
import { tlsOf, trustSystem } from './tls.js';

/** What the network settings depend on beside the flags. */
export interface NetworkOptions {
  readonly env: Environment;
  readonly log: Log;
  /** The endpoints that are known at start. */
  readonly endpoints: readonly Endpoint[];
}

/** The settings that say how connections are made. */
export type Network = Pick<Settings, 'tls' | 'family' | 'makeAgent'>;

/**
 * Turns the flags and the environment into the settings of everything that connects: certificates, kinds of
 * addresses, and the proxies of the user's network. What a proxy needs is loaded with the first connection by way of
 * one.
 *
 * @throws ConnectorError `MCPC_USAGE` when certificates do not fit, flags exclude each other, or an endpoint is to be
 *   reached by a proxy that we cannot use
 */
export async function networkOf(
  values: CommonValues,
  { env, log, endpoints }: NetworkOptions,
): Promise<Network> {
  const tls = await tlsOf(values);
  const family = familyOf(values);
  if (values.insecure) {
    log.warn?.(
      '--insecure: certificates are not checked, so anyone on the way can read and change everything, tokens included',
    );
  }
  const proxyFor = (url: URL): ForwardProxy | undefined => {
    const proxy = forwardProxyFor(url, { proxy: values.proxy, noProxy: values['no-proxy'], env });
    if (proxy !== undefined) log.hide(...secretsOf(proxy));
    return proxy;
  };
  for (const { url } of endpoints) if (url !== undefined && isWeb(url)) proxyFor(url);

  let trusted: Promise<void> | undefined;
  const trust = async (): Promise<void> => trustSystem((await import('node:tls')) as object, log);
  const trustOnce = (): Promise<void> | undefined =>
    tls.ca === undefined && !values.insecure ? (trusted ??= trust()) : undefined;
  if (endpoints.some(({ scheme }) => scheme === 'tls')) await trustOnce();

  return {
    tls,
    ...(family !== undefined && { family }),
    async makeAgent(url, options) {
      if (url.protocol === 'https:') await trustOnce();
      const proxy = proxyFor(url);
      if (proxy === undefined) return undefined;
      log.debug?.('%s is reached by way of the proxy %s', url.host, proxy.label);
      const { proxiedAgent } = await import('./proxied.js');
      return proxiedAgent(url, options, { proxy, tls, family, timeout: values.timeout * 1000 });
    },
  };
}

function familyOf({ ipv4, ipv6 }: CommonValues): Settings['family'] {
  if (ipv4 && ipv6) {
    throw new ConnectorError('MCPC_USAGE', 'Both --ipv4 and --ipv6 are given.', {
      hint: 'Leave both out to connect to either kind of address',
    });
  }
  if (ipv4) return 4;
  return ipv6 ? 6 : undefined;
}

function isWeb({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}
