import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { causeCodeOf, ConnectorError, ERROR_CODES, reasonOf, toConnectorError } from './errors.js';

describe('ConnectorError', () => {
  it('is recognised across two copies of the package', async () => {
    const copy = (await import(`./errors.js?copy=${Date.now()}`)) as typeof import('./errors.js');
    expect(copy.ConnectorError).not.to.equal(ConnectorError);
    const foreign = new copy.ConnectorError('MCPC_CONNECT', 'x', { delivered: 'unknown' });
    expect(foreign instanceof ConnectorError).to.equal(true);
    expect(new ConnectorError('MCPC_CONNECT', 'x') instanceof copy.ConnectorError).to.equal(true);
    expect(toConnectorError(foreign, 'MCPC_PLUGIN')).to.equal(foreign);
  });

  it('is not recognised in other errors and values', () => {
    for (const value of [new Error('x'), { code: 'MCPC_CONNECT' }, undefined, null, 'MCPC_CONNECT'])
      expect((value as unknown) instanceof ConnectorError).to.equal(false);
  });

  it('says that nothing was delivered unless told otherwise', () => {
    const error = new ConnectorError('MCPC_CONNECT', 'refused');
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({
      code: 'MCPC_CONNECT',
      delivered: 'no',
      lasting: false,
      hint: undefined,
      name: 'ConnectorError',
    });
    expect('cause' in error).to.equal(false);
  });

  it('has a closed list of codes, each with its meaning', () => {
    for (const [code, meaning] of Object.entries(ERROR_CODES)) {
      expect(code).to.match(/^MCPC_[A-Z_]+$/);
      expect(meaning).to.match(/\.$/);
    }
    // @ts-expect-error a code outside the list
    void new ConnectorError('MCPC_NEW', 'x');
  });
});

describe('toConnectorError', () => {
  it('wraps what is not ours and keeps it as the cause', () => {
    const cause = new Error('deep');
    const error = toConnectorError(cause, 'MCPC_CONNECT', { delivered: 'unknown', hint: 'h' });
    expect(error).to.include({
      code: 'MCPC_CONNECT',
      message: 'deep',
      delivered: 'unknown',
      hint: 'h',
      cause,
    });
  });
});

describe('reasonOf', () => {
  it('names the reason of any thrown value', () => {
    expect(reasonOf(new AggregateError([new Error('first'), new Error('second')]))).to.equal('first');
    expect(reasonOf(new TypeError(''))).to.equal('TypeError');
    expect(reasonOf('text')).to.equal('text');
    const alert = { code: 'ERR_SSL_X', reason: 'an alert', library: 'SSL routines' };
    expect(reasonOf(Object.assign(new Error('0A0:ssl:file.c:an alert'), alert))).to.equal('an alert');
    expect(reasonOf(undefined)).to.equal('undefined');
  });
});

describe('causeCodeOf', () => {
  it('names what is at the bottom of an error', () => {
    const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    const wrapped = new ConnectorError('MCPC_CONNECT', 'x', { cause: new AggregateError([refused]) });
    expect(causeCodeOf(new ConnectorError('MCPC_CONNECT', 'y', { cause: wrapped }))).to.equal('ECONNREFUSED');
    for (const error of [undefined, new Error('x'), { code: 7 }, new ConnectorError('MCPC_CONNECT', 'x')])
      expect(causeCodeOf(error)).to.equal(undefined);
  });
});

describe('The list of codes', () => {
  it('has every code, and no other, in the docs with its meaning', () => {
    const docs = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const rows = [...docs.matchAll(/^\| `(MCPC_\w+)`\s*\| (.*?)\s*\|$/gm)].map(([, code, meaning]) => [
      code,
      meaning,
    ]);
    expect(rows).to.deep.equal(Object.entries(ERROR_CODES));
  });
});
