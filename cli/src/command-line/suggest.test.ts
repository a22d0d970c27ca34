import { expect } from 'chai';
import { closest, nearestFirst } from './suggest.js';

describe('suggestions', () => {
  const names = ['endpoint', 'transport', 'timeout', 'ca', 'key', 'auth-token'];

  it('find the name that was meant', () => {
    expect(closest('endpont', names)).to.equal('endpoint');
    expect(closest('tiemout', names)).to.equal('timeout');
    expect(closest('auth_token', names)).to.equal('auth-token');
    expect(closest('kay', names)).to.equal('key');
  });

  it('put the nearest first', () => {
    expect(nearestFirst('kay', ['transport', 'key', 'ca'])).to.deep.equal(['key', 'ca', 'transport']);
  });

  it('are not made when nothing is close', () => {
    expect(closest('fallbacks', names)).to.equal(undefined);
    expect(closest('x', names)).to.equal(undefined);
    expect(closest('', names)).to.equal(undefined);
  });
});
