import { expect } from 'chai';
import { readme, withFlagTables } from './docs.js';
import { DEMO_FLAGS, DOCTOR_FLAGS, LOAD_BALANCE_FLAGS, PROXY_FLAGS, TEST_FLAGS } from './flags.js';
import { loadPlugins, mergeFlags } from './load.js';
import { CHECKS, MODES } from './modes.js';
import { pluginPlaces } from './resolve.js';

describe('the README', () => {
  it('lists the flags as they are (npm run docs writes the tables)', () => {
    expect(withFlagTables(readme())).to.equal(readme());
  });

  it('lists all of them', () => {
    const text = readme();
    const serving = { ...PROXY_FLAGS, ...LOAD_BALANCE_FLAGS };
    for (const name of Object.keys({ ...serving, ...TEST_FLAGS, ...DOCTOR_FLAGS, ...DEMO_FLAGS }))
      expect(text).to.include(`| \`--${name}\``);
  });
});

describe('every flag', () => {
  it('has an environment variable of our prefix and of its own', async () => {
    for (const { flags, plugins } of Object.values({ ...MODES, ...CHECKS })) {
      const all = mergeFlags(flags, await loadPlugins(plugins, pluginPlaces({})));
      const variables = Object.values(all).map(({ env }) => env);
      for (const variable of variables) expect(variable).to.match(/^MCP_CONNECT_/);
      expect(new Set(variables)).to.have.property('size', variables.length);
    }
  });
});
