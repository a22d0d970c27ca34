import { Envelope } from '@mcp-connect/core';
import { expect } from 'chai';
import { extended, isLarge } from './large-answer.js';

const FILLER = 'é"\\'.repeat(10_000);
const MORE = { resultType: 'complete', ttlMs: 0 };
const request = Envelope.read(
  Buffer.from('{"jsonrpc":"2.0","id":12345678901234567890,"method":"tools/call"}'),
);

/** What becomes of an answer, parsed. */
function grown(text: string): unknown {
  const envelope = extended(Envelope.read(Buffer.from(text)), request, MORE);
  return envelope && [envelope.idText, JSON.parse(envelope.bytes.toString())];
}

describe('a large answer', () => {
  const filler = JSON.stringify(FILLER);

  it('gets another id and more in its result, wherever they stand', () => {
    const result = { ...MORE, text: FILLER };
    const whole = { jsonrpc: '2.0', id: Number('12345678901234567890'), result };
    const expected = ['12345678901234567890', whole];
    expect(grown(`{"jsonrpc":"2.0","id":7,"result":{"text":${filler}}}`)).to.deep.equal(expected);
    expect(grown(`{"result" : { "text":${filler}} , "id": "a" ,"jsonrpc":"2.0"}`)).to.deep.equal(expected);
  });

  it('may have an empty result', () => {
    const [, message] = grown(`{"jsonrpc":"2.0","id":7,"x":${filler},"result":{ }}`) as [string, object];
    expect(message).to.deep.include({ result: MORE });
  });

  it('is left alone where its result is no object, or an error', () => {
    expect(grown(`{"jsonrpc":"2.0","id":7,"result":[${filler}]}`)).to.equal(undefined);
    expect(grown(`{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":${filler}}}`)).to.equal(undefined);
  });

  it('is one that costs more to read than to pass on', () => {
    expect(
      isLarge(Envelope.read(Buffer.from(`{"jsonrpc":"2.0","id":7,"result":{"text":${filler}}}`))),
    ).to.equal(true);
    expect(isLarge(Envelope.read(Buffer.from('{"jsonrpc":"2.0","id":7,"result":{}}')))).to.equal(false);
  });
});
