import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { isUtf8 } from 'node:buffer';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { Envelope } from './envelope.js';
import { ConnectorError } from './errors.js';

const read = (text: string): Envelope => Envelope.read(Buffer.from(text));
/** The same message, too large to be parsed for routing. */
const enlarge = (text: string): string => text.replace(/\}$/, `,"zz":"${'\\"é'.repeat(6_000)}"}`);

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof ConnectorError ? error.code : 'not ours';
  }
  return undefined;
}

describe('Envelope', () => {
  const KINDS: readonly [text: string, kind: string, id: unknown, method: unknown][] = [
    ['{"jsonrpc":"2.0","id":1,"method":"m"}', 'request', 1, 'm'],
    ['{"jsonrpc":"2.0","id":0,"method":"m"}', 'request', 0, 'm'],
    ['{"jsonrpc":"2.0","id":"","method":"m"}', 'request', '', 'm'],
    ['{"jsonrpc":"2.0","id":"1","method":""}', 'request', '1', ''],
    ['{"jsonrpc":"2.0","method":"m"}', 'notification', undefined, 'm'],
    ['{"jsonrpc":"2.0","id":1,"result":{}}', 'response', 1, undefined],
    ['{"jsonrpc":"2.0","id":0,"result":null}', 'response', 0, undefined],
    ['{"jsonrpc":"2.0","id":"","error":{"code":1,"message":""}}', 'response', '', undefined],
    ['{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}', 'response', undefined, undefined],
    ['{"jsonrpc":"2.0","error":{"code":1,"message":""}}', 'response', undefined, undefined],
    ['{"jsonrpc":"2.0","id":1,"m\\u0065thod":"\\u006d"}', 'request', 1, 'm'],
    ['{"jsonrpc":"1.0","id":1,"method":"m"}', 'invalid', 1, undefined],
    ['{"id":1,"method":"m"}', 'invalid', 1, undefined],
    ['{"jsonrpc":"2.0","id":null,"method":"m"}', 'invalid', undefined, undefined],
    ['{"jsonrpc":"2.0","id":{},"method":"m"}', 'invalid', undefined, undefined],
    ['{"jsonrpc":"2.0","id":1,"method":7}', 'invalid', 1, undefined],
    ['{"jsonrpc":"2.0","id":1,"method":"m","result":{}}', 'invalid', 1, undefined],
    ['{"jsonrpc":"2.0","id":1}', 'invalid', 1, undefined],
    ['{"jsonrpc":"2.0"}', 'invalid', undefined, undefined],
  ];
  for (const [text, kind, id, method] of KINDS) {
    it(`sees ${text} as ${kind}, small or large`, () => {
      for (const envelope of [
        read(text),
        read(enlarge(text)),
        Envelope.of(JSON.parse(text) as JSONRPCMessage),
      ])
        expect({ kind: envelope.kind, id: envelope.id, method: envelope.method }).to.deep.equal({
          kind,
          id,
          method,
        });
    });
  }

  it('sees an array as a batch, and any other JSON as invalid', () => {
    expect(read('[]').kind).to.equal('batch');
    expect(read(`[${'{"a":1},'.repeat(4_000)}1]`).kind).to.equal('batch');
    for (const text of ['1', 'null', '"x"', 'true', '{}']) expect(read(text).kind, text).to.equal('invalid');
  });

  it('rejects what is not JSON, and what was cut short', () => {
    const large = enlarge('{"jsonrpc":"2.0","id":1,"method":"m"}');
    for (const text of ['', '{', '{"a":}', 'x', large.slice(0, -1), `${large}}`, large.replace('1', 'tru')])
      expect(
        codeOf(() => read(text)),
        text.slice(0, 40),
      ).to.equal('MCPC_PARSE');
  });

  it('takes no large message for whole that was cut, where the wire does not tell', () => {
    const item = JSON.stringify({ type: 'text', text: 'x'.repeat(1_000) });
    const text = `{"jsonrpc":"2.0","id":1,"result":{"content":[${Array(40).fill(item).join()}],"_meta":{"a":{}}}}`;
    const cut = Buffer.from(text.slice(0, -1));
    expect(Envelope.read(Buffer.from(text), { framed: false })).to.include({ kind: 'response', id: 1 });
    expect(() => Envelope.read(cut, { framed: false }))
      .to.throw()
      .with.property('code', 'MCPC_PARSE');
  });

  it('tells of a malformed inside of a large message only when it is asked for', () => {
    const envelope = read(`{"jsonrpc":"2.0","id":1,"method":"m","params":{"x":[1 2 ${'3 '.repeat(9_000)}]}}`);
    expect(envelope.kind).to.equal('request');
    expect(codeOf(() => envelope.message)).to.equal('MCPC_PARSE');
  });

  it('keeps the bytes that it arrived as', () => {
    const text = '{ "method" : "m", "unknown": 1.0, "jsonrpc":"2.0","id":1 }';
    for (const given of [text, enlarge(text.replace(' }', '}'))]) {
      const bytes = Buffer.from(given);
      expect(Envelope.read(bytes).bytes).to.equal(bytes);
    }
  });

  it('reads a message among other bytes, and leaves what is not whole, small and plain', () => {
    const text = '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"é\\n"}}';
    const chunk = Buffer.from(`data: ${text}\n\n{"jsonrpc":"2.0"`);
    const envelope = Envelope.readAt(chunk, 6)!;
    expect(envelope).to.include({
      kind: 'notification',
      method: 'notifications/message',
      size: Buffer.byteLength(text),
    });
    expect(envelope.bytes.toString()).to.equal(text);
    expect(Envelope.readAt(chunk, 0)).to.equal(undefined);
    expect(Envelope.readAt(chunk, chunk.length - 16)).to.equal(undefined);
    expect(Envelope.readAt(chunk.subarray(0, 6 + envelope.size - 1), 6)).to.equal(undefined);
    const large = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":{"text":"${'x'.repeat(20_000)}"}}`);
    expect(Envelope.readAt(large, 0)).to.equal(undefined);
    expect(Envelope.readAt(Buffer.from('[1]'), 0)).to.equal(undefined);
  });

  it('puts a pretty-printed message on one line and changes nothing else', () => {
    const message = { jsonrpc: '2.0', id: 1, result: { text: 'a\nb\r\nc', list: [1, { x: 'é' }] } };
    for (const filler of ['', 'x'.repeat(20_000)]) {
      const pretty = JSON.stringify({ ...message, filler }, undefined, 2).replaceAll('\n', '\r\n');
      const { bytes } = read(pretty);
      expect(bytes.includes('\n') || bytes.includes('\r')).to.equal(false);
      expect(JSON.parse(bytes.toString())).to.deep.equal({ ...message, filler });
    }
  });

  it('keeps apart ids that are alike', () => {
    const ids = [
      '0',
      '""',
      '"0"',
      '1',
      '"1"',
      '-1',
      '9007199254740992',
      '9007199254740993',
      '"9007199254740993"',
    ];
    const keys = ids.flatMap((id) => {
      const text = `{"jsonrpc":"2.0","id":${id},"method":"m"}`;
      const [small, large] = [read(text), read(enlarge(text))];
      expect(small.key).to.equal(large.key);
      expect([small.idText, large.idText]).to.deep.equal([id, id]);
      return [small.key];
    });
    expect(new Set(keys).size).to.equal(ids.length);
    expect(read('{"jsonrpc":"2.0","method":"m"}').key).to.equal(undefined);
  });

  it('gives a message another id and touches no other byte', () => {
    const id = fc.constantFrom('0', '""', '"a\\"b"', '9007199254740993', '-1.5');
    const rest = fc.oneof(fc.jsonValue(), fc.constant('x'.repeat(20_000)));
    fc.assert(
      fc.property(id, id, rest, fc.boolean(), (from, to, value, first) => {
        const params = ` "params" : {"id":${JSON.stringify(value)}}`;
        const make = (text: string): string =>
          first
            ? `{"id": ${text} ,${params},"jsonrpc":"2.0","method":"é"}`
            : `{"jsonrpc":"2.0","method":"é",${params},"id":${text}}`;
        const changed = read(make(from)).withId(to);
        expect(changed.bytes.toString()).to.equal(make(to));
        expect(changed.idText).to.equal(JSON.stringify(JSON.parse(to)) === to ? to : changed.idText);
        expect(changed.kind).to.equal('request');
      }),
    );
  });

  it('reads an id beyond ASCII, small or large', () => {
    for (const text of [
      '{"jsonrpc":"2.0","id":"größe 人","result":{}}',
      '{"result":{},"id":"größe 人","jsonrpc":"2.0"}',
    ]) {
      for (const { id, idText } of [read(text), read(text.replace('{}', `{"x":"${'y'.repeat(20_000)}"}`))])
        expect({ id, idText }).to.deep.equal({ id: 'größe 人', idText: '"größe 人"' });
    }
  });

  it('passes on as UTF-8 what is none, small or large, whole or in pieces', () => {
    const wrong = Buffer.from([0xff, 0xc3, 0xed, 0xa0, 0x80, 0xf0, 0x9f]);
    for (const filler of ['', '€'.repeat(20_000)]) {
      const before = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":{"filler":"${filler}","text":"`);
      const bytes = Buffer.concat([before, wrong, Buffer.from('"}}')]);
      const middle = before.length + 4;
      for (const pieces of [[bytes], [bytes.subarray(0, middle), bytes.subarray(middle)]]) {
        const envelope = Envelope.read(pieces);
        expect(isUtf8(envelope.bytes)).to.equal(true);
        expect(envelope.bytes.toString()).to.equal(bytes.toString());
        expect(envelope.message).to.deep.equal(JSON.parse(bytes.toString()));
      }
      expect(Envelope.readAt(bytes, 0)).to.equal(undefined);
    }
  });

  it('leaves a message without an id alone', () => {
    const notification = read('{"jsonrpc":"2.0","method":"m"}');
    expect(notification.withId('7')).to.equal(notification);
  });

  it('routes large messages as it routes small ones', () => {
    const member = fc.constantFrom('id', 'method', 'jsonrpc', 'result', 'error', 'params');
    const value = fc.oneof(fc.constantFrom('2.0', 1, 'm', null), fc.jsonValue());
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(member, value), { selector: ([name]) => name }), (entries) => {
        const message = Object.fromEntries(entries);
        const small = read(JSON.stringify(message));
        const large = read(JSON.stringify({ ...message, filler: '"\\'.repeat(10_000) }));
        expect([large.kind, large.id, large.method, large.key, large.idText]).to.deep.equal([
          small.kind,
          small.id,
          small.method,
          small.key,
          small.idText,
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it('takes a batch apart', () => {
    const parts = read('[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"b"},7]').parts();
    expect(parts.map(({ kind }) => kind)).to.deep.equal(['request', 'notification', 'invalid']);
  });
});
