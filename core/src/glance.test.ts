import { expect } from 'chai';
import * as fc from 'fast-check';
import { glance, type Glance } from './glance.js';
import { outlineOf } from './scan.js';

const look = (text: string): Glance | undefined => glance([Buffer.from(text)]);
const BODY = { content: [{ type: 'text', text: 'x'.repeat(40_000) }] };

describe('glance', () => {
  for (const [order, text] of [
    ['the id first', JSON.stringify({ jsonrpc: '2.0', id: 7, result: BODY })],
    ['the id last', JSON.stringify({ result: BODY, jsonrpc: '2.0', id: 7 })],
    ['the id between blanks', JSON.stringify({ jsonrpc: '2.0', result: BODY, id: 7 }, undefined, 2)],
  ] as const) {
    it(`reads a result with ${order}`, () => {
      const seen = { id: '7', method: undefined, jsonrpc: '"2.0"', hasResult: true, hasError: false };
      expect(look(text)).to.deep.equal(seen);
    });
  }

  it('reads a request, and an error', () => {
    expect(look(JSON.stringify({ method: 'tools/call', params: BODY, jsonrpc: '2.0', id: 'a' }))).to.include({
      id: '"a"',
      method: '"tools/call"',
    });
    expect(look(JSON.stringify({ jsonrpc: '2.0', id: 1, error: BODY }))).to.include({
      hasError: true,
      hasResult: false,
    });
  });

  it('is not misled by what looks like a member inside of a string', () => {
    const decoys = [',"id":8', ',"id":8}', '\\",\\"id\\":8}', ',', '",', ',"method":"x"}}'];
    for (const decoy of decoys) {
      const content = { text: `${'x'.repeat(20_000)}${decoy}` };
      expect(look(JSON.stringify({ jsonrpc: '2.0', id: 7, result: content })), decoy).to.include({ id: '7' });
      expect(look(JSON.stringify({ result: content, id: 7, jsonrpc: '2.0' })), decoy).to.include({ id: '7' });
      const note = `${decoy}${'y'.repeat(20_000)}${decoy}`;
      expect(look(JSON.stringify({ jsonrpc: '2.0', id: 7, result: {}, note })), decoy).to.equal(undefined);
    }
  });

  it('leaves to a whole reading what the ends do not settle', () => {
    const large = JSON.stringify(BODY);
    for (const text of [
      `[{"jsonrpc":"2.0","id":1,"result":${large}}]`,
      `{"jsonrpc":"2.0","method":"m","params":${large}}`,
      `{"jsonrpc":"2.0","id":1,"id":2,"result":${large}}`,
      `{"jsonrpc":"2.0","id":1,"result":${large},"id":2}`,
      `{"jsonrpc":"2.0","id":1,"result":${large},"method":"m"}`,
      `{"jsonrpc":"2.0","id":1,"result":1,"params":${large}}`,
      `{"id":1,"result":${large}}`,
      `{"jsonrpc":"2.0","id":1,"extra":${large},"method":"m"}`,
      `{"jsonrpc":"2.0","id":1,"params":${large}}`,
      `{"jsonrpc":"2.0","\\u0069d":1,"result":${large}}`,
      `{"jsonrpc":"2.0","id":"größe","result":${large}}`,
      `{"jsonrpc":"2.0","result":${large},"id":"größe"}`,
    ])
      expect(look(text), text.slice(0, 60)).to.equal(undefined);
  });

  it('never says anything else than a whole reading of a message with one nested member', () => {
    const name = fc.constantFrom('id', 'method', 'jsonrpc', 'result', 'error', 'params', 'x');
    const scalar = fc.constantFrom('1', '"a"', '"2.0"', 'null', '"\\",\\"id\\":9"', '-1.5e3');
    const nested = fc.jsonValue().map((value) => JSON.stringify([value, { id: 3, s: ',"id":4}' }]));
    const large = nested.map((text) => `{"a":${text}}`);
    const blank = fc.constantFrom('', '', ' ', '\n');
    const member = (value: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
      fc.tuple(blank, name, value, blank);
    const members = fc.tuple(
      fc.array(member(scalar), { maxLength: 4 }),
      member(fc.oneof(nested, large)),
      fc.array(member(scalar), { maxLength: 3 }),
    );
    fc.assert(
      fc.property(members, ([before, one, behind]) => {
        const all = [...before, one, ...behind];
        const text = `{${all.map(([a, key, inner, b]) => `${a}"${key}":${a}${inner}${b}`).join(',')}}`;
        const seen = look(text);
        if (seen === undefined) return;
        const { id, method, jsonrpc, hasResult, hasError, complete } = outlineOf(Buffer.from(text));
        expect(complete).to.equal(true);
        expect(seen).to.deep.equal({ id, method, jsonrpc, hasResult, hasError });
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no text for whole that was cut anywhere but behind a bracket', () => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 7, result: { a: [{ b: 'x}' }], c: { d: [1] } } });
    for (let end = 1; end < text.length; end++) {
      if (look(text.slice(0, end)) !== undefined) expect(text.slice(0, end)).to.match(/[}\]]\}$/);
    }
  });

  it('reads the ends of a message in pieces', () => {
    const text = JSON.stringify({ result: BODY, jsonrpc: '2.0', id: 7 });
    const cuts = [0, 1, 500, 30_000, text.length - 20, text.length - 3, text.length - 1, text.length];
    const pieces = cuts.slice(1).map((cut, at) => Buffer.from(text.slice(cuts[at], cut)));
    expect(glance(pieces)).to.include({ id: '7' });
  });
});
