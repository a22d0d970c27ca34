import { parseEndpoint, tlsFaultOf, type Endpoint, type TlsFault } from '@mcp-connect/core';
import type { Failure } from './failure.js';

/** What the advice depends on. */
export interface NextQuestion {
  readonly endpoint: Endpoint;
  readonly failure: Failure;
  /** Whether the server offers a sign-in with OAuth. */
  readonly oauth?: boolean;
  /** The value of `--timeout`, in seconds. */
  readonly timeout: number;
  /** Flags about TLS that were given, with their values: without them the next command fails elsewhere. */
  readonly tls?: readonly string[];
  /** Whether the server speaks TLS where the endpoint asks for none. */
  readonly speaksTls?: boolean;
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

/** Names the command to type next: the same check, with what was missing. */
export function nextCommand({
  endpoint,
  failure,
  timeout,
  oauth = false,
  tls = [],
  speaksTls = false,
  call,
}: NextQuestion): string {
  const test = (to: Endpoint, ...more: readonly string[]): string => {
    // What stands behind -- is the program's.
    const words = to.argv === undefined ? [...addressed(to), ...more] : [...more, ...addressed(to)];
    return ['mcp-connect test', ...words].join(' ');
  };
  const again = (...more: readonly string[]): string => {
    const kept = tls.filter((flag) => !more.some((other) => nameOf(other) === nameOf(flag)));
    return test(endpoint, ...kept, ...more);
  };
  const { code, cause, attempts = 1 } = failure;
  const { url } = endpoint;
  const fault = cause === undefined ? undefined : tlsFaultOf(cause);
  if (speaksTls && url !== undefined)
    return test(parseEndpoint(url.href.replace(/^(http|tcp):/, withTls)), ...tls);
  if (fault === 'no-tls' && url !== undefined)
    return test(parseEndpoint(url.href.replace(/^(http|tl)s:/, withoutTls)));
  if (fault !== undefined && fault !== 'no-tls') return again(...MENDING[fault]);
  if (call !== undefined) return again(...call);
  if (SIGN_IN.has(code) && oauth)
    return ['mcp-connect login --endpoint', quoted(endpoint.label), ...tls].join(' ');
  if (SIGN_IN.has(code)) return again('--auth-token TOKEN');
  // What failed before the time was up needs no more time.
  if (code === 'MCPC_TIMEOUT' && attempts === 1) return again('--timeout', String(timeout * PATIENCE));
  // Where HTTP with SSE is refused, the server may be of a newer revision.
  if (code === 'MCPC_HTTP_STATUS' && endpoint.scheme === 'sse' && url !== undefined)
    return test(parseEndpoint(url.href), ...tls);
  if (code === 'MCPC_HTTP_STATUS' && url !== undefined && url.pathname !== USUAL_PATH)
    return test(parseEndpoint(new URL(USUAL_PATH, url.origin).href), ...tls);
  return code === 'MCPC_CONNECT' ? again() : again('--debug');
}

function nameOf(flag: string): string {
  return flag.split(' ', 1)[0]!;
}

function withTls(_: string, scheme: string): string {
  return scheme === 'http' ? 'https:' : 'tls:';
}

function withoutTls(_: string, start: string): string {
  return start === 'http' ? 'http:' : 'tcp:';
}

/** A command may hold secrets in its arguments, so only its program is named. */
function addressed({ scheme, label, argv }: Endpoint): string[] {
  if (scheme === 'stdio') {
    const program = label.slice('stdio:'.length);
    return argv === undefined ? [`--endpoint "${program} …"`, '--transport stdio'] : [`-- ${program} …`];
  }
  const isUrl = label.includes('://');
  if (isUrl && scheme === 'sse') return ['--endpoint', quoted(label), '--transport sse'];
  return isUrl || scheme === 'unix'
    ? ['--endpoint', quoted(label)]
    : ['--endpoint', quoted(label.slice(scheme.length + 1)), '--transport', scheme];
}

function quoted(text: string): string {
  return `"${text}"`;
}
