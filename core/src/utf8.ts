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
