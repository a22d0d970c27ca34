import type { Agent, ClientRequest } from 'node:http';
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/** How far an address reaches: this machine, networks of its owner, one cable, or everybody. */
export type Reach = 'loopback' | 'private' | 'link-local' | 'public';

const RANGES: readonly (readonly [Reach, readonly string[]])[] = [
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  [
    'private',
    [
      '0.0.0.0/8',
      '10.0.0.0/8',
      '100.64.0.0/10',
      '172.16.0.0/12',
      '192.0.0.0/24',
      '192.168.0.0/16',
      '198.18.0.0/15',
      '224.0.0.0/3',
      '::/128',
      '64:ff9b:1::/48',
      'fc00::/7',
      'fec0::/10',
      'ff00::/8',
    ],
  ],
];

const LISTS: readonly (readonly [Reach, BlockList])[] = RANGES.map(([reach, ranges]) => [
  reach,
  blockList(ranges),
]);

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net, bits] = range.split('/') as [string, string];
    list.addSubnet(net, Number(bits), net.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Tells how far an IP address reaches; IPv4 addresses inside IPv6 ones count as what they are. */
export function reachOf(address: string): Reach {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return LISTS.find(([, list]) => list.check(address, family))?.[0] ?? 'public';
}

/** Tells whether the host of a URL is this machine by its name or number alone, whatever a name server says. */
export function isLoopback({ hostname }: URL): boolean {
  const host = bareHost(hostname);
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return isIP(host) !== 0 && reachOf(host) === 'loopback';
}

/** Removes the brackets that URLs put around IPv6 addresses. */
export function bareHost(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/** Where requests to authorization servers may go, by how far the MCP server itself reaches. */
export interface Limits {
  allows(reach: Reach): boolean;
}

/**
 * Finds how far the MCP server reaches and limits authorization servers accordingly: a public server has no business
 * naming addresses inside the user's network (2026-07-28 security best practices, SSRF).
 */
export async function limitsFor(endpoint: URL): Promise<Limits> {
  const host = bareHost(endpoint.hostname);
  if (isLoopback(endpoint)) return { allows: (reach) => reach !== 'link-local' };
  const addresses = isIP(host) === 0 ? await addressesOf(host) : [host];
  const own = new Set(addresses.map(reachOf));
  // A name that cannot be looked up, as behind a proxy, is not known to be private.
  if (own.size === 0 || own.has('public')) return { allows: (reach) => reach === 'public' };
  return { allows: (reach) => reach !== 'link-local' || own.has('link-local') };
}

function addressesOf(host: string): Promise<string[]> {
  return new Promise((resolve) => {
    systemLookup(host, { all: true }, (error, found) =>
      resolve(error === null ? found.map(({ address }) => address) : []),
    );
  });
}

/** The `code` of {@link OutOfBounds}, which libraries keep when they wrap errors. */
export const OUT_OF_BOUNDS = 'ERR_OUT_OF_BOUNDS';

/** Tells that a name led to an address that is out of bounds. */
class OutOfBounds extends Error {
  readonly code = OUT_OF_BOUNDS;

  constructor(host: string, address: string) {
    super(`${host} is ${address}, an address inside the network of this machine`);
  }
}

/**
 * Wraps an agent so that the addresses that names lead to are checked as they are connected to, and not once before.
 * Libraries that copy their settings leave it as it is: it says that it is immutable.
 */
export function guardedAgent(agent: Agent, limits: Limits | undefined): Agent {
  const inner = agent as Agent & {
    addRequest(request: ClientRequest, options: object): void;
    protocol?: string;
    defaultPort?: number;
  };
  const guard = {
    protocol: inner.protocol,
    defaultPort: inner.defaultPort,
    maxSockets: Infinity,
    addRequest(request: ClientRequest, options: object): void {
      inner.addRequest(
        request,
        limits === undefined ? options : { ...options, lookup: guardedLookup(limits) },
      );
    },
  };
  return Object.setPrototypeOf(guard, { isImmutable: true }) as Agent;
}

type Found = (error: Error | null, address?: string | LookupAddress[], family?: number) => void;

function guardedLookup({ allows }: Limits) {
  return (host: string, options: LookupOptions, done: Found): void => {
    systemLookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error);
      const outside = found.find(({ address }) => !allows(reachOf(address)));
      if (outside !== undefined) return done(new OutOfBounds(host, outside.address));
      if (options.all === true) return done(null, found);
      done(null, found[0]!.address, found[0]!.family);
    });
  };
}
