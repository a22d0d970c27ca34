import { expect } from 'chai';
import { readme, withFlagTables } from './docs.js';
import { LOAD_BALANCE_FLAGS, PROXY_FLAGS } from './flags.js';

describe('the README', () => {
  it('lists the flags as they are (npm run docs writes the tables)', () => {
    expect(withFlagTables(readme())).to.equal(readme());
  });

  it('lists all of them', () => {
    const text = readme();
    for (const name of Object.keys({ ...PROXY_FLAGS, ...LOAD_BALANCE_FLAGS }))
      expect(text).to.include(`| \`--${name}\``);
  });
});

describe('every flag', () => {
  it('has an environment variable of our prefix', () => {
    for (const flag of Object.values({ ...PROXY_FLAGS, ...LOAD_BALANCE_FLAGS }))
      expect(flag.env).to.match(/^MCP_CONNECT_/);
  });
});
