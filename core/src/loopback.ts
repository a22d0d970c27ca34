const IPV4 = String.raw`127(?:\.\d{1,3}){3}`;
const IPV6 = String.raw`::1|::ffff:(?:${IPV4}|7f[0-9a-f]{2}:[0-9a-f]{1,4})`;
const LOOPBACK = new RegExp(String.raw`^(?:${IPV4}|${IPV6}|\[(?:${IPV6})\]|(?:.+\.)?localhost\.?)$`, 'i');

/**
 * Tells whether a host is this machine alone: an IP address (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3), also in
 * the brackets of a URL, or a name that resolves to none other (RFC 6761 section 6.3).
 */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}
