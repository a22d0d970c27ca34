import { characterEnd } from './utf8.js';

/** What the top level of a JSON-RPC message says. */
export interface Skimmed {
  /** True for the one version there is. */
  readonly versioned: boolean;
  /** Undefined where there is none. */
  readonly id: string | number | undefined;
  readonly method: string | undefined;
  /** True where there is a `result` or an `error`. */
  readonly answered: boolean;
  /** Where the message has ended. */
  readonly end: number;
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
const UNICODE_ESCAPE = 0x75;
/** What does not stand for itself in a string: its end, escapes, controls, and what is only a part of a character. */
const SPECIAL = new Uint8Array(256).fill(1, 0, BLANK).fill(1, FIRST_BEYOND_ASCII);
SPECIAL[QUOTE] = SPECIAL[BACKSLASH] = 1;
/** The escapes of one letter: " \ / b f n r t. */
const ESCAPES = new Uint8Array(256);
for (const letter of [0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]) ESCAPES[letter] = 1;

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
const DEEPEST = 31;

const VERSION = Buffer.from('"2.0"');
const JSONRPC = 1;
const ID = 2;
const METHOD = 4;
const RESULT = 8;
const ERROR = 16;
/** Marks a name that may be spelled with escapes. */
const DOUBTFUL = -1;

/** Methods that come again and again, by their lengths: to recognise one is cheaper than to make a text of it. */
const FREQUENT = Array.from<{ readonly method: string; readonly bytes: Buffer } | undefined>({ length: 64 });
for (const method of [
  'tools/call',
  'prompts/get',
  'resources/read',
  'notifications/message',
  'notifications/progress',
  'notifications/resources/updated',
])
  FREQUENT[method.length] = { method, bytes: Buffer.from(method) };

/** Marks a text that is no JSON, or none that is beyond doubt. */
const NONE = -1;

/**
 * Reads the top level of a JSON-RPC message, and checks the whole of it, without making anything of its content. That
 * takes a fraction of the time of a parse, which most messages never need.
 *
 * @param text bytes among which the message begins at `from`; what follows it is left to the caller
 * @param limit where the message must have ended
 * @returns undefined where it is not one well-formed object beyond doubt, in UTF-8 and on one line, whose members for
 *   JSON-RPC are plain and come once: parse it then
 */
// One long function: the calls between short ones would take longer than what they do.
export function skim(text: Buffer, from = 0, limit = text.length): Skimmed | undefined {
  let id: string | number | undefined;
  let method: string | undefined;
  let seen = 0;
  let depth = 1;
  // A bit for each level: 1 for an object, 0 for an array.
  let objects = 1;
  // Of the member at the top level.
  let name = 0;
  let nameEnd = 0;
  let value = 0;
  let at = blanks(text, from, limit);
  if (at >= limit || text[at] !== OPEN_OBJECT) return undefined;
  at++;
  for (;;) {
    if ((objects & 1) === 1) {
      if (at < limit && text[at] !== QUOTE) at = blanks(text, at, limit);
      if (at >= limit || text[at] !== QUOTE) return undefined;
      const begin = at + 1;
      at = string(text, at, limit);
      if (at === NONE) return undefined;
      if (depth === 1) {
        name = begin;
        nameEnd = at - 1;
      }
      if (at < limit && text[at] !== COLON) at = blanks(text, at, limit);
      if (at >= limit || text[at] !== COLON) return undefined;
      at++;
    }
    // A value begins here.
    if (at < limit && text[at]! <= BLANK) at = blanks(text, at, limit);
    if (at >= limit) return undefined;
    const code = text[at]!;
    if (depth === 1) value = at;
    if (code === QUOTE) at = string(text, at, limit);
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      at = blanks(text, at + 1, limit);
      if (at >= limit) return undefined;
      if (text[at] !== (code === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        if (++depth > DEEPEST) return undefined;
        objects = (objects << 1) | (code === OPEN_OBJECT ? 1 : 0);
        continue;
      }
      at++;
    } else at = word(text, at, code);
    if (at === NONE) return undefined;
    // It has ended here: another one follows, or what holds it ends too.
    for (;;) {
      if (depth === 1) {
        const member = memberAt(text, name, nameEnd);
        if (member !== 0) {
          if (member === DOUBTFUL || (seen & member) !== 0) return undefined;
          seen |= member;
          if (member === JSONRPC) {
            // It may be spelled in another way.
            if (at !== value + VERSION.length || !matches(text, value, VERSION)) return undefined;
          } else if (member === ID) {
            id = idAt(text, value, at);
            if (id === undefined) return undefined;
          } else if (member === METHOD) {
            method = methodAt(text, value, at);
            if (method === undefined) return undefined;
          }
        }
      }
      if (at < limit && text[at]! <= BLANK) at = blanks(text, at, limit);
      if (at >= limit) return undefined;
      const next = text[at++];
      if (next === COMMA) break;
      if (next !== ((objects & 1) === 1 ? CLOSE_OBJECT : CLOSE_ARRAY)) return undefined;
      if (--depth === 0) {
        const answered = (seen & (RESULT | ERROR)) !== 0;
        return { versioned: (seen & JSONRPC) !== 0, id, method, answered, end: at };
      }
      objects >>>= 1;
    }
  }
}

const NAMES = {
  jsonrpc: Buffer.from('jsonrpc'),
  id: Buffer.from('id'),
  method: Buffer.from('method'),
  result: Buffer.from('result'),
  error: Buffer.from('error'),
};

/** Tells a member that means something from others, which are 0. */
function memberAt(text: Buffer, from: number, to: number): number {
  switch (to - from) {
    case 2:
      if (matches(text, from, NAMES.id)) return ID;
      break;
    case 5:
      if (matches(text, from, NAMES.error)) return ERROR;
      break;
    case 6:
      if (matches(text, from, NAMES.method)) return METHOD;
      if (matches(text, from, NAMES.result)) return RESULT;
      break;
    case 7:
      if (matches(text, from, NAMES.jsonrpc)) return JSONRPC;
  }
  for (let at = from; at < to; at++) if (text[at] === BACKSLASH) return DOUBTFUL;
  return 0;
}

/** Whether these very bytes stand at a place. */
function matches(text: Buffer, from: number, wanted: Buffer): boolean {
  for (let at = 0; at < wanted.length; at++) if (text[from + at] !== wanted[at]) return false;
  return true;
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
  const length = to - from - 2;
  const known = length < FREQUENT.length ? FREQUENT[length] : undefined;
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
function blanks(text: Buffer, from: number, limit: number): number {
  let at = from;
  // A look beyond the end would make all later looks slower.
  while (at < limit && (text[at] === BLANK || text[at] === TAB)) at++;
  return at;
}

/** Returns where the string that begins at `from` has ended. */
function string(text: Buffer, from: number, limit: number): number {
  let at = from + 1;
  for (;;) {
    // Four at once: nearly all stand for themselves.
    while (
      at + 3 < limit &&
      (SPECIAL[text[at]!]! | SPECIAL[text[at + 1]!]! | SPECIAL[text[at + 2]!]! | SPECIAL[text[at + 3]!]!) ===
        0
    )
      at += 4;
    while (at < limit && SPECIAL[text[at]!] === 0) at++;
    if (at >= limit) return NONE;
    const code = text[at]!;
    if (code === QUOTE) return at + 1;
    if (code >= FIRST_BEYOND_ASCII) {
      at = characterEnd(text, at, limit);
      if (at === NONE) return NONE;
      continue;
    }
    if (code !== BACKSLASH || at + 1 >= limit) return NONE;
    const escape = text[at + 1]!;
    at += 2;
    if (escape === UNICODE_ESCAPE) {
      for (const end = at + 4; at < end; at++) if (!isHex(text[at])) return NONE;
    } else if (ESCAPES[escape] !== 1) return NONE;
  }
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
