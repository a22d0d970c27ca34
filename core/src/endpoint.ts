import { ConnectorError } from './errors.js';

/** Where a server is, as the user named it. The transport named by `scheme` knows how to read `address`. */
export interface Endpoint {
  /** The name under which a transport plugin registered: `http`, `stdio`, `tcp`, or a plugin's own. */
  readonly scheme: string;
  /** All that the scheme's transport needs: a URL, `host:port`, a path or a command line. */
  readonly address: string;
  /** The address as a URL, for schemes of the form `name://…`. */
  readonly url?: URL;
  /** The one IP address of the URL's host that is meant, where it has several. */
  readonly ip?: string;
  /** Program and arguments, where the user gave them as exact words after `--`. */
  readonly argv?: readonly string[];
  /** How messages name this endpoint: without user, password and query values. */
  readonly label: string;
  /** Parts of the endpoint that must never be printed. */
  readonly secrets: readonly string[];
  /** Where it was named, for messages about mistakes: a flag with its dashes. */
  readonly source?: string;
}

const URL_FORM = /^([a-z][a-z0-9+.-]*):\/\/(.+)$/is;
const PREFIX_FORM = /^(stdio|unix):(.+)$/is;
/** A web address without its scheme. */
const HOST_PATH_FORM = /^[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?\/\S*$/i;
/** A named pipe of Windows, which stands there for what is a unix socket elsewhere. */
const PIPE_FORM = /^[\\/]{2}[.?][\\/]pipe[\\/]./i;
/** What is no address with a host, since a slash or all behind it is missing. */
const UNFINISHED_FORM = /^([a-z]+):(\/{0,2}$|\/(?!\/))/;
const LACKING: Readonly<Record<string, { readonly what: string; readonly hint: string }>> = {
  http: { what: 'host', hint: 'Write http://host/path, with two slashes before the host' },
  https: { what: 'host', hint: 'Write https://host/path, with two slashes before the host' },
  tcp: { what: 'host', hint: 'Write tcp://host:port, with two slashes before the host' },
  tls: { what: 'host', hint: 'Write tls://host:port, with two slashes before the host' },
  unix: { what: 'path', hint: 'Write it behind the colon, for example unix:/run/mcp.sock' },
  stdio: { what: 'command', hint: 'Write it behind the colon, for example "stdio:python server.py"' },
};
/** Transports that need no plugin of others. */
const BUILT_IN = new Set(['http', 'sse', 'stdio', 'tcp', 'tls', 'unix']);
const SCHEME_FORM = /^([a-z][a-z0-9+.-]+):\S/i;
const HOST_PORT_FORM = /^(\[[0-9a-f:.]+\]|[^\s:/]+):\d+$/i;

/**
 * Reads an endpoint: `http(s)://…`, `tcp://host:port`, `tls://host:port`, `unix:/path`, a named pipe of Windows
 * (`\\\\.\\pipe\\name`), `stdio:command args`, any `scheme://…` of a plugin, or a bare `host:port`, path or command line whose transport is named separately.
 *
 * @param transport the value of `--transport`, where given; for a URL it must suit the scheme
 * @throws ConnectorError `MCPC_USAGE` when the text fits none of the forms
 */
export function parseEndpoint(text: string, transport?: string): Endpoint {
  const trimmed = text.trim();
  if (trimmed === '') {
    throw new ConnectorError('MCPC_USAGE', 'The endpoint is empty.', {
      hint: 'Give one, for example --endpoint https://example.com/mcp',
    });
  }
  const prefixed = PREFIX_FORM.exec(trimmed);
  if (prefixed && !URL_FORM.test(trimmed))
    return plain(agree(prefixed[1]!.toLowerCase(), transport, text), prefixed[2]!);
  if (PIPE_FORM.test(trimmed) && transport !== 'stdio')
    return plain(agree('unix', transport, text), trimmed.replaceAll('/', '\\'));
  const url = URL_FORM.exec(trimmed);
  if (url && transport !== 'stdio') return fromUrl(trimmed, url[1]!.toLowerCase(), transport);
  if (transport !== undefined && transport !== 'http' && transport !== 'sse')
    return plain(transport, trimmed);
  throwUnfinished(trimmed);
  // Behind the first word may come arguments with secrets in them.
  const shown = withoutSecrets(trimmed.split(/\s/, 1)[0]!);
  throw new ConnectorError('MCPC_USAGE', `The endpoint "${shown}" names no transport.`, {
    hint: advice(trimmed),
  });
}

/** An endpoint that begins like one and lacks the rest is told by what it lacks. */
function throwUnfinished(text: string): void {
  const [, scheme = '', rest = ''] = UNFINISHED_FORM.exec(text.toLowerCase()) ?? [];
  const lacking = Object.hasOwn(LACKING, scheme) ? LACKING[scheme] : undefined;
  if (lacking === undefined || (rest !== '' && lacking.what !== 'host')) return;
  throw new ConnectorError('MCPC_USAGE', `The endpoint ${scheme}: names no ${lacking.what}.`, {
    hint: lacking.hint,
  });
}

function advice(text: string): string {
  if (HOST_PORT_FORM.test(text)) {
    return `Write tcp://${text} or add --transport tcp; for a web address write http://${text}/mcp`;
  }
  if (HOST_PATH_FORM.test(text)) {
    return `Write https://${withoutSecrets(text)}, or add --transport stdio if it is a command line`;
  }
  const usual = 'Write https://… for a remote server, or add --transport stdio if it is a command line';
  const scheme = SCHEME_FORM.exec(text)?.[1];
  return scheme === undefined
    ? usual
    : `${usual}; for the transport ${scheme} of a plugin write ${scheme}://…`;
}

/** Tells whether an endpoint names its own transport, so that none need be given beside it. */
export function namesTransport(text: string): boolean {
  const trimmed = text.trim();
  return [URL_FORM, PREFIX_FORM, PIPE_FORM].some((form) => form.test(trimmed));
}

/** Makes the endpoint of a local program from its exact words. */
export function commandEndpoint(argv: readonly string[]): Endpoint {
  return { scheme: 'stdio', address: argv.join(' '), argv, label: `stdio:${argv[0] ?? ''}`, secrets: [] };
}

function plain(scheme: string, address: string): Endpoint {
  // Arguments of a command may hold secrets, so only the program is named.
  const label = scheme === 'stdio' ? `stdio:${address.trim().split(/\s+/)[0]}` : `${scheme}:${address}`;
  return { scheme, address, label, secrets: [] };
}

function fromUrl(text: string, prefix: string, transport: string | undefined): Endpoint {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `The endpoint is not a valid URL: ${withoutSecrets(text)}`, {
      cause,
      hint: 'Write it as https://host/path or tcp://host:port, with a port between 1 and 65535',
    });
  }
  const own = prefix === 'https' ? 'http' : prefix;
  if (own === 'http' && /\s/.test(text)) {
    // A URL would take blanks for a part of the path; what was meant is two endpoints, or flags in the same quotes.
    throw new ConnectorError(
      'MCPC_USAGE',
      `More stands behind the endpoint ${labelOf(new URL(text.split(/\s/, 1)[0]!))}.`,
      {
        hint: 'Write flags as words of their own, a comma between several endpoints, and %20 for a blank in an address',
      },
    );
  }
  const scheme = own === 'http' && transport === 'sse' ? 'sse' : agree(own, transport, text);
  return {
    scheme,
    address: text.slice(prefix.length + 3),
    url,
    label: labelOf(url),
    secrets: secretsOf(url),
  };
}

function agree(own: string, transport: string | undefined, text: string): string {
  if (transport === undefined || transport === own) return own;
  throw new ConnectorError(
    'MCPC_USAGE',
    `The endpoint ${withoutSecrets(text)} is ${own}, but the transport is ${transport}.`,
    { hint: adviceOnTransport(own, transport) },
  );
}

function adviceOnTransport(own: string, transport: string): string {
  const lower = transport.toLowerCase();
  if (lower === own) return `Write --transport ${own}, or leave it out`;
  const usual = `Leave out --transport ${transport}, or give an endpoint that is ${transport}`;
  return BUILT_IN.has(lower)
    ? usual
    : `${usual}; it is none of ${[...BUILT_IN].join(', ')}, and a plugin that brings it is loaded with --plugin NAME`;
}

function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//').replace(/[?#].*$/s, '');
}

function labelOf(url: URL): string {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  bare.search = '';
  bare.hash = '';
  return bare.href;
}

function secretsOf(url: URL): string[] {
  const query = url.search.slice(1).split('&');
  const written = query.map((pair) => pair.slice(pair.indexOf('=') + 1));
  const parts = [url.username, url.password, ...written].flatMap((part) => [part, safeDecode(part)]);
  return [...new Set([...parts, ...url.searchParams.values()])].filter((part) => part !== '');
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
