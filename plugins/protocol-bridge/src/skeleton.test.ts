import { Envelope, type JSONRPCMessage } from '@mcp-connect/core';
import { expect } from 'chai';
import fc from 'fast-check';
import { Skeleton } from './skeleton.js';

const LONG = 'say "naïve café" 👋 \\\n'.repeat(2_000);

function envelopeOf(result: object): Envelope {
  return Envelope.read(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result })));
}

describe('Skeleton', () => {
  it('holds long strings aside and puts them back, byte for byte', () => {
    const string = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(LONG, `${LONG}\\`, `"${LONG}`));
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        string,
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(string, tie('any'), { maxKeys: 3 }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (inner) => {
        const envelope = envelopeOf({ inner, long: LONG });
        const skeleton = Skeleton.of(envelope)!;
        const text = JSON.stringify(skeleton.message);
        expect(text.length).to.be.lessThan(envelope.size);
        expect(skeleton.restored(Envelope.of(skeleton.message)).bytes.equals(envelope.bytes)).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });

  it('leaves room for changes', () => {
    const skeleton = Skeleton.of(
      envelopeOf({ resultType: 'complete', content: [{ type: 'text', text: LONG }] }),
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
      result: { content: [{ type: 'text', text: LONG }] },
    });
  });

  it('is not made of what is small, or broken', () => {
    expect(Skeleton.of(envelopeOf({ text: 'short' }))).to.equal(undefined);
    const broken = Buffer.from(
      `{"jsonrpc":"2.0","id":1,"result":{"a":"${LONG.replaceAll(/["\n\\]/g, '')}" "b"}}`,
    );
    expect(Skeleton.of(Envelope.read(broken))).to.equal(undefined);
  });
});
