import { expect } from 'chai';
import * as fc from 'fast-check';
import { InFlight } from './in-flight.js';

const id = fc.constantFrom<string | number>(0, 1, 2, '', '1', 'a');
const step = fc.oneof(
  fc.tuple(fc.constant('set' as const), id, fc.integer()),
  fc.tuple(fc.constant('delete' as const), id, fc.constant(0)),
  fc.tuple(fc.constantFrom('clear' as const), id, fc.constant(0)),
);

describe('InFlight', () => {
  it('keeps what a Map keeps, in the order of arrival', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const flight = new InFlight<number>();
        const map = new Map<string | number, number>();
        for (const [what, key, value] of steps) {
          if (what === 'clear') {
            flight.clear();
            map.clear();
          } else {
            const known = map.delete(key);
            // Who comes again comes last.
            if (what === 'set') {
              flight.set(key, value);
              map.set(key, value);
            } else expect(flight.delete(key)).to.equal(known);
          }
          expect(flight.size).to.equal(map.size);
          expect(flight.get(key)).to.equal(map.get(key));
          expect(flight.has(key)).to.equal(map.has(key));
        }
        expect([...flight.keys()]).to.deep.equal([...map.keys()]);
        expect([...flight.values()]).to.deep.equal([...map.values()]);
      }),
    );
  });

  it('can be emptied by whoever goes through it', () => {
    const flight = new InFlight<string>();
    for (const key of [1, 2, 3]) flight.set(key, `${key}`);
    const seen: string[] = [];
    for (const value of flight.values()) {
      seen.push(value);
      flight.delete(Number(value) + 1);
      flight.delete(Number(value));
    }
    expect(seen).to.deep.equal(['1', '3']);
    expect(flight.size).to.equal(0);
  });
});
