import { isUtf8 } from 'node:buffer';
import { expect } from 'chai';
import fc from 'fast-check';
import { characterEnd, inUtf8 } from './utf8.js';

/** Cuts a text at some places. */
const cut = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const sorted = [
    0,
    ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ];
  return sorted.slice(1).map((end, at) => bytes.subarray(sorted[at], end));
};

describe('inUtf8', () => {
  it('leaves pieces of UTF-8 as they are, wherever they are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat()), (text, places) => {
        const pieces = cut(Buffer.from(text), places);
        expect(inUtf8(pieces)).to.equal(pieces);
      }),
    );
  });

  it('makes of other bytes what every reader makes of them, wherever they are cut', () => {
    const byte = fc.oneof(
      fc.constantFrom(0x80, 0xbf, 0xc3, 0xe2, 0x82, 0xac, 0xed, 0xa0, 0xf0, 0x9f, 0xff),
      fc.nat(255),
    );
    fc.assert(
      fc.property(
        fc.array(byte, { maxLength: 24 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (bytes, places) => {
          const whole = Buffer.from(bytes);
          const mended = Buffer.concat(inUtf8(cut(whole, places)));
          expect(mended.toString()).to.equal(whole.toString());
          expect(isUtf8(mended)).to.equal(true);
        },
      ),
    );
  });
});

describe('characterEnd', () => {
  it('finds the characters that there are, and no others', () => {
    const text = Buffer.alloc(4);
    const rest = [0x7f, 0x80, 0xbf, 0xc0];
    const wrong: string[] = [];
    for (let first = 0x80; first < 0x100; first++) {
      for (let second = 0; second < 0x100; second++) {
        for (const [third, fourth] of rest.flatMap((one) => rest.map((other) => [one, other] as const))) {
          text.set([first, second, third, fourth]);
          const end = [2, 3, 4].find((length) => isUtf8(text.subarray(0, length))) ?? -1;
          if (characterEnd(text, 0, 4) !== end) wrong.push(text.toString('hex'));
        }
      }
    }
    expect(wrong).to.deep.equal([]);
  });

  it('goes no further than the limit', () => {
    for (const text of ['é', '€', '😀'].map((character) => Buffer.from(`${character}.`))) {
      expect(characterEnd(text, 0, text.length)).to.equal(text.length - 1);
      for (let limit = 1; limit < text.length - 1; limit++) expect(characterEnd(text, 0, limit)).to.equal(-1);
    }
  });
});
