/** What the two ends of a large JSON-RPC message tell of its top level, as raw JSON texts. */
export interface Glance {
  readonly id: string | undefined;
  readonly method: string | undefined;
  readonly jsonrpc: string | undefined;
  readonly hasResult: boolean;
  readonly hasError: boolean;
}

/** So many bytes at either end are looked at. */
const REACH = 1_024;

/** A string of ASCII without any escape that could hide a name, a number, or a word. */
const SCALAR = String.raw`"[^"\\\x80-\xff]*"|-?\d[\d.eE+-]*|true|false|null`;
/** A member at the beginning of what is left, up to its value or, for an object or array, to its bracket. */
const FIRST = new RegExp(String.raw`\s*"(\w+)"\s*:\s*(?:(${SCALAR})\s*,|[{[])`, 'y');
/** A member behind the large one, at the end of what is left. Only a name stands between a comma and a colon. */
const LAST = new RegExp(String.raw`,\s*"(\w+)"\s*:\s*(${SCALAR})\s*$`);
/** The value of MCP is an object. With the bracket of the whole message behind it, a text cut short rarely ends so. */
const BRACKET = /\}\s*$/;
const OPENING = /^\s*\{/;
const CLOSING = /\}\s*$/;

const LARGE = new Set(['result', 'error', 'params']);

/**
 * Reads the top level of a large JSON-RPC message from its two ends, without a look at all of it: of its members, one
 * is an object or array and all others are short. A message with a second such member, for which JSON-RPC has no
 * place, may be taken for one without what stands between the two.
 *
 * @param pieces the message, whole or in pieces
 * @returns undefined where the ends do not settle it, be it an unusual message or no JSON at all: read it whole then
 */
export function glance(pieces: readonly Buffer[]): Glance | undefined {
  const head = beginning(pieces);
  const tail = end(pieces);
  const opening = OPENING.exec(head);
  const closing = CLOSING.exec(tail);
  if (opening === null || closing === null) return undefined;
  const members = new Map<string, string>();
  const large = readHead(head, opening[0].length, members);
  if (large === undefined || !LARGE.has(large)) return undefined;
  if (!readTail(tail.slice(0, closing.index), members)) return undefined;
  const { id, method, jsonrpc } = Object.fromEntries(members);
  const isResponse = large !== 'params';
  const settled = id !== undefined && jsonrpc !== undefined && isResponse === (method === undefined);
  if (!settled || members.has(large) || members.has('result') || members.has('error')) return undefined;
  return { id, method, jsonrpc, hasResult: large === 'result', hasError: large === 'error' };
}

function beginning(pieces: readonly Buffer[]): string {
  let text = '';
  for (const piece of pieces) {
    text += piece.toString('latin1', 0, REACH - text.length);
    if (text.length === REACH) break;
  }
  return text;
}

function end(pieces: readonly Buffer[]): string {
  let text = '';
  for (let at = pieces.length - 1; at >= 0 && text.length < REACH; at--) {
    const piece = pieces[at]!;
    text = piece.toString('latin1', Math.max(0, piece.length - REACH + text.length)) + text;
  }
  return text;
}

/** Notes the members in front of the large one. Returns the name of the large one. */
function readHead(text: string, start: number, members: Map<string, string>): string | undefined {
  FIRST.lastIndex = start;
  for (let found = FIRST.exec(text); found !== null; found = FIRST.exec(text)) {
    const [, name = '', value] = found;
    if (value === undefined) return name;
    if (members.has(name)) return undefined;
    members.set(name, value);
  }
  return undefined;
}

/** Notes the members behind the large one. Returns false where they are not all that is there. */
function readTail(text: string, members: Map<string, string>): boolean {
  let left = text;
  for (let found = LAST.exec(left); found !== null; found = LAST.exec(left)) {
    const [, name = '', value = ''] = found;
    if (members.has(name)) return false;
    members.set(name, value);
    left = left.slice(0, found.index);
  }
  return BRACKET.test(left);
}
