import {
  ConnectorError,
  parseEndpoint,
  reasonOf,
  type Endpoint,
  type EndpointSource,
  type Log,
} from '@mcp-connect/core';

/** What the endpoints behind names are followed with. */
export interface NamesOptions {
  /** Where to ask instead of the system's own servers, as `host` or `host:port`. */
  readonly server: string | undefined;
  readonly log: Log;
}

/** One address and how long it holds, in seconds. */
interface Found {
  readonly endpoint: Endpoint;
  readonly ttl: number;
}

interface Resolver {
  resolve4(name: string, options: { ttl: true }): Promise<{ address: string; ttl: number }[]>;
  resolve6(name: string, options: { ttl: true }): Promise<{ address: string; ttl: number }[]>;
  resolveSrv(name: string): Promise<{ name: string; port: number; priority: number }[]>;
}

/** Names are asked for again when their addresses expire, but no more and no less often than this, in seconds. */
const SHORTEST_TTL = 1;
const LONGEST_TTL = 30;

/**
 * Follows names in the DNS: each address behind `dns+http://name:port/path`, and each server behind
 * `srv+http://_service._proto.name/path`, is an endpoint of its own.
 */
export function namesSource({ server, log }: NamesOptions): EndpointSource {
  return {
    begin: (endpoint) => [plainEndpoint(endpoint)],
    follow(endpoint, onchange) {
      let timer: NodeJS.Timeout | undefined;
      let stopped = false;
      let known = '';
      const look = async (resolver: Resolver): Promise<void> => {
        let wait = LONGEST_TTL;
        try {
          const found = await lookUp(endpoint, resolver);
          if (stopped) return;
          wait = Math.min(LONGEST_TTL, ...found.map(({ ttl }) => Math.max(ttl, SHORTEST_TTL)));
          const endpoints = found.map((each) => each.endpoint).sort((a, b) => (a.label < b.label ? -1 : 1));
          const now = endpoints.map(({ label }) => label).join('\n');
          if (endpoints.length > 0 && now !== known) onchange(endpoints);
          if (endpoints.length > 0) known = now;
        } catch (error) {
          // What was known goes on to hold: a name server that is down is no reason to lose the servers.
          log.warn?.('the addresses of %s are not known: %s', endpoint.label, reasonOf(error));
          wait = SHORTEST_TTL;
        }
        if (!stopped) timer = setTimeout(() => void look(resolver), wait * 1000).unref();
      };
      void makeResolver(server).then(look);
      return () => {
        stopped = true;
        clearTimeout(timer);
      };
    },
  };
}

async function makeResolver(server: string | undefined): Promise<Resolver> {
  const { Resolver: Promised } = await import('node:dns/promises');
  const resolver = new Promised();
  if (server !== undefined) resolver.setServers([server]);
  return resolver;
}

/** The endpoint as it is without `dns+` or `srv+`: the system looks its name up then. */
function plainEndpoint({ scheme, address, label }: Endpoint): Endpoint {
  const [kind, plain] = scheme.split('+') as [string, string];
  const endpoint = parseEndpoint(`${plain}://${address}`);
  if (kind !== 'srv' || (endpoint.url!.port === '' && endpoint.url!.hostname.startsWith('_')))
    return endpoint;
  throw new ConnectorError('MCPC_USAGE', `The endpoint ${label} names no service.`, {
    hint: `Write it as srv+${plain}://_service._tcp.example.com/path; the port comes from the DNS`,
  });
}

async function lookUp(endpoint: Endpoint, resolver: Resolver): Promise<Found[]> {
  const plain = plainEndpoint(endpoint);
  const { hostname } = plain.url!;
  if (endpoint.scheme.startsWith('dns+')) return addresses(plain, hostname, resolver);
  const servers = await resolver.resolveSrv(hostname);
  // Servers of a higher number stand in for those of the lowest (RFC 2782).
  const first = Math.min(...servers.map(({ priority }) => priority));
  const found = await Promise.all(
    servers
      .filter(({ priority }) => priority === first)
      .map(({ name, port }) => {
        const url = new URL(plain.url!);
        url.host = `${name}:${port}`;
        return addresses(parseEndpoint(url.href), name, resolver);
      }),
  );
  return found.flat();
}

async function addresses(endpoint: Endpoint, name: string, resolver: Resolver): Promise<Found[]> {
  const answers = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }),
    resolver.resolve6(name, { ttl: true }),
  ]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (found.length === 0 && answers[0].status === 'rejected') throw answers[0].reason;
  return found.map(({ address, ttl }) => ({
    endpoint: { ...endpoint, ip: address, label: `${endpoint.label} at ${address}` },
    ttl,
  }));
}
