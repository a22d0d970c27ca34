import type { IncomingHttpHeaders } from 'node:http';

const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Tells whether a request names a host of this machine, and comes from a page of it where it comes from one. */
export function isLocal({ host, origin }: IncomingHttpHeaders): boolean {
  return [`http://${host}`, ...(origin === undefined ? [] : [origin])].every(
    (url) => URL.canParse(url) && LOCAL.has(new URL(url).hostname),
  );
}
