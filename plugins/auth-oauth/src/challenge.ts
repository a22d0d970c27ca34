/** One challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1). */
export interface AuthChallenge {
  /** In lower case, such as `bearer`. */
  readonly scheme: string;
  /** Parameters by lower-case name, without quotes. */
  readonly params: Readonly<Record<string, string>>;
}

/** What an MCP server asks for when it refuses a message. */
export interface Asked {
  /** Where the metadata of the protected resource is (RFC 9728 section 5.1). */
  readonly resourceMetadata?: string;
  /** The scopes that would do (RFC 6750 section 3). */
  readonly scopes?: readonly string[];
  /** The error code, such as `invalid_token` or `insufficient_scope`. */
  readonly error?: string;
}

const TOKEN = /[\w!#$%&'*+.^`|~-]+/y;
const PARAM = /([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"=][^\s,"]*))(?=[\s,]|$)/y;
const TOKEN68 = /[\w.~+/-]+=*(?=\s*(?:,|$))/y;
const SEPARATORS = /[\s,]*/y;

/**
 * Takes a `WWW-Authenticate` header apart: several challenges in any order, quoted strings, and the forms that servers
 * in the field send, such as parameters without commas between them or addresses without quotes. What cannot be read
 * ends the reading.
 */
export function parseChallenges(header: string): AuthChallenge[] {
  const found: { scheme: string; params: Record<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(SEPARATORS);
    const current = found.at(-1);
    const param = current === undefined ? null : take(PARAM);
    if (param !== null) {
      const [, name, quoted, bare] = param;
      current!.params[name!.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? bare!;
      continue;
    }
    const scheme = take(TOKEN);
    if (scheme === null) return found;
    found.push({ scheme: scheme[0].toLowerCase(), params: {} });
    if (!/\s/.test(header[at] ?? ',')) continue;
    take(SEPARATORS);
    // A value that belongs to a scheme of another kind, such as Negotiate; a single word may be the next scheme.
    const before = at;
    PARAM.lastIndex = at;
    if (!PARAM.test(header) && take(TOKEN68)?.[0].includes('=') !== true) at = before;
  }
}

/** Picks from a `WWW-Authenticate` header what concerns bearer and DPoP tokens; undefined for a header without. */
export function readChallenge(header: string | undefined): Asked {
  const ours = parseChallenges(header ?? '').filter(({ scheme }) => scheme === 'bearer' || scheme === 'dpop');
  const first = (name: string): string | undefined =>
    ours.map(({ params }) => params[name]).find((value) => value !== undefined && value !== '');
  const resourceMetadata = first('resource_metadata');
  const scopes = first('scope');
  const error = first('error');
  return {
    ...(resourceMetadata !== undefined && { resourceMetadata }),
    ...(scopes !== undefined && { scopes: scopesOf(scopes) }),
    ...(error !== undefined && { error }),
  };
}

/** Splits a list of scopes, which has blanks between them (RFC 6749 section 3.3). */
export function scopesOf(text: string): string[] {
  return [...new Set(text.split(/\s+/).filter((scope) => scope !== ''))];
}
