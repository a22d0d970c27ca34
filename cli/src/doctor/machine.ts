import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { reasonOf, type ConnectorError } from '@mcp-connect/core';
import type { Environment } from '../command-line/plain.js';
import { forwardProxyFor } from '../network/forward.js';
import type { Finding } from './finding.js';

/** The oldest Node.js that runs mcp-connect. */
const OLDEST_NODE = [20, 19] as const;

/** A proxy is only read when an address asks for it. */
const ANY_ADDRESSES = [new URL('https://example.com'), new URL('http://example.com')];

const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY'] as const;

/** Where sign-ins are kept, below the state folder. */
const SIGN_INS = 'oauth';

/** Looks at the version of Node.js, such as `v22.3.0`. */
export function nodeFinding(version: string, path: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const fits = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const text = `${version}, ${path}`;
  return fits
    ? { name: 'Node.js', status: 'ok', text }
    : { name: 'Node.js', status: 'failed', text, next: `Install Node.js ${OLDEST_NODE.join('.')} or newer` };
}

/** Looks at the variables that name proxies; what stands before an @ is left out. */
export function proxyFinding(env: Environment): Finding {
  const name = 'proxies';
  const set = PROXY_VARIABLES.flatMap((variable) => {
    const value = env[variable.toLowerCase()] ?? env[variable];
    return value ? [`${variable}=${value.replace(/[^/]*@/, '')}`] : [];
  });
  try {
    for (const url of ANY_ADDRESSES) forwardProxyFor(url, { proxy: undefined, noProxy: '', env });
    return { name, status: 'ok', text: set.join(', ') || 'none is set' };
  } catch (error) {
    const { message, hint } = error as ConnectorError;
    return { name, status: 'failed', text: message, ...(hint !== undefined && { next: hint }) };
  }
}

/** Looks at the authorities that servers' certificates are checked against. */
export function certificateFinding(env: Environment): Finding {
  const name = 'certificates';
  const builtIn = `${rootCertificates.length} authorities built in`;
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    const text = 'NODE_TLS_REJECT_UNAUTHORIZED=0: no certificate is checked';
    return { name, status: 'warning', text, next: 'unset NODE_TLS_REJECT_UNAUTHORIZED' };
  }
  const extra = env['NODE_EXTRA_CA_CERTS'];
  if (!extra) return { name, status: 'ok', text: builtIn };
  try {
    const found = readFileSync(extra, 'utf8').split('-----BEGIN CERTIFICATE-----').length - 1;
    if (found > 0) return { name, status: 'ok', text: `${builtIn}, ${found} more in ${extra}` };
    return unusable(`NODE_EXTRA_CA_CERTS: ${extra} holds no certificate`);
  } catch (error) {
    return unusable(`NODE_EXTRA_CA_CERTS: ${reasonOf(error)}`);
  }
  function unusable(text: string): Finding {
    return {
      name,
      status: 'warning',
      text,
      next: 'Name a PEM file in NODE_EXTRA_CA_CERTS, or with --ca FILE',
    };
  }
}

/** Looks at the folder for sign-ins and the like: it is made when first needed, and nobody else may read it. */
export function stateFinding(folder: string, platform: NodeJS.Platform): Finding {
  const name = 'state folder';
  const there = nearest(folder);
  const { mode } = statSync(there);
  const another = 'name another folder in MCP_CONNECT_STATE_DIR';
  if (!isFolder(there))
    return {
      name,
      status: 'failed',
      text: `${there} is no folder`,
      next: `Move ${there} away, or ${another}`,
    };
  const next = `chmod 700 "${folder}"`;
  const isMade = there === folder;
  try {
    accessSync(there, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return isMade
      ? { name, status: 'failed', text: `${folder} cannot be written`, next }
      : {
          name,
          status: 'failed',
          text: `${folder} cannot be made in ${there}`,
          next: `Let this user write there, or ${another}`,
        };
  }
  if (!isMade) return { name, status: 'ok', text: `${folder} (made when needed)` };
  const open = platform !== 'win32' && (mode & 0o077) !== 0;
  return open
    ? { name, status: 'warning', text: `${folder} can be read by others`, next }
    : { name, status: 'ok', text: folder };
}

/** Counts the sign-ins that are kept. */
export function signInFinding(stateFolder: string): Finding {
  const name = 'sign-ins';
  const folder = join(stateFolder, SIGN_INS);
  if (!isFolder(folder)) return { name, status: 'ok', text: 'none is kept' };
  try {
    const count = readdirSync(folder).filter((file) => file.endsWith('.json')).length;
    return { name, status: 'ok', text: count === 0 ? 'none is kept' : `${count} kept in ${folder}` };
  } catch (error) {
    const text = `${folder} cannot be read: ${reasonOf(error)}`;
    return { name, status: 'failed', text, next: `chmod 700 "${folder}"` };
  }
}

/** Returns what is there of a path: itself, or the nearest above it. */
function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path));
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/** From here on tokens may be taken for expired, or for not yet valid. In milliseconds. */
const CLOCK_TOLERANCE = 60_000;

/**
 * Compares our clock with a server's.
 *
 * @param ahead how far ours is ahead, in milliseconds; undefined when no server told its time
 */
export function clockFinding(ahead: number | undefined, now: Date): Finding {
  const name = 'clock';
  if (ahead === undefined)
    return { name, status: 'ok', text: `${now.toISOString()}, compared with no server` };
  const seconds = Math.round(Math.abs(ahead) / 1000);
  if (Math.abs(ahead) < CLOCK_TOLERANCE)
    return { name, status: 'ok', text: `within ${seconds + 1} s of the server's` };
  const text = `${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} the server's`;
  return { name, status: 'warning', text, next: 'Set the clock: tokens seem expired when it is wrong' };
}
