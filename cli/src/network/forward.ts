import { BlockList, isIP } from 'node:net';
import { ConnectorError, isLoopback } from '@mcp-connect/core';
import type { Environment } from '../command-line/plain.js';

/** A forward proxy: what stands between a company's network and the web (RFC 9110 section 3.7). */
export interface ForwardProxy {
  readonly url: URL;
  /** How messages name it: without user and password. */
  readonly label: string;
  /** Where it was named: a flag, or an environment variable. */
  readonly source: string;
}

/** What decides by which proxy an address is reached. */
export interface ForwardRules {
  /** The value of `--proxy`: for every address, those of this machine included. */
  readonly proxy: string | undefined;
  /** The value of `--no-proxy`. */
  readonly noProxy: string | undefined;
  readonly env: Environment;
}

const SCHEMES = new Set(['http:', 'https:', 'socks:', 'socks4:', 'socks4a:', 'socks5:', 'socks5h:']);
const FORM = 'Write it as http://host:port, https://host:port or socks5://host:port';

/**
 * Finds the proxy by which an address is reached, if any: `--proxy`, or `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` in
 * small letters or capitals, unless `--no-proxy` or `NO_PROXY` names its host. The variables do not hold for addresses
 * of this machine.
 *
 * @throws ConnectorError `MCPC_USAGE` when the proxy is none that we can use, naming where it was given
 */
export function forwardProxyFor(url: URL, { proxy, noProxy, env }: ForwardRules): ForwardProxy | undefined {
  const exempt = noProxy ?? env['no_proxy'] ?? env['NO_PROXY'] ?? '';
  if (isExempt(url, exempt)) return undefined;
  if (proxy !== undefined) return readProxy(proxy, '--proxy');
  if (isLoopback(url.hostname)) return undefined;
  const scheme = url.protocol.slice(0, -1);
  for (const name of [`${scheme}_proxy`, 'all_proxy']) {
    const source = env[name] === undefined ? name.toUpperCase() : name;
    const text = env[source];
    if (text) return readProxy(text, source);
  }
  return undefined;
}

/** The parts of a proxy's address that must never be printed. */
export function secretsOf({ url }: ForwardProxy): string[] {
  return [url.username, url.password].flatMap((part) => [part, decodeURIComponent(part)]);
}

function readProxy(text: string, source: string): ForwardProxy {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text.trim()) ? text.trim() : `http://${text.trim()}`;
  const unusable = (what: string, hint = FORM): ConnectorError =>
    new ConnectorError('MCPC_USAGE', `The proxy of ${source} ${what}.`, { hint });
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.hostname === '') throw unusable('is no valid address');
  if (!SCHEMES.has(url.protocol)) throw unusable(`is ${url.protocol}//, which is none that we can use`);
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    throw unusable('has a bare percent sign in its user or password', 'Write %25 for a percent sign there');
  }
  return { url, label: `${url.protocol}//${url.host}`, source };
}

/** Whether a list such as that of `NO_PROXY` names the host of an address. */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname.replace(/^\[|\]$|\.$/g, '').toLowerCase();
  const usual = protocol === 'https:' ? '443' : '80';
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => matches(entry.toLowerCase(), host, port || usual));
}

const ENTRY = /^(?:\[(?<ipv6>.+)\]|(?<name>[^:]+))(?::(?<port>\d+))?$/;

/** An entry is `*`, a name that covers what is below it, an IP address or a block of them; a port may follow. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const parts = isIP(entry) === 6 ? undefined : ENTRY.exec(entry)?.groups;
  const name = parts?.['ipv6'] ?? parts?.['name'] ?? entry;
  if (parts?.['port'] !== undefined && parts['port'] !== port) return false;
  if (isIP(host) !== 0) return holds(name, host);
  const suffix = name.replace(/^\*?\.?/, '');
  return suffix !== '' && (host === suffix || host.endsWith(`.${suffix}`));
}

function holds(block: string, ip: string): boolean {
  const [address = '', bits] = block.split('/', 2);
  const version = isIP(address);
  if (version === 0 || version !== isIP(ip)) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const length = bits === undefined ? (version === 4 ? 32 : 128) : Number(bits);
  if (!Number.isInteger(length) || length < 0 || length > (version === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(address, length, family);
  return list.check(ip, family);
}
