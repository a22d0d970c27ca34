import { expect } from 'chai';
import * as fc from 'fast-check';
import { Outliner, outlineOf, type Outline } from './scan.js';

const NAMES = [
  'id',
  'method',
  'jsonrpc',
  'result',
  'error',
  'params',
  '',
  'i',
  'idx',
  'é',
  '\\',
  '"id"',
  '__proto__',
];

/** A JSON text of a string, with some characters written as escapes. */
const stringText = (content: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(content, fc.boolean())
    .map(([text, escaped]) =>
      escaped
        ? `"${[...Array(text.length).keys()]
            .map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`)
            .join('')}"`
        : JSON.stringify(text),
    );

const blanks = fc.constantFrom('', '', '', ' ', '\n', '\r\n\t ');
const awkwardString = fc
  .array(
    fc.constantFrom(
      '\\',
      '"',
      '\\\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"id":7,',
      'é',
      'x'.repeat(23),
      'y'.repeat(40),
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

const { value: valueText } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('null', 'true', 'false', '0', '-1.5e3', '9007199254740993', '""'),
    stringText(fc.oneof(awkwardString, fc.string())),
    tie('object'),
    tie('array'),
  ),
  object: members(fc.constantFrom(...NAMES), tie('value')),
  array: fc
    .array(
      fc.tuple(blanks, tie('value'), blanks).map((parts) => parts.join('')),
      { maxLength: 4 },
    )
    .map((items) => `[${items.join(',')}]`),
}));

function members(names: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.array(
        fc
          .tuple(blanks, stringText(names), blanks, blanks, value, blanks)
          .map(([a, name, b, c, text, d]) => `${a}${name}${b}:${c}${text}${d}`),
        { maxLength: 7 },
      ),
      blanks,
    )
    .map(([all, blank]) => `{${all.join(',') || blank}}`);
}

const objectText = members(fc.constantFrom(...NAMES), valueText);
const whole = fc.tuple(blanks, objectText, blanks).map((parts) => parts.join(''));

function outlineInPieces(bytes: Buffer, places: readonly number[]): Outline {
  const outliner = new Outliner();
  let start = 0;
  for (const end of [...places.map((at) => at % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    outliner.push(bytes.subarray(start, end));
    start = end;
  }
  return outliner.outline();
}

const read = (text: string | undefined): unknown => (text === undefined ? undefined : JSON.parse(text));

describe('Outliner', () => {
  it('tells what JSON.parse tells about the top-level members, escapes and duplicates included', () => {
    fc.assert(
      fc.property(whole, (text) => {
        const bytes = Buffer.from(text);
        const parsed = JSON.parse(text) as Record<string, unknown>;
        const outline = outlineOf(bytes);
        expect(outline.complete).to.equal(true);
        expect(outline.opening).to.equal('{');
        expect(read(outline.id)).to.deep.equal(parsed['id']);
        expect(read(outline.method)).to.deep.equal(parsed['method']);
        expect(read(outline.jsonrpc)).to.deep.equal(parsed['jsonrpc']);
        expect(outline.hasResult).to.equal(Object.hasOwn(parsed, 'result'));
        expect(outline.hasError).to.equal(Object.hasOwn(parsed, 'error'));
        if (outline.id === undefined) expect(outline.idStart).to.equal(-1);
        else expect(bytes.toString('utf8', outline.idStart, outline.idEnd)).to.equal(outline.id);
      }),
      { numRuns: 500 },
    );
  });

  it('tells the same wherever the text is cut', () => {
    fc.assert(
      fc.property(whole, fc.array(fc.nat(), { maxLength: 10 }), (text, places) => {
        const bytes = Buffer.from(text);
        expect(outlineInPieces(bytes, places)).to.deep.equal(outlineOf(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('tells the same of any bytes, even of no JSON at all, wherever they are cut', () => {
    const noise = fc
      .array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '"id"', '"method"', ' ', '1', 'é'), {
        maxLength: 50,
      })
      .map((parts) => Buffer.from(parts.join('')));
    fc.assert(
      fc.property(noise, fc.array(fc.nat(), { maxLength: 10 }), (bytes, places) => {
        expect(outlineInPieces(bytes, places)).to.deep.equal(outlineOf(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('takes no text for complete that was cut short', () => {
    fc.assert(
      fc.property(objectText, fc.nat(), (text, at) => {
        const bytes = Buffer.from(text);
        expect(outlineOf(bytes.subarray(0, at % bytes.length)).complete).to.equal(false);
      }),
    );
  });

  it('takes no text for complete that has something behind its end', () => {
    for (const text of ['{} {}', '{}x', '{}"', '[]]', '{},', 'x{}', '1', '"a"', '', '  ']) {
      expect(outlineOf(Buffer.from(text)).complete, text).to.equal(false);
    }
    for (const text of ['{}', ' {}\n', '[1,[2]]'])
      expect(outlineOf(Buffer.from(text)).complete, text).to.equal(true);
  });

  it('crosses strings with quotes and backslashes around and behind 24 bytes', () => {
    for (let length = 0; length < 64; length++) {
      for (let slashes = 0; slashes < 4; slashes++) {
        const decoy = JSON.stringify(`${'x'.repeat(length)}${'\\'.repeat(slashes)}","id":8,"`);
        const bytes = Buffer.from(`{"params":${decoy},"id":7}`);
        expect(outlineOf(bytes).id).to.equal('7');
        const singly = Array.from({ length: bytes.length }, (_, i) => i);
        expect(outlineInPieces(bytes, singly).id).to.equal('7');
      }
    }
  });

  it('is not misled by a member name that is too long to keep', () => {
    const bytes = Buffer.from(`{"jsonrpc":"2.0","id":7,"${'n'.repeat(70_000)}":8,"method":"m"}`);
    for (const outline of [outlineOf(bytes), outlineInPieces(bytes, [40_000, 69_000])])
      expect(outline).to.include({ id: '7', method: '"m"', complete: true });
  });

  it('sees ids of every kind as they are written', () => {
    for (const id of ['0', '""', '"1"', '1', '9007199254740993', '1.0', '"\\u00e9"', 'null', '{"a":[1]}']) {
      expect(outlineOf(Buffer.from(`{"id": ${id} ,"x":1}`)).id).to.equal(id);
      expect(outlineOf(Buffer.from(`{"x":1,"id":${id}}`)).id).to.equal(id);
    }
  });
});
