import { isUtf8 } from 'node:buffer';

const NOTHING = Buffer.alloc(0);

/** A character takes up to four bytes, of which the first tells how many (RFC 3629 section 3). */
const LONGEST = 4;

/**
 * Returns a text as well-formed UTF-8: it stays as it is where it is that, and else has U+FFFD for every byte that is
 * part of no character, as every reader would make of it (Unicode 16 section 3.9, Substitution of Maximal Subparts).
 *
 * @param pieces the text, whole or in pieces, which may be cut within a character
 */
export function inUtf8(pieces: readonly Buffer[]): readonly Buffer[] {
  if (isUtf8Together(pieces)) return pieces;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const texts = pieces.map((piece) => decoder.decode(piece, { stream: true }));
  return [...texts, decoder.decode()].map((text) => Buffer.from(text)).filter(({ length }) => length > 0);
}

function isUtf8Together(pieces: readonly Buffer[]): boolean {
  // The beginning of a character that goes on in the next piece.
  let begun: Buffer = NOTHING;
  for (const piece of pieces) {
    let from = 0;
    if (begun.length > 0) {
      from = Math.min(widthOf(begun[0]!) - begun.length, piece.length);
      begun = Buffer.concat([begun, piece.subarray(0, from)]);
      if (begun.length < widthOf(begun[0]!)) continue;
      if (!isUtf8(begun)) return false;
    }
    const to = lastStart(piece, from);
    if (!isUtf8(piece.subarray(from, to))) return false;
    begun = piece.subarray(to);
  }
  return begun.length === 0;
}

/** Returns where a character begins that is cut at the end, or the end where none is. */
function lastStart(piece: Buffer, from: number): number {
  for (let at = piece.length - 1; at >= Math.max(from, piece.length - LONGEST + 1); at--) {
    const width = widthOf(piece[at]!);
    if (width > 0) return at + width > piece.length ? at : piece.length;
  }
  return piece.length;
}

/** How many bytes the character takes up that begins with this one; 0 where none does. */
function widthOf(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte < 0xc0) return 0;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : LONGEST;
}

/**
 * Returns where the character beyond ASCII ends that begins at a place, or -1 where none does that is well-formed and
 * ends within the limit (RFC 3629 section 4).
 */
export function characterEnd(text: Buffer, at: number, limit: number): number {
  const first = text[at]!;
  if (first < 0xe0) {
    // Below C2 no character begins, or one that would take less room.
    return first >= 0xc2 && at + 1 < limit && goesOn(text[at + 1]!) ? at + 2 : -1;
  }
  const end = first < 0xf0 ? at + 3 : at + LONGEST;
  if (end > limit || first > 0xf4) return -1;
  const second = text[at + 1]!;
  // Nor one that is half of a surrogate pair, or beyond Unicode.
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most || !goesOn(text[at + 2]!)) return -1;
  return end === at + 3 || goesOn(text[at + 3]!) ? end : -1;
}

function goesOn(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
