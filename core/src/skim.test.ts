import { expect } from 'chai';
import * as fc from 'fast-check';
import { skim, type Skimmed } from './skim.js';

/** What a parse of the text says, or undefined where it is no JSON. */
function parsed(text: Buffer): Omit<Skimmed, 'end'> | undefined {
  let message: Record<string, unknown>;
  try {
    message = JSON.parse(text.toString('utf8')) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  return {
    versioned: message['jsonrpc'] === '2.0',
    id: message['id'] as Skimmed['id'],
    method: message['method'] as Skimmed['method'],
    answered: 'result' in message || 'error' in message,
  };
}

/** Skims, and makes sure that no more is said than a parse says. */
function check(text: Buffer): Skimmed | undefined {
  const skimmed = skim(text);
  if (skimmed !== undefined) {
    const { end, ...said } = skimmed;
    const message = text.subarray(0, end);
    expect(said, JSON.stringify(text.toString('latin1'))).to.deep.equal(parsed(message));
    expect(message.includes('\n') || message.includes('\r')).to.equal(false);
  }
  return skimmed;
}

const skimText = (text: string): Skimmed | undefined => check(Buffer.from(text));

// ── Texts that are almost JSON-RPC ─────────────────────────────────────────────────────────────────────────────

const blank = fc.constantFrom('', '', '', ' ', '\t', '\n', '\r\n');
const string = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '"2.0"',
    '"tools/call"',
    '"id"',
    '"\\u0069d"',
    '"2\\u002e0"',
    '"\\ud800"',
    '"\\x"',
    '"\x01"',
    '"\x7f"',
  ),
);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom(
    '0',
    '-0',
    '01',
    '-',
    '1.',
    '.5',
    '1e',
    '1E+9',
    '1e400',
    '+1',
    '0x1',
    '9007199254740993',
    'NaN',
  ),
);
const scalar = fc.oneof(
  string,
  number,
  fc.constantFrom('true', 'false', 'null', 'nul', 'undefined', '', 'trueé'),
);
const { anything } = fc.letrec<{ anything: string; list: string; record: string }>((tie) => ({
  anything: fc.oneof({ maxDepth: 3 }, scalar, tie('list'), tie('record')),
  list: fc
    .tuple(fc.array(tie('anything'), { maxLength: 3 }), blank, fc.constantFrom('', '', '', ','))
    .map(([items, space, extra]) => `[${space}${items.join(`,${space}`)}${extra}]`),
  record: fc
    .tuple(
      fc.array(fc.tuple(string, tie('anything')), { maxLength: 3 }),
      blank,
      fc.constantFrom('', '', '', ','),
    )
    .map(([members, space, extra]) => `{${members.map(([k, v]) => `${k}${space}:${v}`).join(',')}${extra}}`),
}));
const member = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '"jsonrpc":"2.0"',
      '"jsonrpc":"2\\u002e0"',
      '"id":1',
      '"id":"a"',
      '"id":null',
      '"method":"ping"',
      '"method":"tools/call"',
      '"params":{"a":[1,{"é":true}]}',
      '"result":{}',
      '"error":null',
    ),
  },
  fc
    .tuple(
      fc.constantFrom('"id"', '"method"', '"jsonrpc"', '"result"', '"error"', '"params"', '"ID"'),
      blank,
      anything,
    )
    .map(([name, space, value]) => `${name}:${space}${value}${space}`),
  fc.tuple(string, anything).map(([name, value]) => `${name}:${value}`),
);
const message = fc
  .tuple(blank, fc.array(member, { maxLength: 6 }), blank)
  .map(([before, members, behind]) => Buffer.from(`${before}{${members.join(',')}}${behind}`));

describe('skim', () => {
  it('says nothing that a parse does not say, of texts that are almost JSON-RPC', () => {
    let read = 0;
    fc.assert(
      fc.property(message, (text) => {
        if (check(text) !== undefined) read++;
      }),
      { numRuns: 4_000 },
    );
    expect(read).to.be.greaterThan(200);
  });

  it('says nothing that a parse does not say, of texts that were damaged', () => {
    const byte = fc.oneof(
      fc.constantFrom(...Buffer.from('{}[]",:\\ \n0-e.tu')),
      fc.integer({ min: 0, max: 255 }),
    );
    const damage = fc.tuple(fc.constantFrom('set', 'cut', 'add'), fc.nat(), byte);
    const whole = fc
      .record({
        jsonrpc: fc.constant('2.0'),
        id: fc.oneof(fc.integer(), fc.string()),
        method: fc.string(),
        params: fc.jsonValue({ maxDepth: 3 }),
      })
      .map((record) => Buffer.from(JSON.stringify(record)));
    fc.assert(
      fc.property(whole, fc.array(damage, { maxLength: 2 }), (text, damages) => {
        for (const [kind, place, code] of damages) {
          const at = place % text.length;
          const rest = text.subarray(kind === 'add' ? at : at + 1);
          text = Buffer.concat([text.subarray(0, at), Buffer.from(kind === 'cut' ? [] : [code]), rest]);
        }
        check(text);
      }),
      { numRuns: 4_000 },
    );
  });

  it('reads a message that stands among others as it reads it alone', () => {
    fc.assert(
      fc.property(message, message, message, (before, text, behind) => {
        const [from, to] = [before.length, before.length + text.length];
        const skimmed = skim(Buffer.concat([before, text, behind]), from, to);
        expect(skimmed && { ...skimmed, end: skimmed.end - from }).to.deep.equal(skim(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('goes no further than the limit', () => {
    const text = Buffer.from(
      '{"jsonrpc":"2.0","id":12,"method":"a","params":{"b":["c\\u0041",true,1.5e3,{}]}}',
    );
    for (let limit = 0; limit < text.length; limit++) expect(skim(text, 0, limit)).to.equal(undefined);
    expect(skim(text, 0, text.length)?.end).to.equal(text.length);
  });

  for (const [id, expected] of [
    ['0', 0],
    ['-1', -1],
    ['999999999999999', 999_999_999_999_999],
    ['""', ''],
    ['"0"', '0'],
    ['"\x7f"', '\x7f'],
  ] as const) {
    it(`reads the id ${JSON.stringify(id)}`, () => {
      expect(skimText(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)).to.deep.equal({
        versioned: true,
        id: expected,
        method: 'ping',
        answered: false,
        end: 39 + id.length,
      });
    });
  }

  for (const [what, text] of Object.entries({
    'an id of minus zero': '{"jsonrpc":"2.0","id":-0,"result":{}}',
    'an id beyond what is exact': '{"jsonrpc":"2.0","id":9007199254740993,"result":{}}',
    'an id with a fraction': '{"jsonrpc":"2.0","id":1.5,"result":{}}',
    'an id with an exponent': '{"jsonrpc":"2.0","id":1e2,"result":{}}',
    'an id with an escape': '{"jsonrpc":"2.0","id":"\\u0061","result":{}}',
    'an id beyond ASCII': '{"jsonrpc":"2.0","id":"é","result":{}}',
    'an id of null': '{"jsonrpc":"2.0","id":null,"error":{}}',
    'a version with an escape': '{"jsonrpc":"2\\u002e0","id":1,"method":"ping"}',
    'a name with an escape': '{"jsonrpc":"2.0","\\u0069d":1,"method":"ping"}',
    'an id that comes twice': '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    'a method that comes twice': '{"jsonrpc":"2.0","method":"a","method":"b"}',
    'a line end': '{"jsonrpc":"2.0",\n"method":"a"}',
    'deep nesting': `{"jsonrpc":"2.0","method":"a","params":${'['.repeat(32)}${']'.repeat(32)}}`,
    'no object': '[{"jsonrpc":"2.0","method":"a"}]',
    nothing: '',
  })) {
    it(`leaves ${what} to a parse`, () => {
      expect(skimText(text)).to.equal(undefined);
    });
  }

  it('reads what is nested as deep as it can keep', () => {
    for (const [open, close] of ['[]', '{"a":}'].map(
      (pair) => [pair.slice(0, -1), pair.slice(-1)] as const,
    )) {
      const params = `${open.repeat(30)}1${close.repeat(30)}`;
      expect(skimText(`{"jsonrpc":"2.0","method":"a","params":${params}}`)?.method).to.equal('a');
    }
  });

  it('leaves bytes that are no UTF-8 to a parse, wherever they are', () => {
    const [before, behind] = [Buffer.from('{"jsonrpc":"2.0","method":"a","params":{"b":'), Buffer.from('}}')];
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf0, 0x9f]]) {
      const quoted = Buffer.concat([before, Buffer.from('"'), Buffer.from(bytes), Buffer.from('"'), behind]);
      expect(check(quoted)).to.equal(undefined);
      expect(check(Buffer.concat([before, Buffer.from(bytes), behind]))).to.equal(undefined);
    }
  });
});
