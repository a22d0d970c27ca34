import { expect } from 'chai';
import { Envelope } from './envelope.js';
import { Ledger, type Call } from './ledger.js';

const request = (id: string | number): Envelope => Envelope.of({ jsonrpc: '2.0', id, method: 'm' });
const open = (ledger: Ledger, id: string | number): Call => ledger.open(request(id), () => undefined)!;

describe('Ledger', () => {
  it('settles each request exactly once', () => {
    const ledger = new Ledger();
    const call = open(ledger, 1);
    expect(ledger.has(call)).to.equal(true);
    expect([ledger.settle(call), ledger.settle(call)]).to.deep.equal([true, false]);
    expect(ledger.find(1)).to.equal(undefined);
  });

  it('keeps 0, "", "0" and ids beyond 2^53 apart', () => {
    const ledger = new Ledger();
    const texts = ['0', '""', '"0"', '9007199254740992', '9007199254740993'];
    const calls = texts.map((id) =>
      ledger.open(Envelope.read(Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"m"}`)), () => undefined),
    );
    expect(calls.every((call) => call !== undefined)).to.equal(true);
    expect(ledger.find(0)).to.equal(calls[0]);
    expect(ledger.find('')).to.equal(calls[1]);
    expect(ledger.find(undefined)).to.equal(undefined);
  });

  it('refuses an id that is in flight, and takes it again once it is settled or cancelled', () => {
    const ledger = new Ledger();
    const first = open(ledger, 1);
    expect(ledger.open(request(1), () => undefined)).to.equal(undefined);
    ledger.settle(first);
    const second = open(ledger, 1);
    ledger.cancel(second);
    const third = open(ledger, 1);
    expect(ledger.find(1)).to.equal(third);
    expect(ledger.settle(second)).to.equal(false);
  });

  it('is idle once every request is settled or cancelled', async () => {
    const ledger = new Ledger();
    await ledger.idle();
    const [first, second] = [open(ledger, 1), open(ledger, 2)];
    let idle = false;
    const waiting = ledger.idle().then(() => (idle = true));
    ledger.settle(first);
    await Promise.resolve();
    expect(idle).to.equal(false);
    ledger.cancel(second);
    await waiting;
    expect(ledger.find(2)).to.equal(second);
  });

  it('keeps no more than a bounded number of cancelled requests', () => {
    const ledger = new Ledger();
    for (let id = 0; id < 5_000; id++) ledger.cancel(open(ledger, id));
    expect(ledger.calls().length).to.be.at.most(1_000);
    expect(ledger.find(4_999)).not.to.equal(undefined);
  });

  it('tells who waits for the settling of a call, once', () => {
    const ledger = new Ledger();
    const call = open(ledger, 1);
    let told = 0;
    call.onsettled = () => told++;
    ledger.cancel(call);
    ledger.settle(call);
    expect(told).to.equal(1);
  });
});
