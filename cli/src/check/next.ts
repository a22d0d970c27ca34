import { parseEndpoint, tlsFaultOf, type Endpoint, type TlsFault } from '@mcp-connect/core';
import type { Failure } from './failure.js';
import { addressed, isForLogin, type TypedLine } from './typed.js';

/** What the advice depends on. */
export interface NextQuestion {
  readonly endpoint: Endpoint;
  readonly failure: Failure;
  /** Whether the server offers a sign-in with OAuth. */
  readonly oauth?: boolean;
  /** The value of `--timeout`, in seconds. */
  readonly timeout: number;
  /** What was typed: without its flags the next command is another one, and fails elsewhere. */
  readonly line: TypedLine;
  /** Whether the server speaks TLS where the endpoint asks for none. */
  readonly speaksTls?: boolean;
  /** Where the server redirects to, on another origin. */
  readonly redirect?: URL | undefined;
  /** Flags that mend the call of a tool. */
  readonly call?: readonly string[] | undefined;
}

/** Where most servers are served, when the address leads elsewhere. */
const USUAL_PATH = '/mcp';

const PATIENCE = 3;

/** Failures that a sign-in may mend. */
const SIGN_IN = new Set<Failure['code']>(['MCPC_UNAUTHORIZED', 'MCPC_SIGN_IN']);

/** What mends a failure of TLS, or goes on without looking where only the server can. */
const MENDING: Readonly<Record<Exclude<TlsFault, 'no-tls'>, readonly string[]>> = {
  untrusted: ['--ca FILE'],
  'wrong-name': ['--servername HOST'],
  invalid: ['--insecure'],
  unwelcome: ['--cert FILE', '--key FILE'],
};

/** Flags that mean nothing without TLS. */
const OF_TLS = new Set(['--ca', '--cert', '--key', '--servername', '--insecure']);

/** Names the command to type next: the same check, with what was missing. */
export function nextCommand({
  endpoint,
  failure,
  timeout,
  line,
  oauth = false,
  speaksTls = false,
  redirect,
  call,
}: NextQuestion): string {
  const again = (...more: readonly string[]): string => {
    const kept = line.flags.filter((flag) => !more.some((other) => nameOf(other) === nameOf(flag)));
    // What stands behind -- is the program's.
    return ['mcp-connect test', ...line.endpoint, ...kept, ...more, ...line.tail].join(' ');
  };
  const at = (address: string, flags = line.flags): string => {
    // The address says how it is reached.
    const kept = flags.filter((flag) => nameOf(flag) !== '--transport');
    return ['mcp-connect test', ...addressed(parseEndpoint(address)), ...kept].join(' ');
  };
  const { code, cause, attempts = 1 } = failure;
  const { url } = endpoint;
  const fault = cause === undefined ? undefined : tlsFaultOf(cause);
  if (speaksTls && url !== undefined) return at(url.href.replace(/^(http|tcp):/, withTls));
  if (fault === 'no-tls' && url !== undefined)
    return at(
      url.href.replace(/^(http|tl)s:/, withoutTls),
      line.flags.filter((flag) => !OF_TLS.has(nameOf(flag))),
    );
  if (fault !== undefined && fault !== 'no-tls') return again(...MENDING[fault]);
  if (call !== undefined) return again(...call);
  if (SIGN_IN.has(code) && oauth)
    return ['mcp-connect login', ...line.endpoint, ...line.flags.filter(isForSignIn)].join(' ');
  if (SIGN_IN.has(code)) return again('--auth-token TOKEN');
  // What failed before the time was up needs no more time.
  if (code === 'MCPC_TIMEOUT' && attempts === 1) return again(`--timeout ${timeout * PATIENCE}`);
  if (code === 'MCPC_HTTP_STATUS' && redirect !== undefined) return at(redirect.href);
  // Where HTTP with SSE is refused, the server may be of a newer revision.
  if (code === 'MCPC_HTTP_STATUS' && endpoint.scheme === 'sse' && url !== undefined) return at(url.href);
  if (code === 'MCPC_HTTP_STATUS' && url !== undefined && url.pathname !== USUAL_PATH)
    return at(new URL(USUAL_PATH, url.origin).href);
  return code === 'MCPC_CONNECT' ? again() : again('--debug');
}

/** A token that was refused would keep `login` from asking for another. */
function isForSignIn(flag: string): boolean {
  const name = nameOf(flag);
  return name !== '--auth-token' && isForLogin(name.slice('--'.length));
}

function nameOf(flag: string): string {
  return /^[^\s=]+/.exec(flag)![0];
}

function withTls(_: string, scheme: string): string {
  return scheme === 'http' ? 'https:' : 'tls:';
}

function withoutTls(_: string, start: string): string {
  return start === 'http' ? 'http:' : 'tcp:';
}
