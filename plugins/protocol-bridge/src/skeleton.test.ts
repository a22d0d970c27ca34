import { Envelope, type JSONRPCMessage } from '@mcp-connect/core';
import { expect } from 'chai';
import fc from 'fast-check';
import { Skeleton, withChangedParams } from './skeleton.js';

const LONG = 'say "naïve café" 👋 \\\n'.repeat(60);
/** Enough to make any message large. */
const FILL = LONG.repeat(20);

function envelopeOf(result: object): Envelope {
  return Envelope.read(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result })));
}

describe('Skeleton', () => {
  it('holds long strings aside and puts them back, byte for byte', () => {
    const string = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(LONG, `${LONG}\\`, `"${LONG}`));
    const value = fc.oneof(string, fc.array(string), fc.dictionary(string, fc.array(string), { maxKeys: 3 }));
    fc.assert(
      fc.property(value, (inner) => {
        const envelope = envelopeOf({ inner, fill: FILL });
        const skeleton = Skeleton.of(envelope)!;
        const text = JSON.stringify(skeleton.message);
        expect(text.length).to.be.lessThan(envelope.size);
        expect(skeleton.restored(Envelope.of(skeleton.message)).bytes.equals(envelope.bytes)).to.equal(true);
      }),
      { numRuns: 25 },
    );
  });

  it('leaves room for changes', () => {
    const skeleton = Skeleton.of(
      envelopeOf({ resultType: 'complete', content: [{ type: 'text', text: FILL }] }),
    )!;
    const { result, ...rest } = skeleton.message as unknown as {
      result: { resultType?: unknown; content: object[] };
    };
    const { resultType, ...kept } = result;
    expect(resultType).to.equal('complete');
    const restored = skeleton.restored(Envelope.of({ ...rest, result: kept } as unknown as JSONRPCMessage));
    expect(restored.message).to.deep.equal({
      jsonrpc: '2.0',
      id: 1,
      result: { content: [{ type: 'text', text: FILL }] },
    });
  });

  it('changes parameters without a look at what is long in them', () => {
    const params = { name: 'a', arguments: { text: FILL, list: [LONG] } };
    for (const id of ['7', '"seven"', '9007199254740993']) {
      const text = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${JSON.stringify(params)}}`;
      const changed = withChangedParams(Envelope.read(Buffer.from(text)), (given) => ({ ...given, more: 1 }));
      expect(changed.message)
        .to.have.property('params')
        .that.deep.equals({ ...params, more: 1 });
      expect(changed.idText).to.equal(id);
    }
  });

  it('is not made of what is small, or broken', () => {
    expect(Skeleton.of(envelopeOf({ text: 'short' }))).to.equal(undefined);
    const broken = Buffer.from(
      `{"jsonrpc":"2.0","id":1,"result":{"a":"${FILL.replaceAll(/["\n\\]/g, '')}" "b"}}`,
    );
    expect(Skeleton.of(Envelope.read(broken))).to.equal(undefined);
  });
});
