import { Envelope } from '@mcp-connect/core';
import { expect } from 'chai';
import type { Inquiry } from './inquiry.js';
import { readRequest, type ModernRequest } from './modern-request.js';
import { Parking, type Parked } from './parking.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const ROOTS: Inquiry = {
  method: 'roots/list',
  params: {},
  answer: async () => undefined,
  refuse: () => undefined,
};

function call(params: object): ModernRequest {
  const message = {
    jsonrpc: '2.0' as const,
    id: 1,
    method: 'tools/call',
    params: { ...params, _meta: META },
  };
  return readRequest(Envelope.of(message)) as ModernRequest;
}

describe('parked requests', () => {
  const expired: Parked<string>[] = [];
  let parking: Parking<string>;

  beforeEach(() => {
    expired.length = 0;
    parking = new Parking((parked) => expired.push(parked));
  });

  afterEach(() => parking.clear());

  const park = (name: string): unknown =>
    parking.park(Parking.ask(call({ name }), [ROOTS], name)).result['requestState'];

  it('are found by their state, once', () => {
    const requestState = park('a');
    const retry = call({ name: 'a', requestState, inputResponses: {} });
    expect(parking.take(retry)).to.deep.include({ subject: 'a' });
    expect(parking.take(retry)).to.have.nested.property('error.code', -32_602);
  });

  it('are found again when they were put back', () => {
    const retry = call({ name: 'a', requestState: park('a') });
    parking.restore(retry, parking.take(retry) as Parked<string>);
    expect(parking.take(retry)).to.deep.include({ subject: 'a' });
  });

  it('are kept from other requests, and from states that nobody made', () => {
    const requestState = park('a');
    for (const params of [
      { name: 'b', requestState },
      { name: 'a', requestState: 'made up' },
      { name: 'a', requestState: 7 },
    ]) {
      expect(parking.take(call(params))).to.have.nested.property('error.code', -32_602);
    }
    expect(parking.take(call({ name: 'a', requestState }))).to.deep.include({ subject: 'a' });
  });

  it('give way, the oldest first, when there are too many', () => {
    for (let n = 0; n <= 1_000; n++) park(String(n));
    expect(expired.map(({ subject }) => subject)).to.deep.equal(['0']);
    expect(parking.all()).to.have.length(1_000);
  });
});
