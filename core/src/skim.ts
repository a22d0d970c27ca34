/** What the top level of a JSON-RPC message says. */
export interface Skimmed {
  /** True for the one version there is. */
  readonly versioned: boolean;
  /** Undefined where there is none. */
  readonly id: string | number | undefined;
  readonly method: string | undefined;
  /** True where there is a `result` or an `error`. */
  readonly answered: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const BLANK = 0x20;
const TAB = 0x09;
const FIRST_BEYOND_ASCII = 0x80;
/** The escapes of one letter: " \ / b f n r t. */
const ESCAPES = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]);
const UNICODE_ESCAPE = 0x75;

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
/** Makes small letters of large ones. */
const SMALL = 0x20;
/** Ids beyond this many digits are not exact as numbers. */
const MOST_DIGITS = 15;
/** Nesting is kept in the bits of a number. */
const DEEPEST = 30;

const VERSION = Buffer.from('"2.0"');
const JSONRPC = 1;
const ID = 2;
const METHOD = 4;
const RESULT = 8;
const ERROR = 16;

/** Methods that come again and again, by their lengths: to recognise one is cheaper than to make a text of it. */
const FREQUENT = new Map(
  [
    ['tools/call'],
    ['prompts/get'],
    ['resources/read'],
    ['notifications/message'],
    ['notifications/progress'],
    ['notifications/resources/updated'],
  ].map(([method = '']) => [method.length, { method, bytes: Buffer.from(method) }] as const),
);

/** Marks a text that is no JSON, or none that is beyond doubt. */
const NONE = -1;

/**
 * Reads the top level of a JSON-RPC message, and checks the whole of it, without making anything of its content. That
 * takes a fraction of the time of a parse, which most messages never need.
 *
 * @param text the bytes of the message
 * @returns undefined where it is not one well-formed object beyond doubt, on one line, whose members for JSON-RPC are
 *   plain and come once: parse it then
 */
export function skim(text: Buffer): Skimmed | undefined {
  let versioned = false;
  let id: string | number | undefined;
  let method: string | undefined;
  let answered = false;
  let seen = 0;
  let at = blanks(text, 0);
  if (text[at] !== OPEN_OBJECT) return undefined;
  do {
    const name = blanks(text, at + 1);
    if (text[name] !== QUOTE) return undefined;
    const nameEnd = string(text, name);
    const colon = nameEnd === NONE ? NONE : blanks(text, nameEnd);
    if (colon === NONE || text[colon] !== COLON) return undefined;
    const from = blanks(text, colon + 1);
    const to = value(text, from);
    if (to === NONE) return undefined;
    const member = memberAt(text, name + 1, nameEnd - 1);
    if (member === undefined) return undefined;
    if (member !== 0) {
      if ((seen & member) !== 0) return undefined;
      seen |= member;
    }
    if (member === JSONRPC) {
      versioned = to === from + VERSION.length && matches(text, from, VERSION);
      // It may be spelled in another way.
      if (!versioned) return undefined;
    } else if (member === ID) {
      id = idAt(text, from, to);
      if (id === undefined) return undefined;
    } else if (member === METHOD) {
      method = methodAt(text, from, to);
      if (method === undefined) return undefined;
    } else if (member !== 0) answered = true;
    at = blanks(text, to);
  } while (text[at] === COMMA);
  if (text[at] !== CLOSE_OBJECT || blanks(text, at + 1) !== text.length) return undefined;
  return { versioned, id, method, answered };
}

/** The members that mean something, by the lengths of their names. */
const MEMBERS = [
  [JSONRPC, 'jsonrpc'],
  [ID, 'id'],
  [METHOD, 'method'],
  [RESULT, 'result'],
  [ERROR, 'error'],
].map(([member, name]) => ({ member: member as number, name: Buffer.from(name as string) }));

/** Tells a member that means something from others, which are 0; undefined for a name that is spelled with escapes. */
function memberAt(text: Buffer, from: number, to: number): number | undefined {
  for (const { member, name } of MEMBERS) {
    if (name.length === to - from && matches(text, from, name)) return member;
  }
  return plain(text, from, to);
}

/** Whether these very bytes stand at a place. */
function matches(text: Buffer, from: number, wanted: Buffer): boolean {
  for (let at = 0; at < wanted.length; at++) if (text[from + at] !== wanted[at]) return false;
  return true;
}

/** 0 for a name without escapes. */
function plain(text: Buffer, from: number, to: number): 0 | undefined {
  for (let at = from; at < to; at++) if (text[at] === BACKSLASH) return undefined;
  return 0;
}

function idAt(text: Buffer, from: number, to: number): string | number | undefined {
  if (text[from] === QUOTE)
    return isSimple(text, from + 1, to - 1) ? text.toString('latin1', from + 1, to - 1) : undefined;
  if (to - from > MOST_DIGITS) return undefined;
  const numeral = text.toString('latin1', from, to);
  return /^(?:0|-?[1-9]\d*)$/.test(numeral) ? Number(numeral) : undefined;
}

function methodAt(text: Buffer, from: number, to: number): string | undefined {
  if (text[from] !== QUOTE) return undefined;
  const known = FREQUENT.get(to - from - 2);
  if (known !== undefined && matches(text, from + 1, known.bytes)) return known.method;
  return isSimple(text, from + 1, to - 1) ? text.toString('latin1', from + 1, to - 1) : undefined;
}

/** True for characters that stand for themselves as Latin-1. */
function isSimple(text: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = text[at]!;
    if (code === BACKSLASH || code >= FIRST_BEYOND_ASCII) return false;
  }
  return true;
}

/** Skips what may stand between tokens, without line ends. Returns where something else is. */
function blanks(text: Buffer, from: number): number {
  let at = from;
  // A look beyond the end would make all later looks slower.
  while (at < text.length && (text[at] === BLANK || text[at] === TAB)) at++;
  return at;
}

/** Returns where the string that begins at `from` has ended. */
function string(text: Buffer, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text[at]!;
    // Most bytes are letters, and beyond all that matters here.
    if (code > BACKSLASH) continue;
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) {
      const escape = text[++at];
      if (escape === UNICODE_ESCAPE) {
        for (const end = at + 4; at < end;) if (!isHex(text[++at])) return NONE;
      } else if (!ESCAPES.has(escape!)) return NONE;
    } else if (code < BLANK) return NONE;
  }
  return NONE;
}

/** Returns where the value that begins at `from` has ended. */
function value(text: Buffer, from: number): number {
  let at = from;
  let depth = 0;
  // A bit for each level: 1 for an object, 0 for an array.
  let objects = 0;
  for (;;) {
    // A value begins here.
    const code = text[at];
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      const first = blanks(text, at + 1);
      if (text[first] === (code === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)) at = first + 1;
      else {
        if (++depth > DEEPEST) return NONE;
        objects = (objects << 1) | (code === OPEN_OBJECT ? 1 : 0);
        at = code === OPEN_OBJECT ? memberValue(text, first) : first;
        if (at === NONE) return NONE;
        continue;
      }
    } else {
      at = code === QUOTE ? string(text, at) : word(text, at, code);
      if (at === NONE) return NONE;
    }
    // It has ended here: another one follows, or what holds it ends too.
    for (;;) {
      if (depth === 0) return at;
      at = blanks(text, at);
      const next = text[at];
      const isObject = (objects & 1) === 1;
      if (next === COMMA) {
        at = blanks(text, at + 1);
        if (isObject) at = memberValue(text, at);
        if (at === NONE) return NONE;
        break;
      }
      if (next !== (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) return NONE;
      at++;
      depth--;
      objects >>>= 1;
    }
  }
}

/** Skips the name of a member and its colon. Returns where its value begins. */
function memberValue(text: Buffer, from: number): number {
  if (text[from] !== QUOTE) return NONE;
  const end = string(text, from);
  if (end === NONE) return NONE;
  const colon = blanks(text, end);
  return text[colon] === COLON ? blanks(text, colon + 1) : NONE;
}

/** Returns where a number, `true`, `false` or `null` has ended. */
function word(text: Buffer, at: number, code: number | undefined): number {
  for (const known of WORDS)
    if (known[0] === code) return matches(text, at, known) ? at + known.length : NONE;
  return number(text, at);
}

const WORDS = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')];

function number(text: Buffer, from: number): number {
  let at = text[from] === MINUS ? from + 1 : from;
  // No zero stands before other digits.
  if (text[at] === ZERO) at++;
  else at = digits(text, at);
  if (at !== NONE && text[at] === POINT) at = digits(text, at + 1);
  if (at === NONE || (text[at]! | SMALL) !== 0x65) return at;
  const sign = text[at + 1];
  return digits(text, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
}

/** Skips digits, of which there must be one. */
function digits(text: Buffer, from: number): number {
  let at = from;
  while (isDigit(text[at])) at++;
  return at === from ? NONE : at;
}

function isDigit(code: number | undefined): boolean {
  return code! >= ZERO && code! <= NINE;
}

function isHex(code: number | undefined): boolean {
  const small = code! | SMALL;
  return isDigit(code) || (small >= 0x61 && small <= 0x66);
}
